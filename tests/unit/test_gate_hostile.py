"""Ten hostile uploads of each attack class: refused on the element, if any, quickly and with little memory."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hostile import CLASSES, attacks, refusals

TESTS = Path(__file__).parents[1]
#: The faulty part of a file, for attack classes that have one.
ELEMENTS = {
    "circles": {"ask", "b", "f3", "g", "p", "r", "l"},
    "masses": {"p", "f1", "ask", "x1"},
    "foreign_words": {"f3"},
    "patterns": {"a"},
    "inclusion": {"ask"},
}
DOCTYPE = r"has a DOCTYPE|Entity '\w+' not defined|entity amplification|external entity"
CODE = (
    r"no method \.system", "“__subclasses__” is reserved", r"no method \.read", *[r"“\*\*” is not part"] * 3,
    "Only a function or method can be called", "no function “exec”", "no function “globals”",
    "“__dict__” is reserved",
)  # fmt: skip
NESTED = "a repeat inside a repeat"
PATH = "A path must be relative to the package"
PACKED = "unsupported compression method"
#: The reason for each refusal, one for all ten of a class or one each: refusal for another reason proves nothing.
REASONS: dict[str, str | tuple[str, ...]] = {
    "entities": DOCTYPE,
    "external": DOCTYPE,
    "inclusion": "never includes other files by XInclude",
    "depth": "deeper than 100 levels|Excessive depth",
    "size": "larger than 1000 kB",
    "identifiers": (
        "Two elements have the id “ask”", "“typename” is a name the engine uses", "“Root” is a name the engine uses",
        "at most 100 characters", "“x.EndJoin” is a name the engine uses", "'../../etc/passwd' is not a valid value",
        "'a b' is not a valid value", "'1' is not a valid value", "“x.BoundaryEventSplit” is a name the engine uses",
        r"attribute 'id': 'ask$",
    ),
    "circles": (
        "Calling “p” leads back to “p”", "attached to “b”, which is no activity",
        "begins at “f3”, which does not exist",
        "default flow “g” does not leave it", "2 flows leave", "no end event", "refers to no message",
        "“nowhere”, which does not exist", "Two elements have the id “l”", "These loop without a wait",
    ),
    "masses": "at most 300 elements|at most 3,000 elements|at most 1000 flows|more findings",
    "expressions": CODE,
    "foreign_words": (
        *["longer than 4000 characters"] * 2, r"the method \.forName\(…\) is code of the other product",
        *["longer than 4000 characters"] * 5, r"cannot be translated", "longer than 4000 characters",
    ),
    "templates": (
        "Nothing fills “config”", "“__class__” is reserved", "not closed", "Nothing fills “patient”", "not closed",
        r"“\*\*” is not part", "comprehension has one “for”", "not closed", "not closed", "no function “open”",
    ),
    "forms": (
        "reserved name", "reserved name", "“iframe” is not supported", "Computed texts", "at most 200 components",
        "A component is a JSON object", "nested too deeply", "“defaultValue” does not have the type", "Computed texts",
        "“minLength” must be a number",
    ),
    "patterns": (NESTED, "repeats alternatives", *[NESTED] * 7, "look-ahead"),
    "cells": CODE,
    "dead": (
        "no start event", "no start event", "no end event", "No path leads here", "No path leads here",
        "2 start events", "No way out when no condition holds", "no start event", "Transaction cannot run yet",
        "Complex gateway cannot run yet",
    ),
    "zips": (*[PATH] * 5, *["larger than a process package may be"] * 3, *["not a readable zip file"] * 2),
    "garbled": (
        *[PACKED] * 4, *["not a readable zip file"] * 3, "contains two files of this name", *[PACKED] * 2,
    ),
}  # fmt: skip
#: Runs every attack with 200 MiB more memory than the program takes; prints the slowest and those that got through.
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
        reason = REASONS[kind] if isinstance(REASONS[kind], str) else REASONS[kind][number]
        assert any(re.search(reason, message) for _, message in found), (number, reason, found[:3])
        assert all(message for _, message in found)
        assert kind not in ELEMENTS or ELEMENTS[kind] & {element for element, _ in found}, (number, found)


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="how much memory a process has is read from /proc")
def test_attacks_cost_less_than_a_second_and_200_mib():
    done = subprocess.run(
        [sys.executable, "-c", CHILD], capture_output=True, text=True, cwd=TESTS, check=False, timeout=240
    )
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["through"] == []
    assert report["slowest"][0] < 1, report["slowest"]
