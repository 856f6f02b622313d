"""Data files shipped with the code in a wheel or a checkout: the process packages and the built assets."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from flask import url_for
from usher_engine import Misconfigured

HERE = Path(__file__).resolve().parent


def bundled_package(name: str = "enrollment") -> Path:
    """The folder of the process package *name*; raises `Misconfigured` if the installation is incomplete."""
    for folder in (HERE / "processes" / name, HERE.parents[1] / "processes" / name):
        if folder.is_dir():
            return folder
    raise Misconfigured(f"The process package “{name}” is missing from this installation. Install usher-flow again.")


def asset(name: str) -> str:
    """The address of a built file; it changes with every build, so no browser reuses an old file."""
    return url_for("static", filename=f"dist/{name}", v=_build())


@cache
def asset_text(name: str) -> str:
    """The text of a built file, to embed in a page; raises `Misconfigured` if the installation is incomplete."""
    file = HERE / "static/dist" / name
    if not file.is_file():
        raise Misconfigured(f"The built file {name} is missing from this installation. Install usher-flow again.")
    return file.read_text(encoding="utf-8")


@cache
def _build() -> str:
    stamp = HERE / "static/dist/stamp"
    return stamp.read_text()[:12] if stamp.is_file() else "none"
