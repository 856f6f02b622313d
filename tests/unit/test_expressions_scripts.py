"""What a script may do to its copy of the data, and that the data it was given stays as it was."""

from datetime import UTC, datetime

import pytest
from usher_engine.core.errors import ExpressionError
from usher_engine.expressions import compile_script

NOW = datetime(2026, 11, 23, 13, 40, tzinfo=UTC)


def run(source, **data):
    return compile_script(source).run(data, NOW)


def refusal(source, **data):
    with pytest.raises(ExpressionError) as caught:
        run(source, **data)
    return caught.value


def test_a_script_returns_new_data_and_changes_none_of_the_old():
    before = {"patient": {"tags": ["a"], "status": "Pending"}, "kept": [1]}
    after = compile_script("patient.tags.append('b')\npatient.status = 'Done'").run(before, NOW)

    assert after == {"patient": {"tags": ["a", "b"], "status": "Done"}, "kept": [1]}
    assert before == {"patient": {"tags": ["a"], "status": "Pending"}, "kept": [1]}
    assert after["kept"] is not before["kept"]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("", {}),
        ("# nothing\npass", {}),
        ("a = b = 1", {"a": 1, "b": 1}),
        ("a, b = [1, 2]\na, b = b, a", {"a": 2, "b": 1}),
        ("a = 1\na += 2\na *= 3", {"a": 9}),
        ("r = {}\nr.x = 1\nr['y'] = 2\ndel r.x", {"r": {"y": 2}}),
        ("l = [1, 2, 3]\nl[0] = 9\ndel l[1]\nl[0] += 1", {"l": [10, 3]}),
        ("l = []\nl.append(1)\nl.extend([2, 3])\nl.remove(2)\nlast = l.pop()", {"l": [1], "last": 3}),
        (
            "r = {'a': 1}\nr.update({'b': 2})\ngone = r.pop('a')\nno = r.pop('z', 0)",
            {"r": {"b": 2}, "gone": 1, "no": 0},
        ),
        ("a = 1\ndel a", {}),
        ("a = 3\nif a == 1:\n  b = 1\nelif a == 3:\n  b = 3\nelse:\n  b = 0", {"a": 3, "b": 3}),
        ("t = 0\nfor n in range(5):\n  if n == 1:\n    continue\n  if n == 4:\n    break\n  t += n", {"t": 5}),
        ("r = {'a': 1, 'b': 2}\nt = 0\nfor k, v in r.items():\n  t += v", {"r": {"a": 1, "b": 2}, "t": 3}),
        ("r = {'a': 1, 'b': 2}\nfor k in r:\n  del r[k]", {"r": {}}),
        ("l = [1]\nfor n in l:\n  l.append(n)", {"l": [1, 1]}),
        ("    x = 1\n    y = 2", {"x": 1, "y": 2}),
        ("t = today()\nlen = 3", {"t": "2026-11-23", "len": 3}),
    ],
)
def test_what_a_script_does(source, expected):
    assert run(source) == expected


def test_the_variable_of_a_loop_ends_with_it():
    assert run("for n in [1, 2]:\n  last = n", n="kept") == {"n": "kept", "last": 2}
    assert run("for n in [1, 2]:\n  last = n") == {"last": 2}


def test_values_shared_inside_a_script_are_copies_afterwards():
    after = run("a = [1]\nb = a\nb.append(2)")
    assert after == {"a": [1, 2], "b": [1, 2]}
    assert after["a"] is not after["b"]


def test_names_are_those_the_script_requires():
    script = compile_script("a = b\nc = a\nif d:\n  e = 1\nf = e\nfor g in h:\n  i = g\nget('j')")

    assert script.names == {"b", "d", "e", "h"}


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ("a = 1\nb = nobody", 2),
        ("a = 1\n\nfor n in [1]:\n  b = n.x", 4),
        ("a = (\n", 1),
        ("\n\nimport os", 3),
        ("a = 1\n\nwhile True:\n  pass", 3),
        ("a = 1\na.b = 2", 2),
        ("a = 1\n_x = 2", 2),
        ("a = {}\na.__class__ = 2", 2),
        ("a = {}\na['__class__'] = 2", 2),
        ("a = {}\nk = 'typename'\na[k] = 2", 3),
        ("a = 1\ntypename = 1", 2),
        ("if True:\n  break", 2),
        ("a = [1]\na[1:2] = [3]", 2),
        ("a = [1]\ndel a[:]", 2),
        ("a, b = [1]", 1),
        ("a = []\na.remove(1)", 2),
        ("del nobody", 1),
        ("for n in [1]:\n  pass\nelse:\n  a = 1", 1),
        ("x: int = 1", 1),
        ("f()\n", 1),
        ("a = [1]\na.pop().x += 1", 2),
    ],
)
def test_a_refusal_carries_the_line(source, line):
    assert refusal(source).line == line


def test_a_list_cannot_contain_itself():
    assert "nested" in refusal("a = []\na.append(a)").message
    assert "nested" in refusal("a = []\na.append(a)\nb = a == a").message


def test_a_long_chain_of_elif_is_flat():
    source = "if n == 0:\n  r = 0\n" + "".join(f"elif n == {i}:\n  r = {i}\n" for i in range(1, 300))

    assert run(source, n=299)["r"] == 299
