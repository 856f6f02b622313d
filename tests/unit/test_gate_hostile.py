"""Ten hostile uploads of each class of attack: refused, with the element where there is one, fast, in little memory."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hostile import CLASSES, attacks, refusals

TESTS = Path(__file__).parents[1]
#: The part of a file that is at fault, for classes that have one.
ELEMENTS = {
    "circles": {"ask", "b", "f3", "g", "p", "r", "l"},
    "masses": {"p", "f1", "ask", "x1"},
    "foreign_words": {"f3"},
    "patterns": {"a"},
    "inclusion": {"ask"},
}
#: Runs every attack with 200 MiB more memory than the program itself takes; tells the slowest and what got through.
CHILD = """
import json, resource, time
from hostile import CLASSES, attacks, refusals
pages = int(open("/proc/self/statm").read().split()[0])
limit = pages * resource.getpagesize() + 200 * 2**20
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
slowest, through = (0.0, ""), []
for kind in CLASSES:
    for number, upload in enumerate(attacks(kind)):
        began = time.process_time()
        if not refusals(upload):
            through.append(f"{kind} {number}")
        slowest = max(slowest, (time.process_time() - began, f"{kind} {number}"))
print(json.dumps({"slowest": slowest, "through": through}))
"""


@pytest.mark.parametrize("kind", CLASSES)
def test_every_attack_is_refused(kind):
    for number, upload in enumerate(attacks(kind)):
        found = refusals(upload)
        assert found, f"{kind} {number}"
        assert all(message for _, message in found)
        assert kind not in ELEMENTS or ELEMENTS[kind] & {element for element, _ in found}, (number, found)


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="how much memory a process has is read from /proc")
def test_attacks_cost_less_than_a_second_and_200_mib():
    done = subprocess.run(
        [sys.executable, "-c", CHILD], capture_output=True, text=True, cwd=TESTS, check=False, timeout=240
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["through"] == []
    assert told["slowest"][0] < 1, told["slowest"]
