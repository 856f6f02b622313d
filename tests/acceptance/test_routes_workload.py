"""The workload over HTTP: for leads and administrators alone, its numbers are those of the lists they lead to."""

from __future__ import annotations

import html
import re

from acceptance.conftest import House
from usher_engine.accounts import Role


def lead(house: House) -> None:
    house.accounts.add_user("lena", "a password for tests", role=Role.STAFF, groups=["Front desk", "Leads"], by="test")


def test_numbers_lead_to_lists_of_as_many_tasks(house: House) -> None:
    lead(house)
    bob = house.visitor("bob")
    for patient in ("sample-pending", "sample-declined", "sample-no-email", "sample-deferred"):
        house.select(patient, bob)
        task = house.newest_task()
    bob.post(f"/inbox/{task}/claim")
    house.clock.forward(days=3)
    lena = house.visitor("lena")
    page = lena.get("/workload").text
    assert 'href="/workload"' in lena.get("/inbox").text
    links = re.findall(r'<a href="(/inbox[^"]*)" aria-label="(\d+) ([^"]+)"', page)
    assert {words for _, _, words in links} >= {"open, Front desk", "open, bob", "with nobody, Front desk"}
    for link, number, words in links:
        listed = lena.get(html.unescape(link)).text
        matching = re.search(r'data-matching>\s*<b class="num">(\d+)</b>', listed)
        assert matching is not None and matching.group(1) == number, words
    for patient in ("sample-pending", "sample-declined"):
        name = house.enrollment.patient(patient).fields(house.clock(), house.enrollment.settings)["last_name"]
        assert name not in page


def test_it_is_for_leads_and_administrators(house: House) -> None:
    house.select("sample-pending")
    assert house.visitor("alice").get("/workload").status_code == 404
    assert 'href="/workload"' not in house.visitor("alice").get("/inbox").text
    for who in ("ana", "audrey"):
        assert house.visitor(who).get("/workload").status_code == 403
    page = house.visitor("adam").get("/workload")
    assert page.status_code == 200
    assert "Front desk" in page.text
    assert 'href="/inbox' not in page.text
