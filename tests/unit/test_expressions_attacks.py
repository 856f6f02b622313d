"""Attempts to leave the language or to use up the server: each ends in an `ExpressionError`, and soon."""

import re
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
import usher_engine.expressions
from usher_engine.core.errors import ExpressionError
from usher_engine.expressions import compile_expression, compile_script, compile_template

NOW = datetime(2026, 11, 23, 13, 40, tzinfo=UTC)
DATA = {
    "t": "x" * 20_000, "l": list(range(5_000)), "r": {"a": 1}, "n": 10**22, "f": 1e300, "s": "ß" * 60_000,
    "big": {f"k{n}": n for n in range(2_000)},
}  # fmt: skip
SOON_S = 2  # a loaded machine counts too; alone each takes less than 0.3

DEPTH = "nested|cannot be read"  # which of the two limits comes first is Python's, and differs between versions
PARTS = "more than [0-9]+ parts"
DIGITS = "at most 30 digits"
FINITE = "not a finite number"
SIZE = "at most 100000 characters or elements"
RESULT = "longer than 300000 characters"
WORK = "too much work"
POWER = "“\\*\\*” is not part"

#: What is tried, by the reason it must be refused for: an attack that fails for another reason tests nothing.
EXPRESSIONS = {
    # reaching for Python behind the language
    "“__subclasses__” is reserved": ["().__class__.__bases__[0].__subclasses__()"],
    "“__class__” is reserved": [
        "r.__class__", "''.__class__", "f'{t.__class__}'", "r._﹍class__", "r.get('a').__class__", "[].__class__",
        "(1).__class__", "len.__class__", "r['a'].__class__",
    ],
    "“__globals__” is reserved": ["r.__init__.__globals__", "len.__globals__"],
    "“__len__” is reserved": ["t.__len__()"],
    "“__import__” is reserved": ["__import__('os')"],
    "“__builtins__” is reserved": ["__builtins__", "__builtins__['eval']"],
    "“_private” is reserved": ["_private", "[_private for x in l]", "[x for _private in l]", "r._private"],
    "“typename” is reserved": ["typename", "r.typename", "[typename for typename in l]"],
    "“__self__” is reserved": ["len.__self__", "r.get.__self__"],
    "“__func__” is reserved": ["t.join.__func__"],
    "no function “getattr”": ["getattr(r, 'a')"],
    "no function “eval”": ["eval('1')", "𝓮𝓿𝓪𝓵('1')"],
    "no function “exec”": ["exec('1')"],
    "no function “open”": ["open('/etc/passwd')"],
    "no function “(globals|vars|type|print|is_reserved|text_of|r|t)”": [
        "globals()", "vars()", "type(r)", "print(1)", "is_reserved('x')", "text_of(1)", "r()", "t(1)",
    ],
    "Only a function or method can be called": ["(len)(t)(t)", "[len][0](t)", "(lambda: 1)()", "r['get']('a')"],
    "“lambda” is not part": ["lambda x: x", "[lambda: x for x in l]"],
    "“:=” is not part": ["(x := 5)", "[x := 1, x]", "[y := x for x in l]"],
    "“yield” is not part": ["(yield)", "(yield from l)"],
    "“await” is not part": ["await l"],
    "“async” is not part": ["[x async for x in l]", "{x: x async for x in l}"],
    "“\\*” before a value is not part": ["len(*l)", "[*l]", "(*l, 1)"],
    "without “name=”": ["len(**r)", "round(1.5, ndigits=1)"],
    POWER: ["{**r}", "9**9**9", "2 ** l"],
    "A set .use a list": ["{1, 2}", "{x for x in l}"],
    "A generator outside a call": ["(x for x in l)", "[(x for x in l)]"],
    r"any\(…\) takes 1 value": ["any((x for x in l), 1)", "any()"],
    r"no method \.(format|format_map|encode|translate|mro|count|index|copy|setdefault|fromkeys)\(": [
        "'{0.__class__}'.format(t)", "t.format_map(r)", "t.encode('idna')", "t.translate(r)", "r.mro()", "l.count(1)",
        "t.index('x')", "l.copy()", "r.setdefault('a', 1)", "r.fromkeys(l)",
    ],
    r"\.(append|extend|pop|remove|update)\(…\) changes its owner": [
        "l.append(1)", "l.extend(l)", "l.pop()", "l.remove(1)", "r.pop('a')", "r.update(r)",
    ],
    "“%” takes two numbers, not a text and a text": ["'%s' % t"],
    "“%” takes two numbers, not a text and a number": ["'%c' % 1", "'%999999999d' % 1"],
    "cannot be formatted with": ["f'{t!r}'", "f'{t:>999999999}'", "f'{n:{n}}'", "f'{t=}'"],
    "kind of constant": ["...", "b'x'", "1j", "r == ...", "l < b'x'"],
    "“@” is not part": ["l @ l"],
    "“r” has no field “class__”": ["r.ｃlass__"],
    "A field name is reserved": [
        "{'__class__': 1}", "{'typename': 1}", "{k: 1 for k in ['__x']}", "dict([['typename', 1]])",
    ],
    "has no “(open|not_there)”": ["open", "not_there"],
    "cannot be read": [
        "1 if", "import os", "r.a; r.a", "x = 1", "print 'x'", "\x00", "r.a\x00", "\ud800", "f'" + "{" * 1_000,
        "t\\", "'", "#", "r.a #\n)",
    ],
    # using up time or memory
    "“(<<|>>)” is not part": ["2 << 100", "1 << 1 << 1", "n >> 1"],
    "“[&|^]”.* is not part": ["n & n", "n | n", "n ^ n", "r | r"],
    "“~” is not part": ["~n"],
    DIGITS: [
        "n * n", "-n * n * 9", "n * 100000000000",
        "9" * 31, "9" * 3_990, "0x" + "f" * 400, "int(f)", "round(f)", "n + n * 999999999", "-n - n * 999999999",
        "int(f // 1)", "1_000_000_000_000_000_000_000_000_000_000", "l == " + "9" * 31,
    ],
    FINITE: [
        "f * f", "f / 1e-300", "1e999", "-1e999", "float('1e999')", "f * 1e9 - f",
        "l == 1e999", "f // 1e-300", "1.7e308 + 1.7e308", "-1.7e308 - 1.7e308", "sum([1.7e308, 1.7e308])",
        "round(1.7976931348623157e308, -30) * 10",
    ],
    "float takes a number or a text": ["float('inf')", "float('nan')", "float('1' + t)", "float('1_0')"],
    "int takes a number or a text": [
        "int(t)", "int(str(n) + '00000000')", "int('0x10')", "int('1_0')",
        "int('9999999999999999999999999999999')",
    ],
    "round takes a whole number of digits": ["round(1.5, 1000000000)", "round(n, -1000000000)", "round(1.5, True)"],
    "“\\*” takes two numbers, not a text and a number": ["'a' * 1000000000", "t * 2", "t * 0.5", "'' * n"],
    "“\\*” takes two numbers, not a list and a number": ["[0] * 1000000000", "l * 2", "[1] * 200000000"],
    "“\\*” takes two numbers, not a number and a text": ["1000000000 * 'a'", "n * t"],
    "“\\*” takes two numbers, not a number and a list": ["200000000 * [1]", "2 * l"],
    "“\\*” takes two numbers, not a record and a number": ["r * 2"],
    SIZE: [
        "t + t + t + t + t + t", "t.replace('x', t)", "t.replace('', t)", "t.join([t, t, t, t, t])",
        "join([t, t, t, t, t, t])", "join(l, t)", "f'{t}{t}{t}{t}{t}{t}'",
        "s.upper()",
    ],
    r"\.join\(…\) takes a text": ["t.join(l)"],
    RESULT: ["[t for x in l]", "[[t, t, t, t, t] for x in range(1000)]", "[l for x in l]"],
    WORK: [
        "[l + l for x in l]", "[x for x in l if x in l]", "[sorted(l) for x in l]", "[t.upper() for x in l]",
        "[t == t + 'y' for x in l]", "[t < t + 'y' for x in l]", "['y' in t for x in l]", "['y' not in t for x in l]",
        "[str(x).join([t, t]) for x in l]", "all(x in l for x in l)", "max([max(l) for x in l])",
        "min([min(l) for x in l])", "[l[:] for x in l]", "[t[:] for x in l]", "[list(t) for x in l]",
        "[t.split('x') for x in l]", "[t.strip('abcdefx') for x in l]", "[t.lstrip('abcdefx') for x in l]",
        "[r == r and l == l for x in l]", "[l != l for x in l]", "[t.replace('y', 'z') for x in l]",
        "[t.startswith(t) for x in l]", "[t.endswith(t) for x in l]", "[t.isdigit() for x in l]",
        "[sum(l) for x in l]", "[f'{t}' for x in l]", "[str(x) + t for x in l]", "[range(1000) for x in l]",
        "[dict(big) for x in l]", "[big.keys() for x in l]", "[big.values() for x in l]", "[big.items() for x in l]",
        "[any(l) or all(l) for x in l]", "{str(x): t.lower() for x in l}", "[join(l) for x in l]",
    ],
    "one “for” and no other inside": [
        "[x for y in l for x in l]", "[[x for x in l] for y in l]", "sum(sum(x for x in l) for y in l)",
        "any(any(x < 0 for x in l) for y in l)", "{x: [y for y in l] for x in l}",
    ],
    "range gives at most 1000": [
        "range(1000000000)", "range(-99999999999999999999999999999, 99999999999999999999999999999, 99999999999999999)",
        "range(99999999999999999999999999999)", "range(1001)",
    ],
    "range takes whole numbers": ["range(1, 2, 0)", "range(True)", "range(1.5)", "range(t)"],
    "step of a slice cannot be zero": ["l[::0]", "t[::0]"],
    "bounds of a slice are whole numbers": ["l[:1.0]", "l['a':]", "t[::True]", "l[l:]"],
    "shorter than the position": ["l[99999999999999999999999999999]", "t[99999999999999999999999999999]", "l[-5001]"],
    "cannot be divided by zero": ["1 / 0", "1 // 0.0", "n % 0", "f / False"],
    # nesting
    DEPTH: [
        "(" * 150 + "1" + ")" * 150 + "(", "-" * 3_000 + "1", "not " * 900 + "1", "r" + ".a" * 1_900,
        "r" + "['a']" * 700, "1" + "+1" * 1_900, "[" * 90 + "]" * 90, "1 if 1 else " * 300 + "1",
        "len(" * 90 + "t" + ")" * 90, "{" * 3_000,
    ],
    PARTS: ["a," * 1_900, "[" + "1," * 600 + "]"],
    "longer than 4000 characters": ["x" * 4_001, "'" + "x" * 4_000 + "'"],
}  # fmt: skip

SCRIPTS = {
    "“import” is not part": ["import os", "from os import system"],
    "“def” is not part": ["def f(): pass", "async def f(): pass"],
    "“class” is not part": ["class A: pass"],
    "“while” .* is not part": ["while True: pass"],
    "“with” is not part": ["with t: pass"],
    "“try” is not part": ["try:\n  a = 1\nexcept: pass"],
    "“raise” is not part": ["raise t"],
    "“assert” is not part": ["assert False"],
    "“global” is not part": ["global t"],
    "“return” is not part": ["return 1"],
    "“match” .* is not part": ["match t:\n  case _: a = 1"],
    "“yield” is not part": ["for x in l:\n  yield x"],
    "“async” is not part|cannot be read": ["async for x in l: pass"],
    "A type annotation is not part": ["x: int = 1"],
    POWER: ["x = 2\nx **= 9"],
    "“<<” is not part": ["x = 2\nx <<= 9"],
    "“len” is a function": ["len.x = 1"],
    "“t” is a text; only in a record or a list": ["t.x = 1", "t[0] = 'y'"],
    "Only a name, a field or a position": ["l[:] = l", "del l[:]", "l[1:2] = [1]"],
    "“__class__” is reserved": ["r.__class__ = 1", "del r.__class__", "l.__class__ = 1"],
    "A field name is reserved": ["r['__class__'] = 1", "r['typename'] = 1", "r.update({'a': 1, '__b': 2})"],
    "“__builtins__” is reserved": ["__builtins__ = 1", "del __builtins__"],
    "“typename” is reserved": ["typename = 1", "r.typename = 1", "for typename in l: pass"],
    "“__x” is reserved": ["for __x in l: pass", "__x += 1"],
    "“_b” is reserved": ["a, _b = [1, 2]"],
    r"no method \.(setdefault|clear|sort|insert|popitem)\(": [
        "r.setdefault('typename', 1)", "r.clear()", "l.sort()", "l.insert(0, 1)", "r.popitem()",
    ],
    "no function “x”": ["x = 1\nx()"],
    "nested at most 40 levels": [
        "a = []\nfor i in range(1000):\n  a = [a, a]", "a = []\na.append(a)", "a = {}\na.a = a",
        "a = {}\na.a = a\nb = a == a", "a = []\na.append(a)\nb = a == a", "a = []\na.append(a)\nb = [a] != [a]",
        "a = {}\na['a'] = [a]", "a = []\na.append({'a': a})\nb = a in [a]",
    ],
    RESULT: [
        "a = []\nfor i in range(30):\n  a = [a, a]", "a = []\nfor x in l:\n  a.append(t)",
        "a = []\nfor x in l:\n  a.append(l)", "a = {}\nfor x in l:\n  a[str(x)] = t",
    ],
    WORK: [
        "a = []\nfor i in range(30):\n  a = [a, a]\nb = a == a",
        "a = []\nfor x in l:\n  for y in l:\n    a.append(y)",
        "a = []\nfor x in l:\n  a = a + [t]",
        "for x in l:\n  y = l == l",
        "for x in l:\n  l.remove(x)",
        "for x in l:\n  l.pop(0)\n  y = sorted(l)",
        "for x in l:\n  for y in l:\n    pass",
        "for x in l:\n  r.update(big)",
        "for x in l:\n  y = t in t",
    ],
    SIZE: [
        "a = [1]\nfor i in range(1000):\n  a = a + a", "a = [1]\nfor i in range(1000):\n  a.extend(a)",
        "a = 'x'\nfor i in range(1000):\n  a += a", "a = [1]\nfor i in range(1000):\n  a += a",
        "a = 'ß'\nfor i in range(16):\n  a += a\na = a.upper()",
    ],
    DIGITS: ["a = 2\nfor i in range(1000):\n  a *= a", "a = 2\nfor i in range(1000):\n  a += a"],
    FINITE: ["a = 2.0\nfor i in range(1000):\n  a *= a"],
    "“\\*” takes two numbers, not a list and a number": ["l *= 1000000000", "a = [1]\na = a * 200000000"],
    "“\\*” takes two numbers, not a text and a number": ["t *= 1000000000"],
    DEPTH: ["".join(" " * i + "if l:\n" for i in range(90)) + " " * 90 + "x = 1", "-" * 19_000 + "1"],
    f"{PARTS}|{DEPTH}": ["if l: pass\n" + "elif l: pass\n" * 1_400],
    PARTS: ["x = " * 4_000 + "1", "x = 1\n" * 3_000],
    "longer than 20000 characters": ["x" * 20_001],
}  # fmt: skip

TEMPLATES = {
    "“__class__” is reserved": ["{{ ''.__class__ }}"],
    SIZE: ["{{ t }}{{ t }}{{ t }}{{ t }}{{ t }}{{ t }}", "x" * 90_000 + "{{ t }}"],
    "is not closed": ["{{" * 50_000, "{{ 1" + "'" * 90_000, "{{ " + "x" * 5_000 + " }}"],
    "cannot be written as text": ["{{ r }}", "{{ l }}", "{{ [] }}"],
    "expression is empty": ["{{}}", "{{  }}"],
    WORK: ["{{ [sorted(l) for x in range(100)][0][0] }}" * 100],
    "at most 100000 characters": ["x" * 100_001],
}


def cases(attacks):
    return [pytest.param(s, why, id=ascii(s[:40])) for why, sources in attacks.items() for s in sources]


def refused_soon(attempt, reason):
    began = time.process_time()
    with pytest.raises(ExpressionError) as caught:
        attempt()
    assert time.process_time() - began < SOON_S
    assert re.search(reason, caught.value.message), caught.value.message


@pytest.mark.parametrize(("source", "reason"), cases(EXPRESSIONS))
def test_an_expression_stays_inside(source, reason):
    refused_soon(lambda: compile_expression(source).evaluate(DATA, NOW), reason)


@pytest.mark.parametrize(("source", "reason"), cases(SCRIPTS))
def test_a_script_stays_inside(source, reason):
    refused_soon(lambda: compile_script(source).run(DATA, NOW), reason)


@pytest.mark.parametrize(("text", "reason"), cases(TEMPLATES))
def test_a_template_stays_inside(text, reason):
    refused_soon(lambda: compile_template(text).render(DATA, NOW), reason)


def test_hostile_nesting_is_refused_in_a_thread_too():
    """The embedded worker and the web server evaluate in threads, whose stacks are smaller."""
    refused = []

    def attempt():
        for source in ("-" * 19_000 + "1", "x" + ".a" * 9_000, "(" * 19_000, "not " * 4_000 + "x"):
            with pytest.raises(ExpressionError):
                compile_script(source)
            refused.append(source)

    thread = threading.Thread(target=attempt)
    thread.start()
    thread.join()

    assert len(refused) == 4


def test_a_caller_deep_in_its_own_stack_gets_our_error_and_not_pythons():
    expression = compile_expression("not " * 30 + "n")

    def deeper():
        try:
            return expression.evaluate(DATA, NOW)
        except ExpressionError:
            return "refused"

    def descend():
        try:
            return descend()
        except RecursionError:
            return deeper()

    assert descend() in ("refused", False, True)


def test_the_package_never_asks_python_to_run_text():
    for file in Path(usher_engine.expressions.__file__).parent.glob("*.py"):
        text = file.read_text(encoding="utf-8")
        for word in ("eval(", "exec(", "getattr(self", "setattr(", "__import__", "compile(", ".format("):
            assert word not in text.replace("re.compile(", "") or (file.name == "syntax.py"), (file.name, word)
