"""The build hook: fresh means nothing to do, and Node is asked for only where there is none."""

import os
import sys
from pathlib import Path

import pytest

import hatch_build


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    ui = tmp_path / "web/ui"
    (ui / "src").mkdir(parents=True)
    for name in hatch_build.INPUTS:
        (ui / name).write_text(name)
    (ui / "src/main.js").write_text("1")
    hatch_build.dist_folder(tmp_path).mkdir(parents=True)
    (hatch_build.dist_folder(tmp_path) / "stamp").write_text(hatch_build.digest(hatch_build.sources(ui)))
    return tmp_path


def hook(root: Path) -> hatch_build.CustomBuildHook:
    return hatch_build.CustomBuildHook(str(root), {}, None, None, str(root), "wheel")


def node_saying(version: str, folder: Path) -> None:
    for name in ("node", "npm"):
        tool = folder / name
        tool.write_text(f"#!/bin/sh\necho {version}\n")
        tool.chmod(0o755)


def test_a_changed_source_makes_the_assets_stale(checkout: Path) -> None:
    assert hatch_build.is_fresh(checkout)
    (checkout / "web/ui/src/main.js").write_text("2")
    assert not hatch_build.is_fresh(checkout)


def test_fresh_assets_need_no_node(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(checkout))
    assert hook(checkout).dependencies() == []
    hatch_build.build(checkout)


@pytest.mark.parametrize(("version", "wanted"), [("v20.1.0", []), ("v16.20.2", [hatch_build.NODE_WHEEL])])
def test_an_old_node_is_passed_over(
    checkout: Path, monkeypatch: pytest.MonkeyPatch, version: str, wanted: list[str]
) -> None:
    (checkout / "web/ui/src/main.js").write_text("2")
    node_saying(version, checkout)
    monkeypatch.setenv("PATH", f"{checkout}{os.pathsep}/bin")
    monkeypatch.setattr(hatch_build.shutil, "which", lambda name: str(checkout / name))
    assert hook(checkout).dependencies() == wanted


@pytest.mark.parametrize(
    ("target", "version", "carried"),
    [("wheel", "standard", len(hatch_build.PROCESSES)), ("wheel", "editable", 0)],
)
def test_a_wheel_carries_the_processes_and_a_checkout_reads_them_in_place(
    checkout: Path, target: str, version: str, carried: int
) -> None:
    build_data: dict = {"force_include": {}}
    hatch_build.CustomBuildHook(str(checkout), {}, None, None, str(checkout), target).initialize(version, build_data)
    assert len(build_data["force_include"]) == carried


def test_a_failing_tool_is_named(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="npm ci ended with 3"):
        hatch_build.run([sys.executable, "-c", "raise SystemExit(3)", "ci"], tmp_path)
