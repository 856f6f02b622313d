"""Operators of installed packages: what can be used is used, the rest is put aside by name and stops nothing else."""

from __future__ import annotations

import pickle
import sys
from pathlib import Path

import pytest
from own_packages import lay_out, points
from usher_engine import Mode
from usher_engine.core.errors import UnknownOperator
from usher_engine.operator_use import Origin
from usher_engine.own_operators import beside, load_operators
from usher_engine.reexecution.recorded_services import disable_calls
from usher_engine.services import Operator, Services

GOOD = """return [Operator(
    name="lab/look-up", title="Look up", mode=Mode.READ, call=lambda given, call: {"state": "ok"},
    parameters=(Parameter(name="id"),), result=record({"state": text()}), errors={"away": "The lab is away."},
)]"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


def one(**fields: str) -> str:
    """The body of a function that gives one operator, with *fields* written as given."""
    given = {"name": '"lab/x"', "title": '"X"', "mode": "Mode.READ", "call": "print", **fields}
    return f"return (Operator({', '.join(f'{name}={value}' for name, value in given.items())}),)"


def test_an_operator_comes_with_the_package_it_is_from(folder: Path) -> None:
    found = load_operators(lay_out(folder, "clinic-lab", GOOD))
    assert not found.refused
    (operator,) = found.operators
    assert (operator.name, str(operator.origin)) == ("lab/look-up", "clinic-lab 1.2.0")
    assert operator.call({}, None) == {"state": "ok"}  # type: ignore[arg-type]  # it asks nothing of the call


def test_a_package_that_fails_to_import_is_put_aside_and_the_others_run(folder: Path) -> None:
    lay_out(folder, "clinic-lab", GOOD)
    lay_out(folder, "broken", "return []", head="import not_installed_here\n")
    lay_out(folder, "garbled", "return []", head="def x(:\n")
    lay_out(folder, "leaves", "return []", head="import sys\nsys.exit(3)\n")
    found = load_operators(lay_out(folder, "raises", "return []", head="raise RuntimeError('token abc')\n"))
    assert [operator.name for operator in found.operators] == ["lab/look-up"]
    said = {one.origin.package: str(one) for one in found.refused}
    assert said["broken"].startswith("The package broken 1.2.0 is not in use: broken:operators cannot be imported: ")
    assert "not_installed_here" in said["broken"]
    assert "cannot be imported" in said["garbled"]
    assert "SystemExit" in said["leaves"]
    assert "RuntimeError" in said["raises"]
    assert "abc" not in said["raises"], "the text of an error may hold a secret"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (one(name='"nothing"'), "The name must be like lab/look-up"),
        (one(name='"Lab/Look"'), "The name must be like lab/look-up"),
        (one(name='"lab/" + "x" * 80'), "The name must be like lab/look-up"),
        (one(name="None"), "The name must be like lab/look-up"),
        (one(title='" "'), "Its title must be a text"),
        (one(mode='"read"'), "Its mode must be one of"),
        (one(call='"f"'), "Its “call” must be a function"),
        (one(mode="Mode.WRITE", recall="print"), "Only a READ operator can recall"),
        (one(parameters='(Parameter(name="a"), Parameter(name="a"))'), "The parameter “a” is declared twice"),
        (one(parameters='[Parameter(name="a")]'), "Its parameters must be a tuple"),
        (one(parameters='(Parameter(name="A b"),)'), "The parameter “A b” must be named in small letters"),
        (one(parameters='(Parameter(name="a", shape={"type": "textual"}),)'), "is not JSON Schema"),
        (one(parameters='(Parameter(name="a", shape={"type": print}),)'), "Its declaration cannot be read (TypeError)"),
        (one(result='{"oneOf": []}'), "uses “oneOf”; shapes use"),
        (one(result='"text"'), "Its result must be a shape"),
        (one(wording='"printed"'), "Its wording must be a Wording"),
        (one(wording='Wording(done="a\\nb")'), "Its wording must be a Wording"),
        (one(errors='["gone"]'), "Its errors must map each code"),
        (one(errors='{"Not Found": "x"}'), "The error “Not Found” must be a code"),
        ("return [1]", "It must be an Operator, not int"),
    ],
)
def test_a_wrong_declaration_is_refused_by_name_and_what_is_right_beside_it_runs(
    folder: Path, given: str, words: str
) -> None:
    lay_out(folder, "clinic-lab", GOOD)
    found = load_operators(lay_out(folder, "wrong", given))
    assert [operator.name for operator in found.operators] == ["lab/look-up"]
    (refused,) = found.refused
    assert words in refused.reason
    assert refused.reason.endswith("Ask the package's maintainer to mend it.")
    assert refused.origin == Origin(package="wrong", version="1.2.0")


@pytest.mark.parametrize("body", ["return 1", "return 'lab'", "return {}", "return Operator"])
def test_what_gives_no_operators_is_refused(folder: Path, body: str) -> None:
    (refused,) = load_operators(lay_out(folder, "wrong", body)).refused
    assert "wrong:operators must be a function without parameters" in refused.reason


def test_a_name_that_comes_twice_is_used_from_neither(folder: Path) -> None:
    lay_out(folder, "clinic-lab", GOOD)
    found = load_operators(lay_out(folder, "other-lab", GOOD, version="2.0"))
    assert not found.operators
    assert [one.origin.package for one in found.refused] == ["clinic-lab", "other-lab"]
    assert {one.reason for one in found.refused} == {
        "It comes from clinic-lab 1.2.0 and other-lab 2.0. Keep one of them."
    }


def test_a_name_that_one_package_gives_twice_is_refused_once(folder: Path) -> None:
    twice = one().replace("return (", "return 2 * (")
    (refused,) = load_operators(lay_out(folder, "wrong", twice)).refused
    assert refused.reason == "It comes from wrong 1.2.0 twice. Keep one of them."


@pytest.mark.parametrize("name", ["patient/load", "patient/hug", "usher/x", "message/send"])
def test_names_of_ushers_own_are_refused(folder: Path, name: str) -> None:
    own = Operator(name="patient/load", title="Load", mode=Mode.READ, call=lambda *_: None)
    lay_out(folder, "clinic-lab", GOOD)
    given = one(name=f'"{name}"')
    found = beside((own,), load_operators(lay_out(folder, "greedy", given)))
    assert [operator.name for operator in found.operators] == ["lab/look-up"]
    assert found.refused[0].operator == name
    assert "are Usher's own" in found.refused[0].reason


def test_a_refused_operator_says_why_where_it_is_asked_for(folder: Path) -> None:
    found = load_operators(lay_out(folder, "wrong", one(title='""')))
    with pytest.raises(UnknownOperator, match=r"“lab/x” of wrong 1\.2\.0 is not in use: Its title"):
        Services(refused=found.refused).get("lab/x")


def test_a_missing_operator_points_at_a_package_that_could_not_be_loaded(folder: Path) -> None:
    found = load_operators(lay_out(folder, "broken", "return []", head="import not_installed_here\n"))
    with pytest.raises(UnknownOperator, match=r"Known: message/send\. The package broken 1\.2\.0 is not in use"):
        Services(refused=found.refused).get("lab/x")


def test_a_package_cannot_change_its_shapes_later(folder: Path) -> None:
    (operator,) = load_operators(
        lay_out(folder, "changing", f"global R\nR = {{'type': 'object'}}\n{one(result='R')}")
    ).operators
    sys.modules["changing"].R["type"] = "string"
    assert operator.result == {"type": "object"}


def test_declarations_go_to_other_processes(folder: Path) -> None:
    (operator,) = load_operators(lay_out(folder, "clinic-lab", GOOD)).operators
    assert "lab/look-up" in pickle.loads(pickle.dumps(disable_calls(Services((operator,)))))


def test_without_packages_there_is_nothing(tmp_path: Path) -> None:
    assert load_operators(points(tmp_path)).operators == ()
