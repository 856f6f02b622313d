"""A content the gate has just checked is not checked again; another content, or an old one, is."""

from usher_engine.definitions import Package
from usher_engine.gate import RecentChecks, check_draft
from usher_engine.gate.recent_checks import MOST_KEPT
from usher_engine.services import Services


def package(name: str) -> Package:
    return Package({"p.bpmn": f"<{name}/>".encode()})


def test_the_same_content_has_the_verdict_it_had():
    checks = RecentChecks(Services())
    first = checks.check(package("a"))
    assert checks.check(package("a")) is first
    assert first == check_draft(package("a"), Services())
    assert checks.check(package("b")) is not first


def test_only_the_last_ones_are_kept_and_asking_again_counts():
    checks = RecentChecks(Services())
    first = checks.check(package("a"))
    for number in range(MOST_KEPT):
        checks.check(package(f"b{number}"))
        again = checks.check(package("a"))
    assert again is first
    for number in range(MOST_KEPT):
        checks.check(package(f"c{number}"))
    assert checks.check(package("a")) is not first
