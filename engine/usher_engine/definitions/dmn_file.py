"""A DMN file as plain values: decisions, and their tables with rows and columns as drawn.

Reads everything, valid or not, and never raises on a tree from `parse_xml`; `dmn` and the gate check it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from .safe_xml import DMN, XmlElement, XmlTree

#: What a decision may contain in addition to its one expression.
_AROUND_EXPRESSION = {
    *("description", "extensionElements", "question", "allowedAnswers", "variable"),
    *("informationRequirement", "knowledgeRequirement", "authorityRequirement"),
    *("supportedObjective", "impactedPerformanceIndicator", "decisionMaker", "decisionOwner"),
    *("usingProcess", "usingTask"),
}
#: What a file may contain in addition to decisions without affecting them.
_HARMLESS = {
    *("decision", "inputData", "knowledgeSource", "textAnnotation", "association", "group", "extensionElements"),
    *("description", "performanceIndicator", "organizationUnit", "elementCollection", "itemDefinition", "DMNDI"),
}
#: Part of the namespace of every DMN version.
_VERSION = "omg.org/spec/DMN/"


@dataclass(frozen=True, kw_only=True)
class Column:
    """
    One input or output column of a table.

    ``text`` is an input's expression or an output's name, ``values`` the list of allowed values as written, ``default``
    the value of an output when no rule matches (None if not set).
    """

    id: str
    label: str
    text: str
    type: str
    language: str = ""
    values: str = ""
    default: str | None = None


@dataclass(frozen=True, kw_only=True)
class Row:
    """One rule: its cells as written, and the notes in its annotation columns."""

    id: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    languages: tuple[str, ...] = ()
    description: str = ""


@dataclass(frozen=True, kw_only=True)
class Table:
    """A decision table; *aggregation* is empty if not set."""

    id: str
    hit_policy: str
    aggregation: str
    inputs: tuple[Column, ...]
    outputs: tuple[Column, ...]
    rows: tuple[Row, ...]


@dataclass(frozen=True, kw_only=True)
class Decision:
    """
    One decision. It has a ``table``, or one ``expression``, or neither.

    ``requires`` lists the ids of the decisions it depends on, ``variable`` is the name of its result for dependents,
    and ``others`` lists the types of its other child elements.
    """

    id: str
    name: str
    variable: str
    requires: tuple[str, ...] = ()
    table: Table | None = None
    expression: str | None = None
    language: str = ""
    type: str = ""
    others: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class DecisionFile:
    """
    One DMN file. *namespace* is empty if the file is not DMN; *others* holds (id, type) of other elements.

    *unknown* is the namespace of an unsupported DMN version.
    """

    file: str
    namespace: str
    decisions: tuple[Decision, ...]
    others: tuple[tuple[str, str], ...] = ()
    unknown: str = ""


def read_decisions(tree: XmlTree, file: str) -> DecisionFile:
    """Return the contents of *tree*."""
    root = tree.getroot()
    namespace, _, kind = str(root.tag).removeprefix("{").rpartition("}")
    if kind != "definitions" or namespace not in DMN:
        unknown = namespace if kind == "definitions" and _VERSION in namespace else ""
        return DecisionFile(file=file, namespace="", decisions=(), unknown=unknown)
    return DecisionFile(
        file=file,
        namespace=namespace,
        decisions=tuple(_decision(child) for child in _children(root, "decision")),
        others=tuple((_id(e), _kind(e)) for e in root if _is_dmn(e) and _kind(e) not in _HARMLESS),
    )


def _decision(element: XmlElement) -> Decision:
    table, literal = _child(element, "decisionTable"), _child(element, "literalExpression")
    others = [_kind(child) for child in element if _is_dmn(child) and _kind(child) not in _AROUND_EXPRESSION]
    expressions = [part for part in (table, literal) if part is not None]
    for part in expressions[:1]:
        others.remove(_kind(part))
    if _child(element, "knowledgeRequirement") is not None:
        others.append("knowledgeRequirement")
    variable = _child(element, "variable")
    return Decision(
        id=_id(element),
        name=element.get("name") or "",
        variable="" if variable is None else (variable.get("name") or "").strip(),
        requires=tuple(_required_decisions(element)),
        table=None if table is None else _table(table),
        expression=None if literal is None else _text(literal),
        language="" if literal is None else literal.get("expressionLanguage") or "",
        type=_type(variable) or _type(literal),
        others=tuple(others),
    )


def _required_decisions(decision: XmlElement) -> Iterator[str]:
    for requirement in _children(decision, "informationRequirement"):
        for required in _children(requirement, "requiredDecision"):
            yield (required.get("href") or "").rpartition("#")[2]


def _table(element: XmlElement) -> Table:
    return Table(
        id=_id(element),
        hit_policy=element.get("hitPolicy") or "UNIQUE",
        aggregation=element.get("aggregation") or "",
        inputs=tuple(_input(child) for child in _children(element, "input")),
        outputs=tuple(_output(child) for child in _children(element, "output")),
        rows=tuple(_row(child) for child in _children(element, "rule")),
    )


def _input(element: XmlElement) -> Column:
    expression = _child(element, "inputExpression")
    return Column(
        id=_id(element),
        label=element.get("label") or "",
        text=_text(expression),
        type=_type(expression),
        language="" if expression is None else expression.get("expressionLanguage") or "",
        values=_text(_child(element, "inputValues")),
    )


def _output(element: XmlElement) -> Column:
    default = _child(element, "defaultOutputEntry")
    return Column(
        id=_id(element),
        label=element.get("label") or "",
        text=(element.get("name") or "").strip(),
        type=_type(element),
        values=_text(_child(element, "outputValues")),
        default=None if default is None else _text(default),
    )


def _row(element: XmlElement) -> Row:
    inputs, outputs = list(_children(element, "inputEntry")), list(_children(element, "outputEntry"))
    return Row(
        id=_id(element),
        inputs=tuple(_text(cell) for cell in inputs),
        outputs=tuple(_text(cell) for cell in outputs),
        languages=tuple(sorted({cell.get("expressionLanguage") or "" for cell in (*inputs, *outputs)} - {""})),
        description=_notes(element),
    )


def _notes(rule: XmlElement) -> str:
    description = _child(rule, "description")
    notes = ["".join(map(str, description.itertext())).strip()] if description is not None else []
    notes += [_text(note) for note in _children(rule, "annotationEntry")]
    return " ".join(filter(None, notes))


def _text(element: XmlElement | None) -> str:
    """The ``text`` of a cell or expression."""
    text = None if element is None else _child(element, "text")
    return "" if text is None else "".join(map(str, text.itertext())).strip()


def _type(element: XmlElement | None) -> str:
    """``typeRef`` without its prefix; DMN 1.1 wrote ``feel:string``."""
    return "" if element is None else (element.get("typeRef") or "").rpartition(":")[2].rpartition("}")[2].strip()


def _children(element: XmlElement, kind: str) -> Iterator[XmlElement]:
    return (child for child in element if _is_dmn(child) and _kind(child) == kind)


def _child(element: XmlElement, kind: str) -> XmlElement | None:
    return next(_children(element, kind), None)


def _is_dmn(element: XmlElement) -> bool:
    return str(element.tag).removeprefix("{").rpartition("}")[0] in DMN


def _kind(element: XmlElement) -> str:
    return str(element.tag).rpartition("}")[2]


def _id(element: XmlElement) -> str:
    return element.get("id") or ""
