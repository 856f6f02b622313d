"""What is too large is refused before it is made: the memory one evaluation takes at its peak."""

from __future__ import annotations

import tracemalloc
from datetime import UTC, datetime
from html import escape

import pytest
from usher_engine.core.errors import ExpressionError
from usher_engine.expressions import compile_expression, compile_script, compile_template

NOW = datetime(2026, 11, 23, 13, 40, tzinfo=UTC)
LONG = 95_000
DATA = {
    "t": "x" * LONG, "wide": "😀" * LONG, "sharp": "ß" * LONG, "amp": "&" * LONG, "spaced": "x " * (LONG // 2),
    "l": list(range(90_000)), "texts": ["x" * LONG] * 1_000, "r": {f"k{n}": n for n in range(5_000)},
}  # fmt: skip
MEGABYTE = 2**20


def peak(attempt):
    """Megabytes *attempt* takes at its peak, beyond what is there already; it may be refused."""
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        try:
            attempt()
        except ExpressionError as error:
            refusal = error.message
        else:
            refusal = ""
        return (tracemalloc.get_traced_memory()[1] - before) / MEGABYTE, refusal
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{{t}}" * 19_000, "at most 100000"),
        ("{{wide}}" * 12_000, "at most 100000"),
        ("{{ amp }}" * 10_000, "at most 100000"),
        ("{{ t[:50000] }}" * 6_000, "at most 100000"),
        ("{{ t[:0] }}" * 9_000, ""),
        ("{{ t.lower()[:1] }}" * 5_000, "too much work"),
        ("{{ None }}" * 9_000, ""),
        ("x" * 90_000 + "{{ t }}", "at most 100000"),
    ],
    ids=lambda value: value[:20],
)
def test_a_template_stops_at_its_limit(text, reason):
    template = compile_template(text)
    megabytes, refusal = peak(lambda: template.render(DATA, NOW, escape))
    assert reason in refusal and bool(reason) is bool(refusal)
    assert megabytes < 3


def test_what_escaping_adds_counts():
    template = compile_template("{{ amp[:30000] }}")
    assert len(template.render(DATA, NOW)) == 30_000
    with pytest.raises(ExpressionError, match="at most 100000"):
        template.render(DATA, NOW, escape)


def test_a_bare_name_is_paid_for():
    costly, data = "{{ sum([1 for x in t[:12000]]) }}", {"t": "x" * 12_000, "e": ""}
    assert compile_template(costly + "{{e}}" * 5_000).render(data, NOW) == "12000"
    with pytest.raises(ExpressionError, match="too much work"):
        compile_template(costly + "{{e}}" * 12_000).render(data, NOW)


GROWING = [
    "wide + wide",
    "wide.replace('😀', wide)",
    "wide.replace('', wide)",
    "t.replace('x', wide)",
    "join(texts, wide)",
    "join(texts)",
    "wide.join(texts)",
    "t.join(['a', 'b', 'c'])",
    "f'{wide}{t}'",
    "f'{" + "}{".join(["wide"] * 280) + "}'",
    "[" + ", ".join(["wide + 'x'"] * 140) + "]",
    "[" + ", ".join(["wide.lower()"] * 140) + "]",
    "[" + ", ".join(["t.split('x')"] * 100) + "]",
    "[" + ", ".join(["l[:]"] * 100) + "]",
    "[" + ", ".join(["list(t)"] * 100) + "]",
    "[" + ", ".join(["sorted(l)"] * 100) + "]",
    "[" + ", ".join(["l + [1]"] * 100) + "]",
    "[" + ", ".join(["r.items()"] * 100) + "]",
    "[" + ", ".join(["dict(r)"] * 100) + "]",
    "[" + ", ".join(["range(1000)"] * 190) + "]",
    "[" + ", ".join(["sharp.upper()"] * 50) + "]",
    "[x + x for x in texts]",
    "[x.upper() for x in texts]",
    "[f'{x}{x}' for x in texts]",
    "[x.replace('x', 'yy') for x in texts]",
    "[t.replace('x', 'y') for x in l]",
    "[spaced.split() for x in texts]",
    "[l + l for x in texts]",
    "[l[::-1] for x in texts]",
    "[wide[::-1] for x in texts]",
    "[list(l) for x in texts]",
    "[range(1000) for x in l]",
    "{str(x): wide + 'y' for x in l}",
    "{'a': [[texts, texts], [texts, texts]], 'b': [texts, texts]}",
]


@pytest.mark.parametrize("source", GROWING, ids=lambda source: ascii(source[:40]))
def test_an_expression_stays_small(source):
    compiled = compile_expression(source)
    megabytes, refusal = peak(lambda: compiled.evaluate(DATA, NOW))
    assert refusal
    assert megabytes < 16


@pytest.mark.parametrize(
    "script",
    [
        "a = 'x'\nfor i in range(1000):\n  a = a + a",
        "a = wide\nfor i in range(1000):\n  a += wide",
        "a = [1]\nfor i in range(1000):\n  a = a + a",
        "a = [1]\nfor i in range(1000):\n  a.extend(a)",
        "a = []\nfor i in range(1000):\n  a.append(wide + str(i))",
        "a = []\nfor i in range(1000):\n  a.append(l[:])",
        "a = {}\nfor i in range(1000):\n  a[str(i)] = wide.lower()",
        "a = []\nfor i in range(40):\n  a = [a, a]",
        "a = [texts]\nfor i in range(20):\n  a = a + a",
        "for i in range(1000):\n  r.update({str(i): wide.title()})",
        "a = ''\nfor i in l:\n  a = a + t[:1000]",
    ],
    ids=lambda script: ascii(script[-30:]),
)
def test_a_script_stays_small(script):
    compiled = compile_script(script)
    small = {key: DATA[key] for key in ("t", "wide", "l", "r")} | {"texts": ["x" * 100] * 1_000}
    small["l"] = small["l"][:20_000]
    megabytes, refusal = peak(lambda: compiled.run(small, NOW))
    assert refusal
    assert megabytes < 24
