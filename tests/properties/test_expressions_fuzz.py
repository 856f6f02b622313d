"""Random programs in and around the language: only `ExpressionError` comes out, soon, and only JSON is the result.

2,000 programs in every run; ``USHER_FUZZ=200000 pytest tests/properties/test_expressions_fuzz.py`` for a long one.
A failure names the seed of its program; ``USHER_FUZZ_SEED`` starts elsewhere.
"""

import gc
import json
import os
import random
import re
import sys
import time
from datetime import UTC, datetime

import pytest
from usher_engine.core.errors import ExpressionError
from usher_engine.expressions import compile_expression, compile_script, compile_template
from usher_engine.expressions.expression import Expression

COUNT = int(os.environ.get("USHER_FUZZ", "2000"))
SEED = int(os.environ.get("USHER_FUZZ_SEED", "1"))
SOON_S = 1.0  # processor time, so that a loaded machine does not count
NOW = datetime(2026, 11, 23, 13, 40, tzinfo=UTC)
DATA = {
    "a": 7,
    "big": 10**29,
    "f": 1.7976931348623157e308,
    "s": "Ada",
    "long": "xy" * 10_000,
    "l": list(range(2_000)),
    "ll": [[1, 2], ["x", None], {"k": []}],
    "r": {"k": 1, "m": {"n": [1, 2]}, "typed": "v"},
    "none": None,
    "yes": True,
    "x": [1, "k"],
    "y": {"k": [0]},
}
DATA_TEXT = json.dumps(DATA)

# One list for each kind of value; in GROWING, <kind> stands for another choice of that kind, one level less deep.
LEAVES = {
    "number": ["a", "f", "big", "0", "1", "-1", "2", "1000", "0.5", "1e308", "len(s)", "r.k", "x"],
    "text": [
        "s",
        "long",
        "''",
        "'x'",
        "'k'",
        "','",
        "'é'",
        "r.typed",
        "str(a)",
        "today()",
        "now()",
        "'2026-05-03'",
        "x",
    ],
    "list": ["l", "ll", "[]", "r.m.n", "ll[0]", "[1,2]", "['a','b']", "list(r)", "x"],
    "record": ["r", "r.m", "ll[2]", "{}", "{'k':1}", "x"],
    "truth": ["yes", "True", "False", "none", "None"],
    "odd": [
        "nobody",
        "len",
        "__class__",
        "typename",
        "_x",
        "10**9",
        "(1).real",
        "...",
        "b'x'",
        "1j",
        "9" * 29,
        "9" * 31,
    ],
}
GROWING = {
    "number": """(<number> <arithmetic> <number>)|-<number>|abs(<number>)|round(<number>, <number>)|int(<number>)
        int(<text>)|float(<text>)|len(<any>)|sum(<list>)|max(<list>)|min(<number>, <number>)
        <list>[<number>]|sum(<number> for x in <list>)|(<number> if <truth> else <number>)
        <record>.get('k', <number>)|round(<number>)|get('a', <number>)
        max([<number> for x in <list> if <truth>])""",
    "text": """(<text> + <text>)|str(<any>)|<text>.upper()|<text>.title()|<text>.strip(<text>)
        <text>.replace(<text>, <text>)|<text>.join(<list>)|join(<list>, <text>)|f'{<any>} {s}'|f"<{<text>}>"
        <text>[<number>:<number>]|<text>[::<number>]|<text>[<number>]|date_text(<text>)
        datetime_text(<text>)|(<text> or <text>)|join([<text> for x in <list>])""",
    "list": """[<any>, <any>]|(<list> + <list>)|sorted(<list>)|list(<any>)|<text>.split(<text>)|<record>.keys()
        <record>.items()|<list>[<number>:<number>:<number>]|range(<number>)
        range(<number>, <number>, <number>)|[<any> for x in <list>]|[<any> for x in <list> if <truth>]
        [x for x, y in <record>.items()]|<record>.values()|[<list>, <list>]""",
    "record": """{'a': <any>, <text>: <any>}|dict(<record>)|dict([['a', <any>]])|{str(x): <any> for x in <list>}
        {x: <any> for x in <list>}|<record>.m|<list>[<number>]|<record>.get(<text>)
        (<record> if <truth> else <record>)""",
    "truth": """(<any> == <any>)|(<any> != <any>)|(<number> < <number>)|(<text> >= <text>)|(<any> in <list>)
        (<text> in <text>)|(<text> not in <record>)|(not <any>)|(<any> and <any>)|(<any> or <any>)
        any(<truth> for x in <list>)|bool(<any>)|all(<truth> for x in <list>)|(<any> is None)
        <text>.startswith(<text>)|<text>.isdigit()|(<number> < <number> <= <number>)""",
    "odd": """(x := <any>)|(lambda: <any>)()|[*<list>]|{**<record>}|{<any>}|(<any>|<any>.__class__|<any>._x
        f'{<any>!r}'|f'{<any>:>9}'|getattr(<any>, 'k')|eval(<text>)|<text>.format(<any>)
        <number> ** <number>|<number> << <number>|<text> * <number>|[[x for x in l] for y in l]|~<number>
        len(<list>, <list>)|<list>.append(<any>)|(yield <any>)""",
}
STATEMENTS = """x = <any>|x = <any>|<target> = <any>|x = y = <list>|x, y = <any>, <any>|<target> <change> <any>
        l.append(<any>)|l.extend(<list>)|l.remove(<any>)|l.pop()|r.update(<record>)|r.pop(<text>, <any>)
        del <target>|pass|<any>|x = [x, x, l]|long += long|ll.append(ll)|ll.append(<any>)
        r.m.n = r|l += l|x += [<any>]|l.append(<number>)"""
ODD_STATEMENTS = ["while x: pass", "import os", "__x = 1", "def f(): pass", "r['typename'] = 1", "del l[:]", "x **= 2"]
WORDS = {
    "arithmetic": ["+", "-", "*", "/", "//", "%"],
    "change": ["+=", "-=", "*="],
    "target": ["x", "y", "l", "r", "s", "r.k", "r['m']", "l[0]", "ll[2]", "r.m.n", "r[s]"],
}
TOKENS = [
    *"()[]{},:.=@;\\#'\"\n`~!$?\0\t ",
    "if",
    "else",
    "for",
    "in",
    "lambda",
    "f'{",
    "}'",
    ":=",
    "**",
    "r.k",
    "l",
    "x",
    "1",
]
KINDS = ["number", "text", "list", "record", "truth"]


def lines(text):
    return [choice for line in text.splitlines() for choice in line.strip().split("|")]


CHOICES = {kind: lines(text) for kind, text in GROWING.items()}
SIMPLE = lines(STATEMENTS)


class Writer:
    """Writes one random program; most fit together, some only nearly."""

    def __init__(self, seed):
        self.random = random.Random(seed)

    def kind(self, wanted):
        """*wanted*, or now and then something that does not belong there."""
        if wanted == "any":
            return self.random.choice(KINDS)
        return self.random.choice([*KINDS, "odd"]) if self.random.random() < 0.015 else wanted

    def value(self, wanted, depth):
        if wanted in WORDS:
            return self.random.choice(WORDS[wanted])
        kind = self.kind(wanted)
        return self.filled(self.random.choice((CHOICES if depth > 0 else LEAVES)[kind]), depth - 1)

    def filled(self, template, depth):
        return re.sub(r"<(\w+)>", lambda place: self.value(place[1], depth), template)

    def expression(self):
        if self.random.random() < 0.05:
            return "".join(self.random.choice(TOKENS) for _ in range(self.random.randint(1, 60)))
        return self.spoiled(self.value("any", self.random.randint(1, 4)))

    def spoiled(self, text):
        """Now and then *text* with a piece cut out or repeated."""
        if self.random.random() < 0.95:
            return text
        start = self.random.randrange(len(text))
        end = start + self.random.randint(1, 8)
        return text[:start] + text[start:end] * self.random.choice((0, 2, 30)) + text[end:]

    def block(self, depth, space=""):
        return "".join(self.statement(depth, space) for _ in range(self.random.randint(1, 3)))

    def statement(self, depth, space):
        kind = self.random.random() if depth > 0 else 1
        if kind < 0.2:
            test, inner = self.value("truth", 1), space + " "
            return f"{space}if {test}:\n{self.block(depth - 1, inner)}{space}else:\n{self.block(depth - 1, inner)}"
        if kind < 0.6:
            jump = self.random.choice(["", "", f"{space} if {self.value('truth', 1)}: break\n", f"{space} continue\n"])
            return f"{space}for x in {self.value('list', 1)}:\n{self.block(depth - 1, space + ' ')}{jump}"
        template = self.random.choice(SIMPLE if self.random.random() < 0.99 else ODD_STATEMENTS)
        return space + self.filled(template, self.random.randint(0, 2)) + "\n"


def checked(seed, source, work):
    """Run *work*; report any failure with the seed and the program."""
    began = time.thread_time()
    try:
        answer = work()
        json.dumps(answer, allow_nan=False)
        accepted = True
    except ExpressionError as error:
        accepted, answer = False, error.message
    except BaseException as error:
        raise AssertionError(f"seed {seed}: {type(error).__name__} from {source!r}") from error
    took = time.thread_time() - began
    assert accepted or answer, f"seed {seed}: an error without words"
    assert took < SOON_S, (seed, took, source)
    return accepted, took


def one_program(seed):
    writer = Writer(seed)
    kind = seed % 4
    if kind < 2:
        source = writer.expression()
        return checked(seed, source, lambda: compile_expression(source).evaluate(DATA, NOW))
    if kind == 2:
        source = writer.spoiled(writer.block(3))
        return checked(seed, source, lambda: compile_script(source).run(DATA, NOW))
    source = "".join(f"text {{{{ {writer.expression()} }}}}" for _ in range(3))
    return checked(seed, source, lambda: compile_template(source).render(DATA, NOW))


@pytest.fixture
def _no_collection_in_between():
    """A pause for garbage collection is no program's fault."""
    gc.disable()
    yield
    gc.enable()


@pytest.mark.timeout(0)
@pytest.mark.usefixtures("_no_collection_in_between")
@pytest.mark.filterwarnings("ignore::SyntaxWarning", "ignore::DeprecationWarning")  # Python's taste in random text
def test_random_programs_end_in_json_or_in_our_own_error(capsys):
    accepted, slowest, slowest_seed = 0, 0.0, SEED
    for seed in range(SEED, SEED + COUNT):
        if seed % 500 == 0:
            gc.collect()
        fine, took = one_program(seed)
        accepted += fine
        if took > slowest:
            slowest, slowest_seed = took, seed

    assert json.dumps(DATA) == DATA_TEXT, "a program changed the data it was given"
    assert accepted > COUNT / 20, "nearly everything is refused: the fuzzer tests nothing"
    if "USHER_FUZZ" in os.environ:
        with capsys.disabled():
            line = f"\n{COUNT} programs, {accepted} ran to a value, slowest {slowest:.3f} s (seed {slowest_seed})\n"
            sys.stdout.write(line)


def test_the_fuzzer_would_notice_a_foreign_exception(monkeypatch):
    monkeypatch.setattr(Expression, "evaluate", lambda *_: 1 / 0)

    with pytest.raises(AssertionError, match="ZeroDivisionError"):
        [one_program(seed) for seed in range(0, 400, 4)]
