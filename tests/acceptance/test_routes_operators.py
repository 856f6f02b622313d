"""Admin, Operators: what diagrams may call, from which package, and what could not be used."""

from __future__ import annotations

from dataclasses import replace

import pytest
from acceptance.conftest import House
from usher_engine import Mode, Operator, Services
from usher_engine.operator_use import Origin, Refused
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


@pytest.mark.parametrize("name", ["alice", "ana", "audrey"])
def test_others_do_not_see_it(house: House, name: str) -> None:
    assert house.visitor(name).get("/admin/operators").status_code == 403


def test_the_editor_offers_them(house: House) -> None:
    shown = house.visitor("ana")
    shown.post("/processes/enrollment/draft")
    page = shown.get("/processes/enrollment/edit").text
    assert "lab/x" in page
    assert "http/request" in page
