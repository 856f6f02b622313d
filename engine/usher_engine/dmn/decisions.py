"""All compiled decisions of a package: their order of evaluation, and their results for the data of a case."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from usher_engine.core.canonical import Json, as_stored_json
from usher_engine.core.errors import DecisionFailed, ExpressionError, InvalidDefinition
from usher_engine.core.practice_calendar import UTC_CALENDAR, Calendar
from usher_engine.definitions import Package, parse_xml, read_decisions
from usher_engine.expressions import STRICT, Run

from .decision_compiler import Problems, compile_decision
from .decision_table import Decision, DecisionResult, Rule, Table
from .hit_policies import decide
from .literals import literal

FUEL = 200_000  # for a decision and all it requires; a cell costs one unit plus the cost of its expression
MAX_DECISIONS = 100


@dataclass(frozen=True, kw_only=True)
class Problem:
    """Why a decision cannot run; *element* is the id of the decision or rule, empty for the whole file."""

    file: str
    element: str
    message: str


@dataclass(frozen=True, kw_only=True)
class Decisions:
    """The decisions of a package by id, and the problems of those that do not compile."""

    by_id: Mapping[str, Decision] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()

    @property
    def rules(self) -> dict[tuple[str, str], Rule]:
        """Every rule of every table, by (decision, rule); generated rule ids are unique only within their file."""
        tables = [(key, decision.logic) for key, decision in self.by_id.items() if isinstance(decision.logic, Table)]
        return {(key, rule.id): rule for key, table in tables for rule in table.rules}

    def decide(
        self,
        key: str,
        data: Mapping[str, Json],
        now: datetime,
        rules: int = STRICT,
        calendar: Calendar = UTC_CALENDAR,
    ) -> list[DecisionResult]:
        """
        Evaluate the decision *key* under the *rules* of the step. Required decisions come first, *key* comes last.

        Raises:
            DecisionFailed: No single answer, or a value of the wrong type; the message names rows and columns.
        """
        results: dict[str, DecisionResult] = {}
        fuel = FUEL
        for decision in self._in_order(key):
            data_and_results = dict(data)
            for required in decision.requires:
                data_and_results.update(_names_for_dependents(self.by_id[required], results[required]))
            run = Run(data_and_results, now, fuel, rules, calendar)
            try:
                results[decision.id] = _evaluate(decision, run)
            except (ExpressionError, DecisionFailed) as error:
                raise DecisionFailed(f"The decision “{decision.name}” ({decision.id}): {error.message}") from error
            fuel = run.fuel
        return list(results.values())

    def _in_order(self, key: str) -> Iterator[Decision]:
        """Yield *key* and all it requires, each after its own requirements."""
        done: set[str] = set()
        waiting = [key]
        while waiting:
            decision = self.by_id[waiting[-1]]
            missing = [required for required in decision.requires if required not in done]
            if missing:
                waiting += missing
                continue
            waiting.pop()
            if decision.id not in done:
                done.add(decision.id)
                yield decision


def _evaluate(decision: Decision, run: Run) -> DecisionResult:
    if isinstance(decision.logic, Table):
        return decide(decision, decision.logic, run)
    value = as_stored_json(decision.logic.within(run))
    literal(value, decision.kind)
    return DecisionResult(decision=decision.id, inputs={}, rules=(), outputs={decision.variable: value}, value=value)


def _names_for_dependents(decision: Decision, result: DecisionResult) -> dict[str, Json]:
    """The names a required decision adds for its dependents: each output, and the whole value under its variable."""
    return {**result.outputs, **({decision.variable: result.value} if decision.variable else {})}


def read_package(package: Package) -> Decisions:
    """Compile every decision of *package* and collect the problems of the others; never raises."""
    compiled: dict[str, Decision] = {}
    files: dict[str, str] = {}
    problems: list[Problem] = []
    for file in package.decisions():
        found = Problems()
        for decision in _of_file(package, file, files, found):
            compiled[decision.id] = decision
        problems += [Problem(file=file, element=element, message=message) for element, message in found.found]
    for key, message in _requirement_problems(compiled, files):
        problems.append(Problem(file=files[key], element=key, message=message))
    wrong = {problem.element for problem in problems}
    return Decisions(
        by_id={key: decision for key, decision in compiled.items() if key not in wrong},
        files=files,
        problems=tuple(problems),
    )


def compile_decisions(package: Package) -> Decisions:
    """Compile the decisions of *package*; raises `InvalidDefinition` if one does not compile."""
    found = read_package(package)
    if found.problems:
        raise InvalidDefinition(problems=[(p.element or p.file, p.message) for p in found.problems])
    return found


def _of_file(package: Package, file: str, files: dict[str, str], problems: Problems) -> Iterator[Decision]:
    """Yield the compiled decisions of one file, and add each decision id to *files*."""
    try:
        drawn = read_decisions(parse_xml(package.files[file], file), file)
    except InvalidDefinition as error:
        problems.found += [("", reason) for _, reason in error.problems]
        return
    if drawn.unknown:
        problems.add("", f"The DMN version {drawn.unknown[:100]} is not supported. Save the file as DMN 1.1 to 1.5.")
    elif not drawn.namespace:
        problems.add("", "The file is not DMN 1.1 to 1.5: its root element is not dmn:definitions.")
    elif not drawn.decisions:
        problems.add("", "The file contains no decision. Draw one, or remove the file.")
    for key, kind in drawn.others:
        problems.add(key, f"“{kind}” cannot run. Write what it computes as a decision of its own.")
    for decision in drawn.decisions:
        if decision.id in files:
            problems.add(decision.id, f"Two decisions have the id “{decision.id}”. Give each its own.")
        elif len(files) == MAX_DECISIONS:
            problems.add(decision.id, f"A package has at most {MAX_DECISIONS} decisions.")
            return
        else:
            files[decision.id] = file
            compiled = compile_decision(decision, problems)
            if compiled is not None:
                yield compiled


def _requirement_problems(compiled: Mapping[str, Decision], files: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for key, decision in compiled.items():
        for required in decision.requires:
            if required not in files:
                yield key, f"It requires the decision “{required}”, which is not in the package."
            elif required not in compiled:
                yield key, f"It requires the decision “{required}”, which cannot run."
        names: dict[str, str] = {}
        for required in dict.fromkeys(r for r in decision.requires if r in compiled):
            for name in {*compiled[required].names, *filter(None, [compiled[required].variable])}:
                if names.setdefault(name, required) != required:
                    yield key, f"The decisions “{names[name]}” and “{required}” both define “{name}”. Rename one."
    for circle in _circles(compiled):
        yield circle[0], f"The decisions require each other in a circle: {', '.join(circle)}. Remove one requirement."


def _circles(compiled: Mapping[str, Decision]) -> Iterator[list[str]]:
    """Yield each cycle of requirements."""
    left = {key: {r for r in decision.requires if r in compiled} for key, decision in compiled.items()}
    while free := [key for key, required in left.items() if not required & left.keys()]:
        for key in free:
            del left[key]
    reported: set[str] = set()
    for key in left:
        circle, here = [key], key
        while True:
            here = min(left[here] & left.keys())
            if here in circle:
                break
            circle.append(here)
        circle = circle[circle.index(here) :]
        if not reported & set(circle):
            reported |= set(circle)
            yield sorted(circle)
