"""The mutation run: the faults it makes, that it distinguishes weak tests from strong ones, and its judgement."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest
from mutants import survivors
from mutants.__main__ import ROOT, TESTS
from mutants.changes import Key, mutants

HERE = Path(__file__).parent

SOURCE = '''
"""Not a word of this counts."""
from __future__ import annotations

LIMIT: int = 3

@dataclass(frozen=True)
class Guard:
    def check(self, n: int = 0) -> bool:
        """Nor of this."""
        if n < LIMIT and not n == 7:
            raise ValueError(f"{n + 1} is too little")
        for item in range(n):
            continue
        return True
'''


def found(source):
    return [mutant.key for mutant in mutants("m", source, ast.parse(source))]


def test_the_faults_of_a_small_class():
    assert {(key.function, key.change) for key in found(SOURCE)} == {
        ("", "3 → 4"),
        ("", "3 → 2"),
        ("Guard.check", "0 → 1"),
        ("Guard.check", "0 → -1"),
        ("Guard.check", "n < LIMIT and (not n == 7) → False"),
        ("Guard.check", "n < LIMIT and (not n == 7) → True"),
        ("Guard.check", "n < LIMIT and (not n == 7) → n < LIMIT or not n == 7"),
        ("Guard.check", "n < LIMIT and (not n == 7) → n < LIMIT"),
        ("Guard.check", "n < LIMIT and (not n == 7) → not n == 7"),
        ("Guard.check", "n < LIMIT → n <= LIMIT"),
        ("Guard.check", "n < LIMIT → n >= LIMIT"),
        ("Guard.check", "not n == 7 → n == 7"),
        ("Guard.check", "n == 7 → n != 7"),
        ("Guard.check", "7 → 8"),
        ("Guard.check", "7 → 6"),
        ("Guard.check", "without raise ValueError(f'{n + 1} is too little')"),
        ("Guard.check", "f'{n + 1} is too little' → ''"),
        ("Guard.check", "n + 1 → n - 1"),
        ("Guard.check", "1 → 2"),
        ("Guard.check", "1 → 0"),
        ("Guard.check", "range(n) → ()"),
        ("Guard.check", "continue → break"),
        ("Guard.check", "without continue"),
        ("Guard.check", "True → False"),
    }


def test_every_mutant_is_a_program_and_another_one():
    source = Path(__file__).read_text(encoding="utf-8")
    for number in range(len(found(source))):
        tree = ast.parse(source)
        mutants("m", source, tree)[number].apply()
        compile(ast.fix_missing_locations(tree), "mutant", "exec")
        assert ast.dump(tree) != ast.dump(ast.parse(source))


def test_two_faults_of_one_line_have_two_names():
    keys = found("def f(a):\n    return a(1, 1)\n")
    assert [key.change for key in keys if key.change.startswith("1 → 2")] == ["1 → 2", "1 → 2 (2)"]
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize(
    ("source", "change"),
    [
        ("def f(a):\n    match a:\n        case 1 if a:\n            pass\n", "the case never matches"),
        ("try:\n    pass\nexcept (A, B):\n    pass\n", "B is not caught"),
        ("def f(a):\n    a += 1\n", "a += 1 → a -= 1"),
        ("def f(a):\n    return a\n", "return a → return None"),
        ("x = [a for a in b if a]\n", "a → True"),
        ("def f():\n    while a:\n        break\n", "break → continue"),
        ("x = ''\n", "'' → 'mutant'"),
        ("x = b'a'\n", "b'a' → b''"),
        ("x = -a\n", "-a → a"),
        ("x = a is None\n", "a is None → a is not None"),
    ],
)
def test_other_kinds_of_faults(source, change):
    assert change in [key.change for key in found(source)]


@pytest.mark.parametrize(
    "source",
    [
        "import a\n", "__all__ = ['a']\n", "X: TypeAlias = 'a'\n", "def f() -> 'a': pass\n", "'''text'''\n",
        "def f(a):\n    match a:\n        case _:\n            assert_never(a)\n", "@d(1)\nclass A: pass\n",
    ],
)  # fmt: skip
def test_what_says_nothing_at_run_time_is_left_alone(source):
    assert [key for key in found(source) if key.change != "the case never matches"] == []


# the run


TRIAL = """
import json, sys
from pathlib import Path
from mutants.trials import Target, TrialError, prepared, run
here = Path(sys.argv[1])
sys.path.insert(0, str(here / "engine"))
try:
    trial = prepared(Target(module="limits", folder=here / "engine", tests=[here / sys.argv[2]]))
    print(json.dumps({mutant.key.change: verdict.value for mutant, verdict in run(trial, jobs=2)}))
except TrialError as error:
    print(json.dumps(str(error)))
"""


@pytest.fixture
def project(tmp_path):
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "engine").mkdir()
    (tmp_path / "engine" / "limits.py").write_text("def fits(size):\n    return size <= 3\n")

    def tried(test):
        (tmp_path / "test_limits.py").write_text(test)
        command = [sys.executable, "-c", TRIAL, str(tmp_path), "test_limits.py"]
        done = subprocess.run(command, cwd=HERE.parent, capture_output=True, text=True, check=True, timeout=60)
        return json.loads(done.stdout)

    return tried


def test_a_test_that_looks_at_the_limit_kills_every_mutant(project):
    verdicts = project("from limits import fits\ndef test():\n    assert fits(3) is True and fits(4) is False\n")
    assert verdicts == dict.fromkeys(
        ["return size <= 3 → return None", "size <= 3 → size < 3", "size <= 3 → size > 3", "3 → 4", "3 → 2"], "killed"
    )


def test_a_test_that_does_not_lets_some_survive(project):
    verdicts = project("from limits import fits\ndef test():\n    assert fits(1)\n")
    assert verdicts["size <= 3 → size < 3"] == verdicts["3 → 4"] == verdicts["3 → 2"] == "survived"
    assert verdicts["size <= 3 → size > 3"] == "killed"


@pytest.mark.parametrize(
    ("test", "message"),
    [
        ("def test():\n    assert False\n", "end with 1 when nothing is changed"),
        ("def test():\n    assert True\n", "never import it"),
        ("x = 1\n", "end with 5 when nothing is changed"),
    ],
)
def test_tests_without_a_verdict_are_no_trial(project, test, message):
    assert message in project(test)


# the list


KEY = Key(module="m", function="f", line="return 1", change="1 → 2")
OTHER = Key(module="m", function="f", line='say("it\'s")', change="'' → 'mutant'")


def test_what_the_run_prints_can_be_listed(tmp_path):
    file = tmp_path / "survivors.toml"
    file.write_text(survivors.written([KEY, OTHER]).replace('reason = ""', 'reason = "It makes no difference."'))
    assert survivors.read(file) == dict.fromkeys([KEY, OTHER], "It makes no difference.")


@pytest.mark.parametrize(
    ("reason", "times", "message"), [("", 1, "Say why"), ("equivalent", 1, "Say why"), ("It is the same.", 2, "twice")]
)
def test_a_list_without_reasons_is_refused(tmp_path, reason, times, message):
    file = tmp_path / "survivors.toml"
    file.write_text((survivors.written([KEY]).replace('""', f'"{reason}"') + "\n") * times)
    with pytest.raises(survivors.ListError, match=message):
        survivors.read(file)


def test_an_entry_with_a_wrong_word_is_refused(tmp_path):
    file = tmp_path / "survivors.toml"
    file.write_text('[[survivor]]\nmodule = "m"\n')
    with pytest.raises(survivors.ListError, match="An entry has"):
        survivors.read(file)


def test_our_list_names_existing_mutants():
    """Soon after a change of such a line, not only in the long run: `make mutants MODULE=…` shows what to do."""
    listed = survivors.read(HERE / "survivors.toml")
    there = set()
    for module in {key.module for key in listed}:
        source = (HERE.parent.parent / "engine" / f"{module.replace('.', '/')}.py").read_text(encoding="utf-8")
        there |= {mutant.key for mutant in mutants(module, source, ast.parse(source))}
    assert [key for key in listed if key not in there] == []


def many(number):
    return [Key(module="m", function="f", line=str(one), change="1 → 2") for one in range(number)]


def test_a_module_is_fine_when_what_survives_is_listed_and_rare():
    keys = many(100)
    survived = {key: number < 4 for number, key in enumerate(keys)}
    listed = dict.fromkeys(keys[:4], "It makes no difference.")
    assert survivors.judged("m", survived, keys, listed).is_fine
    assert survivors.judged("m", survived, keys, dict(list(listed.items())[:3])).unlisted == [keys[3]]
    assert survivors.judged("m", survived, keys, {**listed, keys[9]: "It is so."}).killed == [keys[9]]
    assert survivors.judged("m", survived, keys, {**listed, KEY: "It is so."}).gone == [KEY]
    of_another = Key(module="n", function="f", line="x", change="y")
    assert survivors.judged("m", survived, keys, {**listed, of_another: "It is so."}).is_fine


def test_too_many_survivors_are_too_many_whatever_the_list_says():
    keys = many(100)
    survived = {key: number < 5 for number, key in enumerate(keys)}
    found = survivors.judged("m", survived, keys, dict.fromkeys(keys[:5], "It makes no difference."))
    assert found.share == 5.0 and not found.is_fine


def test_a_sample_says_nothing_of_what_was_not_tried():
    keys = many(100)
    found = survivors.judged("m", {keys[0]: False}, keys, {keys[1]: "It makes no difference."})
    assert found.is_fine


def test_every_module_of_a_run_and_its_tests_are_there():
    for name, files in TESTS.items():
        assert (ROOT / "engine/usher_engine" / f"{name.replace('.', '/')}.py").is_file(), name
        assert [file for file in files if not (ROOT / "tests" / file).is_file()] == []
    listed = survivors.read(HERE / "survivors.toml")
    assert {key.module for key in listed} <= {f"usher_engine.{name}" for name in TESTS}
