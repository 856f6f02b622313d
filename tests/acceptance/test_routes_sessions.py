"""Signing in and out, forged requests, headers."""

from dataclasses import replace

import pytest
from usher_engine.enrollment import PatientFinder

TYPED = "Cleo Sample"


def test_wrong_name_and_wrong_password_look_alike(house):
    stranger = house.visitor()
    answers = [
        stranger.post("/sign-in", {"name": name, "password": "wrong password!"}).text.replace(name, "")
        for name in ("alice", "nobody")
    ]
    assert answers[0] == answers[1]
    assert "do not belong together" in answers[0]


def test_guessing_is_slowed_down(house):
    stranger = house.visitor()
    codes = [stranger.post("/sign-in", {"name": "alice", "password": "wrong"}).status_code for _ in range(11)]
    assert codes == [422] * 10 + [429]
    house.clock.forward(minutes=16)
    house.visitor("alice")


def test_the_session_gets_a_new_id_at_sign_in_and_ends_at_sign_out(house):
    visitor = house.visitor("alice")
    first = visitor.client.get_cookie("usher").value
    visitor.sign_in("alice")
    second = visitor.client.get_cookie("usher").value
    assert first != second
    assert house.accounts.session(first) is None
    visitor.get("/inbox")
    visitor.post("/sign-out")
    assert house.accounts.session(second) is None
    assert "Sign in" in visitor.get("/inbox").text


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/inbox/rows", {"X-Usher-Poll": "1"}),
        ("/events", {}),
        ("/events?cases=1:1", {"Accept": "text/event-stream"}),
        ("/static/dist/mark.svg", {}),
    ],
    ids=["polls", "listens", "listens again after a break", "loads a script late"],
)
def test_an_idle_session_ends_and_an_open_page_does_not_keep_it(house, path, headers):
    visitor = house.visitor("alice")
    house.clock.forward(minutes=10)
    assert visitor.get(path, headers=headers).status_code in (200, 204)
    house.clock.forward(minutes=6)
    assert visitor.get("/inbox").request.path == "/sign-in"


def test_clicks_keep_a_session_but_not_for_ever(house):
    visitor = house.visitor("alice")
    for _ in range(71):
        house.clock.forward(minutes=10)
        assert visitor.get("/inbox").request.path == "/inbox"
    house.clock.forward(minutes=11)
    assert visitor.get("/inbox").request.path == "/sign-in"


def test_a_disabled_account_is_out_at_once(house):
    visitor = house.visitor("alice")
    house.visitor("adam").post("/admin/people/alice/disabled", {"disabled": "yes"})
    assert "Sign in" in visitor.get("/inbox").text
    assert house.visitor().post("/sign-in", {"name": "alice", "password": "a password for tests"}).status_code == 422


def test_an_account_altered_outside_usher_is_refused_with_a_sentence_and_recorded(house, engine):
    alice = house.visitor("alice")
    assert alice.get("/inbox").request.path == "/inbox"
    with engine.database.begin() as tx:
        tx.exec_driver_sql("UPDATE account SET role = 'admin' WHERE name = 'alice'")
    assert alice.get("/admin/people").request.path == "/sign-in", "the session is worth nothing"
    signing_in = {"name": "alice", "password": "a password for tests"}
    refused = house.visitor().post("/sign-in", signing_in)
    assert refused.status_code == 409 and "The account alice was altered outside Usher (role)" in refused.text
    event = engine.audit.events(kind="LogInFailed")[0]
    assert (event.subject, event.details["reason"]) == ("alice", "the account was altered outside Usher")


def test_forged_requests_are_refused(house):
    visitor = house.visitor("alice")
    house.select("sample-pending", visitor)
    task = house.newest_task()
    claim = f"/inbox/{task}/claim"
    assert visitor.client.post(claim).status_code == 403
    assert visitor.client.post(claim, data={"csrf_token": "0" * 64}).status_code == 403
    assert visitor.post(claim, headers={"Origin": "https://evil.example"}).status_code == 403
    assert visitor.post(claim, headers={"Origin": "null"}).status_code == 403
    assert visitor.post(claim, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert visitor.post(claim, headers={"Origin": "http://localhost"}).status_code == 200


def test_the_sign_in_page_leads_only_to_our_own_pages(house):
    for target in ("https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"):
        answer = house.visitor().client.post(
            "/sign-in", data={"name": "alice", "password": "a password for tests", "next": target}
        )
        assert answer.location == "/"


def test_every_answer_carries_the_headers(house):
    for path in ("/sign-in", "/nowhere", "/api/v1/health", "/i/unknown"):
        headers = house.visitor().client.get(path).headers
        assert "script-src 'self'" in headers["Content-Security-Policy"]
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cache-Control"] == "no-store"


def test_in_production_the_cookie_is_bound_to_the_host(make_house, settings):
    house = make_house(replace(settings, env="production", base_url="https://usher.example.org"))
    answer = house.app.test_client().post(
        "/sign-in",
        data={"name": "alice", "password": "a password for tests"},
        base_url="https://usher.example.org",
    )
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("__Host-usher=")
    assert all(part in cookie for part in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/"))
    assert "Domain" not in cookie
    assert "max-age" in answer.headers["Strict-Transport-Security"]
    assert house.app.test_client().get("/sign-in", base_url="https://evil.example").status_code == 400


def test_a_fault_of_ours_shows_a_number_and_no_detail(house, monkeypatch, caplog):
    visitor = house.visitor("alice")

    def broken(*_args, **_options):
        int(TYPED)

    monkeypatch.setattr(PatientFinder, "find", broken)
    page = visitor.get("/patients")
    assert page.status_code == 500
    assert "Something is wrong on our side" in page.text
    assert TYPED not in page.text + caplog.text
    assert "ValueError" in caplog.text


def test_behind_a_proxy_each_visitor_counts_alone(make_house, settings):
    house = make_house(replace(settings, proxies=1))
    wrong = {"name": "nobody", "password": "wrong"}
    for number in range(51):
        wrong["name"] = f"nobody{number}"
        last = house.visitor().post("/sign-in", wrong, headers={"X-Forwarded-For": "203.0.113.5"})
    assert last.status_code == 429
    house.visitor().post("/sign-in", wrong, headers={"X-Forwarded-For": "203.0.113.6"})
    other = house.visitor().post("/sign-in", wrong, headers={"X-Forwarded-For": "203.0.113.6"})
    assert other.status_code == 422


def test_our_own_origin_is_ours_in_scheme_name_and_port(make_house, settings):
    house = make_house(replace(settings, env="production", base_url="https://usher.example.org"))
    own = ("https://usher.example.org", "https://USHER.example.org:443")
    foreign = ("http://usher.example.org", "https://usher.example.org:8443", "https://example.org", "https://[", "")
    wrong = {"name": "alice", "password": "wrong password!"}
    for origin, status in (*dict.fromkeys(own, 422).items(), *dict.fromkeys(foreign, 403).items()):
        sent = {"data": wrong, "base_url": "https://usher.example.org", "headers": {"Origin": origin}}
        assert house.app.test_client().post("/sign-in", **sent).status_code == status, origin


def test_a_host_name_is_the_same_in_any_case(make_house, settings):
    house = make_house(replace(settings, env="production", base_url="https://usher.example.org", proxies=1))
    client = house.app.test_client()
    assert client.get("/sign-in", base_url="https://USHER.Example.org").status_code == 200
    forwarded = {"X-Forwarded-Host": "Usher.EXAMPLE.org"}
    assert client.get("/sign-in", base_url="https://inside", headers=forwarded).status_code == 200
    assert client.get("/sign-in", base_url="https://usher.example.com").status_code == 400


def test_a_proxy_we_do_not_know_is_noticed_once(house, caplog):
    admin = house.visitor("adam")
    assert "proxy" not in admin.get("/admin/people").text
    for name in ("X-Forwarded-For", "Forwarded", "X-Real-IP"):
        admin.get("/admin/people", headers={name: "for=203.0.113.5"})
    assert caplog.text.count("USHER_PROXIES is 0") == 1
    assert "Requests come through a proxy that Usher does not know." in admin.get("/admin/people").text


def test_what_an_unknown_proxy_says_is_not_believed(house):
    forwarded = {"X-Forwarded-For": "203.0.113.5", "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https"}
    house.visitor().post("/sign-in", {"name": "alice", "password": "wrong"}, headers=forwarded)
    (failed,) = house.enrollment.engine.audit.events(kind="LogInFailed")
    assert failed.details["from"] == "127.0.0.1"


def test_a_proxy_we_know_is_no_news(make_house, settings, caplog):
    house = make_house(replace(settings, proxies=1))
    house.visitor().get("/sign-in", headers={"X-Forwarded-For": "203.0.113.5"})
    assert "USHER_PROXIES" not in caplog.text
    assert "Requests come through" not in house.visitor("adam").get("/admin/people").text
