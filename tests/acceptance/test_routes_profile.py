"""A person's own profile: the name colleagues see, the address that a mail confirms, and what both are used for."""

from __future__ import annotations

import pytest
from acceptance.conftest import House
from usher_engine.accounts import Account, StaffProfiles

MAIL = "mail/invitation.en.md"
TEXT = "---\nsubject: Hi\n---\n\nHello {{ first_name }}, [Open]({{ link }}){.button}"
SEND = "/processes/enrollment/mail/send-to-me"


def profiles(house: House) -> StaffProfiles:
    return StaffProfiles(house.accounts.database, house.accounts.clock)


def confirmed(house: House, name: str) -> None:
    visitor = house.visitor(name)
    visitor.get("/profile")
    visitor.post("/profile/email", {"email": f"{name}@clinic.example.org"})
    link = house.postbox.confirmation
    visitor.get(link)
    visitor.post(link)


def kinds(house: House) -> list[tuple[str, str, str]]:
    found = house.enrollment.engine.audit.events(limit=4)
    return [(event.actor, event.kind, str(event.details.get("setting", ""))) for event in found]


def test_a_mail_confirms_an_address(house: House) -> None:
    alice = house.visitor("alice")
    assert "You have given no address" in alice.get("/profile").text
    asked = alice.post("/profile/email", {"email": " alice@Clinic.example.org "})
    assert "on its way to alice@clinic.example.org" in asked.text
    assert "waits for the link in the mail" in asked.text
    (mail,) = house.postbox.mails
    assert (mail["To"], mail["Auto-Submitted"]) == ("alice@clinic.example.org", "auto-generated")
    link = house.postbox.confirmation
    page = alice.get(link)
    assert "Confirm the address" in page.text
    assert profiles(house).address("alice").address == "", "opening a link confirms nothing"
    done = alice.post(link)
    assert "Usher writes to alice@clinic.example.org from now on." in done.text and "confirmed" in done.text
    assert alice.get(link).status_code == 404
    assert ("alice", "SettingChanged", "e-mail address confirmed") in kinds(house)
    assert "Usher writes to you no more." in alice.post("/profile/email/remove").text
    assert "There is no address to remove." in alice.post("/profile/email/remove").text


def test_the_link_is_for_the_account_that_asked(house: House) -> None:
    alice, bob = house.visitor("alice"), house.visitor("bob")
    alice.get("/profile")
    alice.post("/profile/email", {"email": "alice@clinic.example.org"})
    link = house.postbox.confirmation
    assert bob.get(link).status_code == 404 and bob.post(link).status_code == 404
    stranger = house.visitor().client.get(link)
    assert stranger.status_code == 303 and "next=" in stranger.location
    house.clock.forward(days=3)
    late = house.visitor("alice").get(link)
    assert late.status_code == 404 and "Ask for a new mail" in late.text


@pytest.mark.parametrize(
    ("path", "sent", "words"),
    [
        ("/profile/email", {"email": "nobody"}, "This is not an e-mail address"),
        ("/profile/email", {}, "This is not an e-mail address"),
        ("/profile/name", {"display_name": "bob"}, "Another person is called"),
        ("/profile/name", {"display_name": "x" * 81}, "at most 80 characters"),
    ],
)
def test_what_cannot_be_is_refused_and_stays_typed(house: House, path: str, sent: dict[str, str], words: str) -> None:
    alice = house.visitor("alice")
    alice.get("/profile")
    page = alice.post(path, sent)
    assert page.status_code == 422 and words in page.text
    assert all(f'value="{typed}"' in page.text for typed in sent.values())
    assert house.postbox.mails == []


def test_confirmation_mails_are_bounded(house: House) -> None:
    alice = house.visitor("alice")
    alice.get("/profile")
    answers = [alice.post("/profile/email", {"email": f"a{number}@example.org"}) for number in range(6)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429]
    assert len(house.postbox.mails) == 5


def test_a_mail_server_that_is_away_is_said(house: House) -> None:
    alice = house.visitor("alice")
    alice.get("/profile")
    house.postbox.down = True
    page = alice.post("/profile/email", {"email": "alice@clinic.example.org"})
    assert 'role="alert"' in page.text and "did not go out. The mail server does not answer." in page.text


def test_colleagues_see_the_display_name_and_the_replay_both(house: House) -> None:
    adam = house.visitor("adam")
    adam.get("/admin/people/alice")
    named = adam.post("/admin/people/alice/name", {"display_name": "Alice <Adams>"})
    assert "Colleagues see alice as Alice &lt;Adams&gt;." in named.text
    assert ("adam", "SettingChanged", "display name") in kinds(house)
    house.select("sample-pending")
    task, alice, bob = house.newest_task(), house.visitor("alice"), house.visitor("bob")
    alice.get("/inbox")
    alice.post(f"/inbox/{task}/claim")
    assert "Alice &lt;Adams&gt;" in bob.get("/inbox").text
    page = bob.get(f"/inbox/{task}").text
    assert "claimed by Alice &lt;Adams&gt;" in page and "Alice &lt;Adams&gt; claimed Resend Invitation" in page
    case = task.split(":")[0]
    assert "Alice &lt;Adams&gt;" in bob.get(f"/cases/{case}").text
    assert "Alice &lt;Adams&gt; (alice)" in house.visitor("audrey").get(f"/cases/{case}/replay").text
    refused = adam.post("/admin/people/alice/name", {"display_name": "bob"})
    assert refused.status_code == 422 and "Another person is called" in refused.text
    assert adam.post("/admin/people/nobody/name", {"display_name": "No Body"}).status_code == 404


def test_a_sample_goes_to_oneself_only(house: House) -> None:
    ana = house.visitor("ana")
    ana.post("/processes/enrollment/draft")
    page = ana.post(SEND, {"path": MAIL, "text": TEXT})
    assert page.request.path == "/profile" and "confirm an e-mail address on your profile first" in page.text
    confirmed(house, "ana")
    house.postbox.mails.clear()
    page = ana.post(SEND, {"path": MAIL, "text": TEXT, "to": "other@example.org"})
    assert f"A sample of {MAIL} is on its way to ana@clinic.example.org." in page.text
    (mail,) = house.postbox.mails
    assert (mail["To"], mail["Subject"]) == ("ana@clinic.example.org", "[Sample] Hi")
    body = mail.get_body(("plain",))
    assert body is not None and "Hello Sam" in body.get_content()
    assert kinds(house)[0][:2] == ("ana", "SampleMailSent")
    for sent, words in (
        ({"path": MAIL, "text": "no subject"}, "The sample did not go out."),
        ({"path": MAIL, "text": TEXT.replace("first_name", "oops")}, "Line 5: "),
    ):
        failed = ana.post(SEND, sent).text
        assert 'role="alert"' in failed and words in failed
    assert ana.post(SEND, {"path": "mail/none.en.md", "text": TEXT}).status_code == 404
    assert len(house.postbox.mails) == 1
    assert house.visitor("alice").post(SEND, {"path": MAIL, "text": TEXT}).status_code == 403


def test_an_account_shows_its_own_name(house: House) -> None:
    alice = house.visitor("alice")
    alice.get("/profile")
    page = alice.post("/profile/name", {"display_name": "Alice Adams"})
    assert "Colleagues see you as Alice Adams." in page.text
    assert '<span class="who-name">Alice Adams</span>' in page.text
    account: Account = house.accounts.user("alice")
    assert account.display_name == "Alice Adams"
    assert "Colleagues see you as alice." in alice.post("/profile/name", {"display_name": " "}).text
