"""Some changes since a state are undone, drawing included; the others stay."""

from __future__ import annotations

import pytest
from changed_package import CHANGES, FIRST
from usher_engine import InvalidSubmission
from usher_engine.authoring.partial_restore import with_changes_undone
from usher_engine.bpmn import compile_diagram
from usher_engine.definitions import Package
from usher_engine.differences import change_units, compare


def left(before: Package, after: Package) -> list[str]:
    return [f"{one.kind} {one.key}" for one in compare(before, after).changes if one.kind != "moved"]


@pytest.mark.parametrize("kind", CHANGES)
def test_all_changes_undone_are_the_state(kind: str) -> None:
    titles = [unit.title for unit in change_units(FIRST, CHANGES[kind])]
    back = with_changes_undone(FIRST, CHANGES[kind], titles)
    assert left(FIRST, back) == []
    assert compile_diagram(back).flows == compile_diagram(FIRST).flows
    for file in FIRST.diagrams():  # the file says the same, lists that follow from flows and the drawing included
        for part in (b"incoming", b"outgoing", b"flowNodeRef", b"BPMNShape", b"BPMNEdge"):
            assert back.files[file].count(part) == FIRST.files[file].count(part), part


@pytest.mark.parametrize("kind", CHANGES)
def test_one_change_undone_leaves_the_others(kind: str) -> None:
    units = change_units(FIRST, CHANGES[kind])
    for unit in units:
        back = with_changes_undone(FIRST, CHANGES[kind], [unit.title])
        assert [one.title for one in change_units(FIRST, back)] == [one.title for one in units if one is not unit]


def test_nothing_chosen_and_what_is_gone_are_refused() -> None:
    for titles in ([], ["Something else"]):
        with pytest.raises(InvalidSubmission):
            with_changes_undone(FIRST, next(iter(CHANGES.values())), titles)
