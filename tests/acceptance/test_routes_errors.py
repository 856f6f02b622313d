"""Failures are explained in plain words, as a page and as problem details; never in the framework's words."""

import pytest
from usher_engine import Conflict, Corrupt
from usher_web.app import MAX_BODY
from werkzeug.exceptions import default_exceptions

FRAMEWORK = {str(kind.description)[:40] for kind in default_exceptions.values() if kind.description}


def in_plain_words(text: str) -> bool:
    return not any(sentence in text for sentence in FRAMEWORK)


@pytest.mark.parametrize(
    ("method", "path", "status", "words"),
    [
        ("GET", "/nowhere", 404, "Nothing is here"),
        ("PUT", "/inbox", 405, "This address does not do that"),
        ("GET", "/api/v1/nowhere", 404, "Nothing is here"),
        ("DELETE", "/api/v1/triggers", 405, "This address does not do that"),
    ],
)
def test_addresses_that_lead_nowhere(house, method, path, status, words):
    answer = house.visitor("alice").client.open(path, method=method)
    assert answer.status_code == status
    assert words in answer.text
    assert in_plain_words(answer.text)
    assert (answer.mimetype == "application/problem+json") == path.startswith("/api/")


def test_too_much_at_once(house):
    alice = house.visitor("alice")
    page = alice.post("/patients/sample-pending/trigger", {"template": "x" * (MAX_BODY + 1)})
    assert page.status_code == 413
    assert "This is too large" in page.text
    headers = {**house.token(), "Idempotency-Key": "k", "Content-Type": "application/json"}
    problem = alice.client.post("/api/v1/triggers", data=b"{" + b" " * 300_000 + b"}", headers=headers)
    assert problem.status_code == 413
    assert problem.get_json()["title"] == "This is too large"
    assert in_plain_words(page.text + problem.text)


def test_a_draft_that_is_no_json(house):
    alice = house.visitor("alice")
    house.select("sample-no-email", alice)
    there, headers = f"/inbox/{house.newest_task()}/draft", {"X-CSRF-Token": alice.csrf}
    for sent, kind, status in (
        ("{", "text/plain", 415), ("{", "application/json", 400), ('{"values": []}', "application/json", 422),
    ):  # fmt: skip
        answer = alice.client.post(there, data=sent, headers=headers, content_type=kind)
        assert answer.status_code == status
        assert in_plain_words(answer.text)


def test_a_method_an_address_lacks_names_those_it_has(house):
    answer = house.app.test_client().delete("/api/v1/triggers")
    assert set(answer.headers["Allow"].split(", ")) == {"OPTIONS", "POST"}


def test_what_the_database_refuses_is_an_error_of_ours(house):
    house.select("sample-pending")
    database = house.enrollment.engine.database
    with pytest.raises(Conflict, match="nothing of this was saved"), database.begin() as tx:
        tx.exec_driver_sql("INSERT INTO patient SELECT * FROM patient LIMIT 1")
    with pytest.raises(Corrupt, match="append-only"), database.begin() as tx:
        tx.exec_driver_sql("UPDATE step SET revision = 9")
