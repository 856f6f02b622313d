"""The stream of events: who may listen and to what, for how long, and that it lets the server stop."""

from __future__ import annotations

import http.client
import json
import socket
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from browser.clinic import Clinic, open_clinic
from usher_engine import Actor
from usher_engine.accounts import Role
from usher_web.server import event_stream, http_server

PATIENCE_S = 60


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clinic]:
    with open_clinic(tmp_path_factory.mktemp("clinic")) as opened:
        opened.accounts.add_user("charlie", "another password", role=Role.STAFF, groups=["Billing"], by="test")
        yield opened


class Stream:
    """One browser that listens."""

    def __init__(self, clinic: Clinic, secret: str, cases: str = "", since: str = "") -> None:
        clinic.clock.forward(seconds=5)  # what came before is told only to those who ask
        self._connection = http.client.HTTPConnection(clinic.url.removeprefix("http://"), timeout=PATIENCE_S)
        self._connection.request("GET", f"/events?since={since}&cases={cases}", headers={"Cookie": f"usher={secret}"})
        self.answer = self._connection.getresponse()

    def next(self) -> tuple[str, dict[str, Any]]:
        """The next event and its data; `("", {})` at the end of the stream."""
        event = ""
        while line := self.answer.readline().decode().rstrip("\n") or self._more():
            if line.startswith("event: "):
                event = line.removeprefix("event: ")
            elif line.startswith("data: "):
                return event, json.loads(line.removeprefix("data: "))
        return "", {}

    def _more(self) -> str:
        """A blank line ends an event; None at all ends the stream."""
        return "" if self.answer.isclosed() else " "

    def close(self) -> None:
        self._connection.close()


@contextmanager
def listening(clinic: Clinic, name: str, *cases: str, since: str = "") -> Iterator[Stream]:
    secret = clinic.accounts.begin_session(name).secret
    with closing(Stream(clinic, secret, ",".join(cases), since)) as stream:
        assert stream.answer.status == 200
        assert stream.next() == ("hello", {})
        yield stream


def opened(clinic: Clinic) -> tuple[str, str]:
    """A new case with an open task, as (case, task)."""
    case = clinic.trigger(clinic.add(email=None))
    return case.id, case.tasks[0].id


def staff(name: str) -> Actor:
    return Actor(name=name, role="staff", groups=frozenset({"Front desk"}))


def test_a_window_gets_the_rows_of_what_it_shows(clinic: Clinic) -> None:
    case, task = opened(clinic)
    with listening(clinic, "bob", case) as stream:
        clinic.enrollment.engine.cases.claim(task, actor=staff("alice"))
        event, data = stream.next()
        assert event == "cases"
        changed = data["cases"][case]
        assert "alice" in changed["rows"][task] and '<tr class="taken"' in changed["rows"][task]
        assert changed["owners"] == {task: "alice"} and changed["last"] == "alice claimed Update Now."
        assert data["counts"]["all"] >= 1
        clinic.enrollment.engine.cases.cancel_task(task, "Wrong patient.", actor=staff("alice"))
        _, data = stream.next()
        assert data["cases"][case]["rows"] == {}


def test_a_new_task_is_told_by_its_number_alone(clinic: Clinic) -> None:
    with listening(clinic, "alice") as stream:
        _, task = opened(clinic)
        _, data = stream.next()
        assert data["fresh"] == [task] and data["cases"] == {}
        assert "Vera" not in json.dumps(data)


def test_who_may_not_see_a_case_hears_nothing_of_it(clinic: Clinic) -> None:
    case, task = opened(clinic)
    with listening(clinic, "charlie", case) as stranger, listening(clinic, "alice", case) as alice:
        clinic.enrollment.engine.cases.claim(task, actor=staff("alice"))
        assert alice.next()[1]["cases"].keys() == {case}
        stranger._connection.sock.settimeout(1)
        with pytest.raises(TimeoutError):
            stranger.next()


def test_what_has_changed_since_the_page_was_made_comes_at_once(clinic: Clinic) -> None:
    case, task = opened(clinic)
    clinic.enrollment.engine.cases.claim(task, actor=staff("bob"))
    with listening(clinic, "alice", f"{case}:1") as stream:
        assert "bob" in stream.next()[1]["cases"][case]["rows"][task]


def test_a_task_that_came_between_the_page_and_its_stream_is_told(clinic: Clinic) -> None:
    clinic.clock.forward(seconds=5)
    made = int(clinic.clock().timestamp())
    with listening(clinic, "bob") as other:
        _, task = opened(clinic)
        assert other.next()[1]["fresh"] == [task]
        with listening(clinic, "alice", since=str(made)) as stream:
            assert stream.next()[1]["fresh"] == [task]


def test_what_changes_while_a_stream_is_admitted_is_told(clinic: Clinic, monkeypatch: pytest.MonkeyPatch) -> None:
    case, task = opened(clinic)
    admit = event_stream.EventStream._ask
    with listening(clinic, "bob", case) as other:

        def admit_slowly(self: event_stream.EventStream, scope: Any) -> Any:
            window = admit(self, scope)
            clinic.enrollment.engine.cases.claim(task, actor=staff("bob"))
            assert case in other.next()[1]["cases"], "the others have been told"
            return window

        monkeypatch.setattr(event_stream.EventStream, "_ask", admit_slowly)
        with listening(clinic, "alice", f"{case}:1") as stream:
            assert "bob" in stream.next()[1]["cases"][case]["rows"][task]


@pytest.mark.parametrize("since", ["", "yesterday", "99999999999", "-1", "1e9", "٣٣٣٣٣٣٣٣٣٣"])
def test_a_moment_that_is_none_is_now(clinic: Clinic, since: str) -> None:
    with listening(clinic, "alice", since=quote(since)) as stream:
        _, task = opened(clinic)
        assert stream.next()[1]["fresh"] == [task]


def test_the_end_of_a_session_ends_its_stream(clinic: Clinic, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_stream, "HEARTBEAT_S", 0.3)
    secret = clinic.accounts.begin_session("alice").secret
    seen = clinic.accounts.session(secret, touch=False)
    with closing(Stream(clinic, secret)) as stream:
        assert stream.next() == ("hello", {})
        clinic.clock.forward(minutes=2)
        time.sleep(1)
        now = clinic.accounts.session(secret, touch=False)
        assert seen and now and now.seen_at == seen.seen_at, "listening counted as activity"
        clinic.accounts.end_session(secret)
        assert stream.next() == ("over", {})
        assert stream.next() == ("", {})


def test_who_is_not_signed_in_gets_no_stream(clinic: Clinic) -> None:
    with closing(Stream(clinic, "nobody")) as stream:
        assert stream.answer.status == 303
        assert "/sign-in" in stream.answer.headers["Location"]


def test_a_browser_has_a_few_streams_and_no_more(clinic: Clinic) -> None:
    secret = clinic.accounts.begin_session("alice").secret
    held = [Stream(clinic, secret) for _ in range(event_stream.MOST_OF_SESSION)]
    assert {stream.next()[0] for stream in held} == {"hello"}
    with closing(Stream(clinic, secret)) as one_more:
        assert one_more.answer.status == 503
    for stream in held:
        stream.close()


def test_open_streams_do_not_keep_the_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_server, "GRACE_S", 600)
    with open_clinic(tmp_path) as clinic, listening(clinic, "alice"):
        begin = time.monotonic()
    assert time.monotonic() - begin < PATIENCE_S
    with pytest.raises(OSError), socket.create_connection(("127.0.0.1", int(clinic.url.rpartition(":")[2])), 1):
        pass
