"""Writes DMN files for tests: a table is its columns and rows, as an editor would save them."""

from __future__ import annotations

from collections.abc import Sequence
from xml.sax.saxutils import escape, quoteattr

from usher_engine.definitions import Package

DMN_1_3 = "https://www.omg.org/spec/DMN/20191111/MODEL/"


def text(tag: str, content: str, attributes: str = "") -> str:
    return f"<{tag}{attributes}><text>{escape(content)}</text></{tag}>"


def table(
    inputs: Sequence[tuple[str, str]] = (),
    outputs: Sequence[tuple[str, str, str]] = (("out", "", ""),),
    rows: Sequence[tuple[Sequence[str], Sequence[str]]] = (),
    policy: str = "UNIQUE",
    aggregation: str = "",
    defaults: Sequence[str | None] = (),
    ids: bool = True,
) -> str:
    """*inputs* are (expression, type), *outputs* (name, type, values in order), *rows* (input cells, output cells)."""
    drawn = [
        f"<input>{text('inputExpression', source, f' typeRef={quoteattr(kind)}' if kind else '')}</input>"
        for source, kind in inputs
    ]
    for number, (name, kind, values) in enumerate(outputs):
        default = defaults[number] if number < len(defaults) else None
        inner = (text("outputValues", values) if values else "") + (
            "" if default is None else text("defaultOutputEntry", default)
        )
        typed = f" typeRef={quoteattr(kind)}" if kind else ""
        drawn.append(f"<output name={quoteattr(name)}{typed}>{inner}</output>")
    for number, (cells, answers) in enumerate(rows, start=1):
        inner = "".join(text("inputEntry", cell) for cell in cells) + "".join(text("outputEntry", a) for a in answers)
        drawn.append(f'<rule id="r{number}">{inner}</rule>' if ids else f"<rule>{inner}</rule>")
    attributes = f' hitPolicy="{policy}"' + (f' aggregation="{aggregation}"' if aggregation else "")
    return f"<decisionTable{attributes}>{''.join(drawn)}</decisionTable>"


def decision(logic: str, key: str = "D", requires: Sequence[str] = (), variable: str = "") -> str:
    needs = "".join(
        f'<informationRequirement><requiredDecision href="#{other}"/></informationRequirement>' for other in requires
    )
    named = f"<variable name={quoteattr(variable)}/>" if variable else ""
    return f'<decision id="{key}" name="{key}">{named}{needs}{logic}</decision>'


def file(*decisions: str, namespace: str = DMN_1_3) -> bytes:
    return f'<definitions xmlns="{namespace}" id="f" name="f" namespace="x">{"".join(decisions)}</definitions>'.encode()


def package(*decisions: str, namespace: str = DMN_1_3) -> Package:
    return Package({"rules.dmn": file(*decisions, namespace=namespace)})
