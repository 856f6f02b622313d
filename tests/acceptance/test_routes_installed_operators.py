"""Admin, Operators: what diagrams may call, from which package, and what could not be used."""

from __future__ import annotations

from dataclasses import replace

import pytest
from acceptance.conftest import House
from drawn_timers import drawn
from usher_engine import SYSTEM, Mode, Operator, Services
from usher_engine.gate import RecentChecks
from usher_engine.operator_use import Origin, Refused
from usher_engine.services import SEND
from usher_web.site import KEY

LAB = Origin(package="clinic-lab", version="1.2.0")


@pytest.fixture
def house(house: House, monkeypatch: pytest.MonkeyPatch) -> House:
    own = Operator(name="lab/x", title="Ask <the> lab", mode=Mode.EFFECT, call=lambda *_: None, origin=LAB)
    refused = Refused(origin=Origin(package="old-lab", version="0.1"), operator="lab/y", reason="Its <title> is wrong.")
    context = house.enrollment.engine.context
    monkeypatch.setattr(context, "services", Services((*context.services, own), refused=(refused,)))
    return house


def test_operators_are_listed_with_their_package_and_what_is_put_aside_with_its_reason(house: House) -> None:
    page = house.visitor("adam").get("/admin/operators").text
    assert page.index("lab/x") < page.index("http/request"), "what was installed comes first"
    assert "clinic-lab 1.2.0" in page
    assert "The operator “lab/y” of old-lab 0.1 is not in use: Its &lt;title&gt; is wrong." in page
    assert "Ask &lt;the&gt; lab" in page


def test_hosts_are_listed_with_the_names_of_their_secrets_and_nothing_of_their_places(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "Set USHER_HTTP_HOSTS to let diagrams call one." in house.visitor("adam").get("/admin/operators").text
    hosts, secrets = "https://lab.example.org, http://10.0.0.5:8080", "lab@https://lab.example.org=file:/run/secrets/x"
    changed = replace(house.enrollment.settings, http_hosts=hosts, http_secrets=secrets)
    monkeypatch.setitem(house.app.extensions, KEY, replace(house.app.extensions[KEY], settings=changed))
    page = house.visitor("adam").get("/admin/operators").text
    assert "with the secret lab" in page
    assert "http://10.0.0.5:8080" in page
    assert "without a secret" in page
    assert "/run/secrets" not in page


def test_a_case_is_read_replayed_and_proven_after_its_package_is_gone(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = house.enrollment.engine
    looked = Operator(name="lab/y", title="Look", mode=Mode.WRITE, call=lambda *_: {"state": "ready"}, origin=LAB)
    with_lab = Services((*(one for one in engine.services if one.name != SEND.name), looked))
    monkeypatch.setattr(engine.context, "services", with_lab)
    monkeypatch.setattr(engine.deployments, "_checks", RecentChecks(with_lab))
    engine.deploy(drawn("labels", LookUp="lab/y", Print="lab/x"), actor=SYSTEM)
    case = engine.start("labels", {}, actor=SYSTEM).id
    house.worker.run_due()
    assert engine.instance(case).outcome == "Over"
    without = Services(tuple(one for one in with_lab if one.origin is None and one.name != SEND.name))
    monkeypatch.setattr(engine.context, "services", without)
    audrey = house.visitor("audrey")
    for page in ("", "/replay", "/replay.json", "/proof"):
        shown = audrey.get(f"/cases/{case}{page}")
        assert shown.status_code == 200, page
    assert "LookUp was done (by clinic-lab 1.2.0)." in audrey.get(f"/cases/{case}").text
    assert engine.verify(case) == []


@pytest.mark.parametrize("name", ["alice", "ana", "audrey"])
def test_others_do_not_see_it(house: House, name: str) -> None:
    assert house.visitor(name).get("/admin/operators").status_code == 403


def test_the_editor_offers_them(house: House) -> None:
    shown = house.visitor("ana")
    shown.post("/processes/enrollment/draft")
    page = shown.get("/processes/enrollment/edit").text
    assert "lab/x" in page
    assert "http/request" in page
