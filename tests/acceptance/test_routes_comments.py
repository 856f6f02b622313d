"""Comments over HTTP: on the task, the case and the replay; mentions in the inbox; nothing for whom it is not."""

from __future__ import annotations

import io
import re
from datetime import timedelta
from typing import Any

import pytest
from acceptance.conftest import House, Visitor
from werkzeug.datastructures import FileStorage, MultiDict
from werkzeug.test import stream_encode_multipart


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


PDF = b"%PDF-1.7 a letter"


def attach(visitor: Visitor, case: str, text: str, *files: tuple[bytes, str], **more: Any) -> Any:
    visitor.get(f"/cases/{case}")
    # Encoded here: the test client leaves the temporary file of a large body open.
    sent = MultiDict({"csrf_token": visitor.csrf, "text": text, **more})
    for content, name in files:
        sent.add("file", FileStorage(io.BytesIO(content), name))
    stream, _, boundary = stream_encode_multipart(sent, use_tempfile=False)
    kind, body = f'multipart/form-data; boundary="{boundary}"', stream.read()
    page = visitor.client.post(f"/cases/{case}/comments", data=body, content_type=kind, follow_redirects=True)
    return visitor._seen(page)


def test_an_attached_file_is_saved_and_never_shown(house: House) -> None:
    alice, audrey = house.visitor("alice"), house.visitor("audrey")
    case, task = one_case(house, alice)
    page = attach(alice, case, "Her letter.", (PDF, "..\\Zoë <b>.PDF"), task=task)
    assert page.request.path == f"/inbox/{task}"
    (address,) = re.findall(rf'href="(/cases/{case}/files/[0-9a-f]{{64}})"', page.text)
    assert "Zoë _b_.pdf" in page.text
    for visitor in (alice, audrey):
        answer = visitor.get(address)
        assert answer.data == PDF
        assert answer.mimetype == "application/pdf"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Content-Disposition"].startswith("attachment;")
        assert "filename*=UTF-8''Zo%C3%AB%20_b_.pdf" in answer.headers["Content-Disposition"]
        assert answer.headers["Content-Security-Policy"].endswith("sandbox")
        assert answer.headers["Cache-Control"] == "private, no-store"
    seen = house.enrollment.engine.audit.events(kind="FileViewed", limit=9)
    assert [(one.actor, one.subject, one.business_key) for one in seen] == [
        (who, case, "sample-no-email") for who in ("audrey", "alice")
    ]
    assert house.visitor("charlie").get(address).status_code == 404
    other, _ = one_case(house, alice)
    assert other != case or alice.get(address).status_code == 200
    assert "Attached: Zoë _b_.pdf" in audrey.get(f"/cases/{case}/replay").text
    assert house.enrollment.engine.verify(case) == []


def test_a_bad_file_takes_nothing_from_what_was_typed(house: House) -> None:
    alice = house.visitor("alice")
    case, task = one_case(house, alice)
    megabyte = 1024 * 1024
    for content, why in (
        (b"MZ\x00", "is no PDF, PNG, JPEG or plain text"),
        (b"", "is empty"),
        (b"a" * (5 * megabyte + 1), "may have 5 MB together"),
        (b"a" * (10 * megabyte), "may have 5 MB together"),
    ):
        page = attach(alice, case, "A long story.", (content, "letter.pdf"), task=task)
        assert page.status_code == 422
        assert why in page.text
        assert ">A long story.</textarea>" in page.text
    assert comment(alice, case, "x" * (12 * megabyte)).status_code == 413
    alice.get(f"/cases/{case}")
    assert alice.post(f"/cases/{case}/cancel", {"reason": "x" * (3 * megabyte)}).status_code == 413


def test_a_file_of_a_withdrawn_comment_is_gone_for_staff(house: House) -> None:
    alice, audrey = house.visitor("alice"), house.visitor("audrey")
    case, _ = one_case(house, alice)
    page = attach(alice, case, "", (b"words", "a.txt"))
    (address,) = re.findall(rf'href="(/cases/{case}/files/[0-9a-f]{{64}})"', page.text)
    number = re.findall(r'id="comment-(\d+)"', page.text)[0]
    gone = alice.post(f"/cases/{case}/comments/{number}/withdraw").text
    assert address not in gone
    assert alice.get(address).status_code == 404
    assert address in audrey.get(f"/cases/{case}").text
    assert audrey.get(address).data == b"words"
