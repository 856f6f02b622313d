"""Comments over HTTP: on the task, the case and the replay; mentions in the inbox; nothing for whom it is not."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from acceptance.conftest import House, Visitor


def one_case(house: House, visitor: Visitor) -> tuple[str, str]:
    """A case with an open task: (case, task)."""
    house.select("sample-no-email", visitor)
    task = house.newest_task()
    return task.partition(":")[0], task


def comment(visitor: Visitor, case: str, text: str, **more: Any) -> Any:
    visitor.get(f"/cases/{case}")
    return visitor.post(f"/cases/{case}/comments", {"text": text, **more})


def test_a_comment_is_seen_where_the_case_is_seen(house: House) -> None:
    alice, bob, audrey = house.visitor("alice"), house.visitor("bob"), house.visitor("audrey")
    case, task = one_case(house, alice)
    page = comment(alice, case, "Called <b>twice</b>.\nNo answer.", task=task)
    assert page.request.path == f"/inbox/{task}"
    assert "Your comment was added." in page.text
    for visitor, address in ((bob, f"/inbox/{task}"), (bob, f"/cases/{case}"), (audrey, f"/cases/{case}/replay")):
        shown = visitor.get(address).text
        assert "Called &lt;b&gt;twice&lt;/b&gt;.\nNo answer." in shown, address
    assert "alice commented" in bob.get(f"/cases/{case}/replay").text
    assert "You commented." in alice.get(f"/inbox/{task}").text
    listed = bob.get(f"/cases/{case}/comments").text
    assert "Called" in listed
    assert "<html" not in listed


def test_who_may_not_see_the_case_sees_and_writes_nothing(house: House) -> None:
    alice, charlie = house.visitor("alice"), house.visitor("charlie")
    case, _ = one_case(house, alice)
    charlie.get("/inbox")
    here = f"/cases/{case}/comments"
    assert [charlie.get(f"{here}{page}").status_code for page in ("", "/draft", "/people")] == [404] * 3
    for page in ("", "/2/correct", "/2/withdraw"):
        assert charlie.post(f"{here}{page}", {"text": "Hello"}).status_code == 404
    sent = {"X-CSRF-Token": charlie.csrf}
    assert charlie.client.post(f"{here}/draft", json={"values": {"text": "a"}}, headers=sent).status_code == 404
    audrey = house.visitor("audrey")
    audrey.get(f"/cases/{case}")
    assert audrey.post(here, {"text": "Hello"}).status_code == 403
    assert f'action="{here}"' not in audrey.get(f"/cases/{case}").text


def test_a_refused_comment_comes_back_as_typed(house: House) -> None:
    alice = house.visitor("alice")
    case, task = one_case(house, alice)
    for text, why in (
        ("  ", "Write something first."),
        ("x" * 2001, "at most 2,000 characters"),
        ("@nobody please", "“@nobody” cannot be mentioned"),
        ("@charlie please", "“@charlie” cannot be mentioned"),
    ):
        page = comment(alice, case, text, task=task)
        assert page.status_code == 422
        assert why in page.text
        assert text in page.text
        assert f"/inbox/{task}#task" in page.text


def test_a_mention_stands_in_the_inbox_until_it_is_seen(house: House) -> None:
    alice, bob = house.visitor("alice"), house.visitor("bob")
    case, _ = one_case(house, alice)
    page = comment(alice, case, "@Bob, please call her. mail@bob.example @alice")
    assert re.search(r'<b class="at" title="bob">@Bob</b>, please call her\. mail@bob\.example', page.text)
    number = re.search(r'id="comment-(\d+)"', page.text)
    assert number is not None
    inbox = bob.get("/inbox").text
    assert f'href="/cases/{case}#comment-{number[1]}"' in inbox
    assert "alice mentioned you" in inbox
    assert "Mentioned" not in alice.get("/inbox").text
    assert re.search(r'data-count="inbox">2<', inbox), "a task and a mention"
    bob.get(f"/cases/{case}", headers={"X-Usher-Poll": "1"})
    assert "mentioned you" in bob.get("/inbox").text, "a hidden window is not read"
    assert "mentions you" in bob.get(f"/cases/{case}").text
    assert "mentioned you" not in bob.get("/inbox").text
    assert "mentions you" in bob.get(f"/cases/{case}").text


def test_names_are_offered_of_those_who_may_see_the_case(house: House) -> None:
    alice = house.visitor("alice")
    house.accounts.add_user("bert", "a password for tests", role=house.accounts.user("bob").role, by="test")
    case, _ = one_case(house, alice)
    people = f"/cases/{case}/comments/people"
    assert alice.get(people).json == [{"name": "bert", "shown": "bert"}, {"name": "bob", "shown": "bob"}]
    assert [one["name"] for one in alice.get(f"{people}?q=BO").json] == ["bob"]
    assert alice.get(f"{people}?q=char").json == []


def test_its_author_corrects_and_withdraws_it_and_auditors_read_all(house: House) -> None:
    alice, bob, audrey = house.visitor("alice"), house.visitor("bob"), house.visitor("audrey")
    case, task = one_case(house, alice)
    page = comment(alice, case, "She has moofed.", task=task)
    number = int(re.findall(r'id="comment-(\d+)"', page.text)[0])
    here = f"/cases/{case}/comments/{number}"
    page = alice.post(f"{here}/correct", {"text": "She has moved.", "task": task})
    assert page.request.path == f"/inbox/{task}"
    assert "She has moved." in page.text
    assert "corrected" in page.text
    bob.get("/inbox")
    assert bob.post(f"{here}/correct", {"text": "No."}).status_code == 403
    assert alice.post(f"{here}/correct", {"text": " "}).status_code == 422
    replay = f"/cases/{case}/replay?step={number}"
    assert "moofed" not in bob.get(replay).text
    alice.get("/inbox")
    assert "This comment was withdrawn." in alice.post(f"{here}/withdraw").text
    for page in (f"/cases/{case}", f"/inbox/{task}", replay, f"/cases/{case}/replay.json?step=1"):
        assert "She has mo" not in bob.get(page).text, page
    told = audrey.get(f"/cases/{case}").text
    assert "She has moofed." in told
    assert "She has moved." in told
    assert "moofed" in audrey.get(replay).text
    assert alice.post(f"{here}/withdraw").status_code == 409
    assert house.enrollment.engine.verify(case) == []


def test_after_a_while_it_is_not_offered_any_more(house: House) -> None:
    alice = house.visitor("alice")
    case, _ = one_case(house, alice)
    assert "Correct or withdraw" in comment(alice, case, "Called.").text
    house.clock.forward(minutes=14)
    alice.get("/inbox")
    house.clock.forward(minutes=2)
    assert "Correct or withdraw" not in alice.get(f"/cases/{case}").text


def test_what_is_typed_is_kept_for_its_author(house: House) -> None:
    alice, bob = house.visitor("alice"), house.visitor("bob")
    case, task = one_case(house, alice)
    alice.get(f"/inbox/{task}")
    sent = {"X-CSRF-Token": alice.csrf}
    address = f"/cases/{case}/comments/draft"
    saved = alice.client.post(address, json={"values": {"text": "Half a sen"}}, headers=sent)
    assert saved.json["state"] == "open"
    assert alice.get(address).json["stamp"] == saved.json["stamp"]
    for page in (f"/inbox/{task}", f"/cases/{case}"):
        assert ">Half a sen</textarea>" in alice.get(page).text
        assert "Half a sen" not in bob.get(page).text
    assert alice.client.post(address, json={"values": [1]}, headers=sent).status_code == 422
    comment(alice, case, "Half a sentence.")
    assert "Half a sen</textarea>" not in alice.get(f"/inbox/{task}").text


def test_only_our_own_addresses_are_links(house: House) -> None:
    alice = house.visitor("alice")
    case, _ = one_case(house, alice)
    base = house.enrollment.settings.base_url
    text = f"See {base}/cases/{case}. Not https://evil.example/cases/{case} nor {base}/sign-out or javascript:alert(1)"
    page = comment(alice, case, text).text
    words = page[page.index('<p class="words"') :]
    words = words[: words.index("</p>")]
    assert re.findall(r'href="([^"]*)"', words) == [f"/cases/{case}"]


def test_a_comment_takes_nothing_from_an_open_form(house: House) -> None:
    alice, bob = house.visitor("alice"), house.visitor("bob")
    case, task = one_case(house, alice)
    revision = house.enrollment.engine.inbox.task(task).revision
    alice.get(f"/inbox/{task}")
    comment(bob, case, "She is on the phone.")
    form = {f"form.{key}": value for key, value in house.form_of(task).items()}
    answer = alice.post(f"/inbox/{task}/complete", {**form, "form.email": "no@example.org", "revision": str(revision)})
    assert "has changed this case" not in answer.text
    assert answer.status_code in (200, 422)


@pytest.mark.parametrize("days", [8])
def test_a_comment_after_the_end_is_not_the_end_of_the_story(house: House, days: int) -> None:
    alice = house.visitor("alice")
    case, _ = one_case(house, alice)
    alice.post(f"/cases/{case}/cancel", {"reason": "moved away"})
    house.clock.forward(minutes=int(timedelta(days=days).total_seconds() // 60))
    alice.sign_in("alice")
    page = comment(alice, case, "She came by.").text
    assert "She came by." in page
