"""Stopping e-mail: by the page behind the link in a mail, or in one request of a mail program (RFC 8058)."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

ONE_CLICK = {"List-Unsubscribe": "One-Click"}


@pytest.fixture
def way(house):
    """The path in the header of an invitation."""
    house.select("sample-complete")
    house.worker.run_due()
    address = house.postbox.mails[-1]["List-Unsubscribe"].strip("<>")
    return urlsplit(address).path


def guard(house):
    return house.enrollment.patient("sample-complete").guard(house.clock(), house.enrollment.settings)


def test_one_request_without_session_and_page_stops_e_mail(house, way):
    answer = house.visitor().client.post(way, data=ONE_CLICK)
    assert (answer.status_code, answer.mimetype) == (200, "text/plain")
    assert "no more e-mail" in answer.text.lower()
    assert "opt-out list" in guard(house)
    assert house.visitor().client.post(way, data=ONE_CLICK).status_code == 200, "again, as mail programs do"


def test_following_the_link_stops_nothing(house, way):
    """Mail scanners follow every link."""
    page = house.visitor().get(way)
    assert "Stop e-mail" in page.text
    house.visitor().client.head(way)
    assert guard(house) is None


def test_the_case_says_that_the_patient_asked(house, way):
    house.visitor().client.post(way, data=ONE_CLICK)
    queries = house.enrollment.engine.queries
    (case,) = queries.instances()
    names = [event.get("name") for step in queries.history(case.id) for event in step.events]
    assert "Email Opt Out Added" in names


@pytest.mark.parametrize("token", ["x", "x" * 43, "é"])
def test_a_token_nobody_was_given_stops_nothing(house, way, token):
    answer = house.visitor().client.post(f"/i/{token}/opt-out", data=ONE_CLICK)
    assert answer.status_code == 404
    assert guard(house) is None


def test_another_site_cannot_stop_it_with_a_browser(house, way):
    answer = house.visitor().client.post(way, data=ONE_CLICK, headers={"Origin": "https://evil.example"})
    assert answer.status_code == 403
    assert guard(house) is None
