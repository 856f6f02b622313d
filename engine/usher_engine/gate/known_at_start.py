"""What a case begins with: declared by the start form, else shown by the examples, else unknown."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from usher_engine.core.errors import InvalidDefinition
from usher_engine.definitions import Package
from usher_engine.expressions import Known, KnownData
from usher_engine.forms import deployed_form, form_shape

from .process_graph import Sheet


def first_data(sheet: Sheet) -> KnownData:
    """
    The first data of a case of the main process *sheet*.

    With a start form they are its fields, and nothing else. Without one they may hold anything; names with which an
    example begins are taken to be there.
    """
    declared = start_form_data(sheet)
    if declared is not None:
        return declared
    return KnownData({name: Known(first=True) for name in example_names(sheet.package)})


def start_form_data(sheet: Sheet) -> KnownData | None:
    """The data that the start form gives; None if there is none that can be read."""
    starts = [node for node in sheet.scopes[sheet.process.id] if node.kind == "startEvent" and not node.events]
    form = starts[0].properties.get("form", "") if len(starts) == 1 else ""
    if not form or form not in sheet.package.files:
        return None
    try:
        shape = form_shape(deployed_form(sheet.package.text(form)))
    except InvalidDefinition:
        return None
    return KnownData({name: Known(field) for name, field in shape["properties"].items()}, closed=True)


def example_names(package: Package) -> set[str]:
    """The names with which an example begins."""
    starts = (example.get("start") for example in examples(package).values())
    return {name for start in starts if isinstance(start, dict) for name in start}


def examples(package: Package) -> Mapping[str, dict[str, Any]]:
    """The examples that can be read, by file."""
    return dict(_examples(package))


def _examples(package: Package) -> Iterator[tuple[str, dict[str, Any]]]:
    for file, content in package.files.items():
        if file.startswith("examples/"):
            try:
                example = json.loads(content)
            except (ValueError, RecursionError):
                continue
            if isinstance(example, dict):
                yield file, example
