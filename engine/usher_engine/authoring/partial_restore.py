"""A state of a draft brought back in part: some of the changes made since are undone, the others stay."""

from __future__ import annotations

from collections.abc import Collection

from ..core.errors import InvalidSubmission
from ..definitions import CannotMerge, Package, take_elements
from ..differences import ChangeUnit, change_units, without


def with_changes_undone(kept: Package, present: Package, titles: Collection[str]) -> Package:
    """
    *present* with those changes since *kept* undone that *titles* name, as `change_units` calls them.

    Raises:
        InvalidSubmission: No change was chosen, one that is not there, or one that others depend on.
    """
    units = [unit for unit in change_units(kept, present) if unit.title in titles]
    if not titles or len(units) != len(set(titles)):
        reason = "One of the changes is not there any more." if titles else "Choose at least one change."
        raise InvalidSubmission(reason, fields={"path": reason})
    drawn = [unit for unit in units if unit.is_drawn]
    for file in dict.fromkeys(unit.file for unit in drawn):
        present = _in_diagram(kept, present, [unit for unit in drawn if unit.file == file], file)
    for unit in units:
        if not unit.is_drawn:
            present = without(kept, present, unit)
    return present


def _in_diagram(kept: Package, present: Package, units: list[ChangeUnit], file: str) -> Package:
    elements = {key for unit in units for key in unit.elements}
    try:
        content = take_elements(present.files[file], kept.files[file], elements, file)
    except CannotMerge as error:
        reason = "Other changes depend on it. Choose them too, or take the whole file."
        raise InvalidSubmission(reason, fields={"path": reason}) from error
    return Package({**present.files, file: content})
