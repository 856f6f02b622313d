"""kill -9 wherever the mails of the morning are sent: each goes out, and only one that left unnoted goes out again."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from email.message import EmailMessage
from multiprocessing.connection import Connection

from usher_engine import Actor
from usher_engine.accounts import Accounts, Role, StaffProfiles
from usher_engine.accounts.passwords import Passwords
from usher_engine.enrollment import Enrollment, smtp_sender

from .children import KILLED, Child, Doom
from .postoffice import PostOffice
from .story import Place, bury, trigger


def doomed_morning(mouth: Connection, place: Place, at: int) -> None:
    """In a process of its own: send what is due and die at fault point number *at*."""
    doom = Doom(at, mouth)
    over_smtp = smtp_sender(place.settings)

    def send(message: EmailMessage) -> None:
        doom.point("before SMTP")
        over_smtp(message)
        doom.point("after SMTP")

    enrollment = place.open(send_mail=send)
    doom.watch(enrollment.engine.database)
    enrollment.digests.send_due()


def wants_it(enrollment: Enrollment, name: str) -> str:
    """A person of the front desk who asked for the mail; their address."""
    engine, address = enrollment.engine, f"{name}@clinic.example.org"
    accounts = Accounts(engine.database, engine.clock, passwords=Passwords())
    accounts.add_user(name, "a password for tests", role=Role.STAFF, groups=("Front desk",), by="test")
    person = Actor(name=name, role="staff")
    StaffProfiles(engine.database, engine.clock).take_over_address(name, address, actor=person)
    enrollment.digests.choices.turn_on(name, actor=person)
    return address


def test_the_sender_of_the_morning_is_killed_at_any_point(
    make_place: Callable[..., Place], office: PostOffice, enter: Callable[..., Enrollment]
) -> None:
    place = make_place()
    early, late = enter(place), enter(place.later())
    trigger(early, 0)
    deaths: list[str] = []
    for number in itertools.count():
        address = wants_it(early, f"person{number}")
        code, heard = Child(doomed_morning, place, number + 1).ended()
        deaths += heard
        bury(late.engine.database)
        late.digests.send_due()
        mails = office.to(address)
        unnoted = "after SMTP" in deaths and bool(heard) and deaths.count("after COMMIT") < 2
        assert len(mails) == (2 if unnoted else 1), (heard, len(mails))
        assert len({mail["Message-ID"] for mail in mails}) == 1
        assert late.digests.send_due() == 0
        if not heard:
            break
        assert code == KILLED
    assert code == 0, "the process that was not to be killed failed"
    wanted = {"before BEGIN", "UPDATE mail_digest", "before COMMIT", "after COMMIT", "before SMTP", "after SMTP"}
    assert set(deaths) >= wanted
