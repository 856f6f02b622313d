"""How long `usher serve` takes until it answers, and how much memory it then holds."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from usher_web.bench import Figure

PATIENCE_S = 60
TRIES = 3


def startup() -> Iterator[Figure]:
    """Start the server on a fresh database a few times and report the best: the first start fills the disk's cache."""
    with tempfile.TemporaryDirectory(prefix="usher-bench-") as folder:
        measured = [_start(Path(folder)) for _ in range(TRIES)]
    yield Figure(name="start of usher serve", value=min(took for took, _ in measured), unit="s", target=1.5)
    yield Figure(name="memory of usher serve", value=max(held for _, held in measured), unit="MiB", target=80)


def _start(folder: Path) -> tuple[float, float]:
    """Seconds to the first answer, and memory in MiB at that moment."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("USHER_")} | {
        "USHER_ENV": "development",
        "USHER_SECRET_KEY": "b" * 32,
        "USHER_DATABASE_URL": f"sqlite:///{folder / 'usher.db'}",
    }
    usher = [sys.executable, "-c", "from usher_web.cli import main; main()"]
    subprocess.run([*usher, "db", "upgrade"], cwd=folder, env=environment, check=True, capture_output=True)
    begin = time.perf_counter()
    serve = [*usher, "serve", "--port", str(port)]
    with subprocess.Popen(serve, cwd=folder, env=environment, stdout=subprocess.DEVNULL) as server:
        try:
            _wait_for_answer(f"http://127.0.0.1:{port}/sign-in", begin)
            took = time.perf_counter() - begin
            return took, max(map(_memory_mib, (server.pid, *_children(server.pid))))
        finally:
            server.terminate()


def _wait_for_answer(address: str, begin: float) -> None:
    while time.perf_counter() - begin < PATIENCE_S:
        try:
            with urlopen(address) as answer:  # noqa: S310 (an address made here)
                answer.read()
        except (URLError, ConnectionError):
            time.sleep(0.01)
        else:
            return
    raise RuntimeError(f"usher serve did not answer within {PATIENCE_S} s.")


def _children(process: int) -> list[int]:
    """The child processes of *process*; if it is the supervisor, they include the server (decisions/0021)."""
    found = subprocess.run(["pgrep", "-P", str(process)], check=False, capture_output=True, text=True)  # noqa: S607
    return [int(line) for line in found.stdout.split()]


def _memory_mib(process: int) -> float:
    """Resident memory of *process* in MiB, as the operating system counts it."""
    status = Path(f"/proc/{process}/status")
    if status.exists():
        kib = next(line for line in status.read_text().splitlines() if line.startswith("VmRSS:")).split()[1]
    else:
        listed = subprocess.run(["ps", "-o", "rss=", "-p", str(process)], check=True, capture_output=True, text=True)  # noqa: S607
        kib = listed.stdout
    return int(kib) / 1024
