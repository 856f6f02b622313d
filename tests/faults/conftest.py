"""Where the fault tests happen: a post office, and the enrolment deployed on a database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from conftest import SECRET
from usher_engine import Settings
from usher_engine.enrollment import Enrollment

from .postoffice import PostOffice
from .story import Place, settle


@pytest.fixture
def office() -> Iterator[PostOffice]:
    opened = PostOffice()
    opened.open()
    yield opened
    opened.close()


@pytest.fixture
def make_place(database_url: str, office: PostOffice) -> Callable[..., Place]:
    """Prepare the story on an unused database."""

    def make(patients: int = 1, **chosen: Any) -> Place:
        settings = Settings(
            mail_hold=0,
            env="development",
            secret_key=SECRET,
            database_url=database_url,
            mail_from="portal@clinic.example.org",
            smtp_security="none",
            **{"smtp_port": office.port, **chosen},
        )
        place = Place(settings=settings)
        settle(place, patients)
        return place

    return make


@pytest.fixture
def place(make_place: Callable[..., Place]) -> Place:
    return make_place()


@pytest.fixture
def enter() -> Iterator[Callable[..., Enrollment]]:
    """Take part in a place from this process; the connection is closed when the test is over."""
    with ExitStack() as closing:

        def opened(place: Place, **options: Any) -> Enrollment:
            enrollment = place.open(**options)
            closing.callback(enrollment.engine.database.close)
            return enrollment

        yield opened
