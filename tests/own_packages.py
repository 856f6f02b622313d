"""Python packages with operators, laid out on disk as an installation leaves them."""

from __future__ import annotations

import sys
from importlib.metadata import EntryPoint, distributions
from pathlib import Path

from usher_engine.own_operators import GROUP

HEAD = """
from usher_engine import Mode, Operator, Parameter, Wording
from usher_engine.core.shapes import boolean, record, text

"""


def lay_out(
    folder: Path, package: str, operators: str, *, version: str = "1.2.0", head: str = HEAD, group: str = GROUP
) -> list[EntryPoint]:
    """
    Write the package into *folder*, in place of an earlier version; return its entry points.

    *operators* is the body of the function that gives them.
    """
    module = package.replace("-", "_")
    sys.modules.pop(module, None)
    body = "\n".join(f"    {line}" for line in operators.splitlines())
    (folder / f"{module}.py").write_text(f"{head}\ndef operators():\n{body}\n")
    for before in folder.glob(f"{module}-*.dist-info"):
        for file in before.iterdir():
            file.unlink()
        before.rmdir()
    info = folder / f"{module}-{version}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: {version}\n")
    (info / "entry_points.txt").write_text(f"[{group}]\n{module} = {module}:operators\n")
    return points(folder)


def points(folder: Path) -> list[EntryPoint]:
    """The entry points of every package in *folder*."""
    return [
        point for found in distributions(path=[str(folder)]) for point in found.entry_points if point.group == GROUP
    ]
