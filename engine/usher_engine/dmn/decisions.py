"""All decisions of a package, compiled: which asks which first, and what they decide for the data of a case."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from usher_engine.core.canonical import Json, settled
from usher_engine.core.errors import DecisionFailed, ExpressionError, InvalidDefinition
from usher_engine.definitions import Package, parse_xml, read_decisions
from usher_engine.expressions import STRICT, Run

from .decision_compiler import Problems, compile_decision
from .decision_table import Decision, Made, Rule, Table
from .hit_policies import decide
from .literals import literal

FUEL = 200_000  # for a decision with all it requires; a cell costs one and what its expression costs
MAX_DECISIONS = 100


@dataclass(frozen=True, kw_only=True)
class Problem:
    """Why a decision cannot run; *element* is the id of the decision or rule, empty for the whole file."""

    file: str
    element: str
    message: str


@dataclass(frozen=True, kw_only=True)
class Decisions:
    """The decisions of a package by id, and what is wrong with those that are not there."""

    by_id: Mapping[str, Decision] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()

    @property
    def rules(self) -> dict[tuple[str, str], Rule]:
        """Every rule of every table, by (decision, rule); rule ids added to a file are its own only."""
        tables = [(key, decision.logic) for key, decision in self.by_id.items() if isinstance(decision.logic, Table)]
        return {(key, rule.id): rule for key, table in tables for rule in table.rules}

    def decide(self, key: str, data: Mapping[str, Json], now: datetime, rules: int = STRICT) -> list[Made]:
        """
        Make the decision *key* by the *rules* of the step, those it requires first; the last one is the one asked for.

        Raises:
            DecisionFailed: No single answer, or a value that does not fit; names rows and columns.
        """
        made: dict[str, Made] = {}
        fuel = FUEL
        for decision in self._in_order(key):
            known = dict(data)
            for required in decision.requires:
                known.update(_told(self.by_id[required], made[required]))
            run = Run(known, now, fuel, rules)
            try:
                made[decision.id] = _made(decision, run)
            except (ExpressionError, DecisionFailed) as error:
                raise DecisionFailed(f"The decision “{decision.name}” ({decision.id}): {error.message}") from error
            fuel = run.fuel
        return list(made.values())

    def _in_order(self, key: str) -> Iterator[Decision]:
        """*key* and all it requires, each behind what it requires itself."""
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


def _made(decision: Decision, run: Run) -> Made:
    if isinstance(decision.logic, Table):
        return decide(decision, decision.logic, run)
    value = settled(decision.logic.within(run))
    literal(value, decision.kind)
    return Made(decision=decision.id, inputs={}, rules=(), outputs={decision.variable: value}, value=value)


def _told(decision: Decision, made: Made) -> dict[str, Json]:
    """What a required decision says to one that asks it: each output by its name, and all under its variable."""
    return {**made.outputs, **({decision.variable: made.value} if decision.variable else {})}


def read_package(package: Package) -> Decisions:
    """Every decision of *package* that can run, and why the others cannot; never raises."""
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
    """The decisions of *package*; raises `InvalidDefinition` where one cannot run."""
    found = read_package(package)
    if found.problems:
        raise InvalidDefinition(problems=[(p.element or p.file, p.message) for p in found.problems])
    return found


def _of_file(package: Package, file: str, files: dict[str, str], problems: Problems) -> Iterator[Decision]:
    """The decisions of one file that can run; *files* learns where each of them stands."""
    try:
        drawn = read_decisions(parse_xml(package.files[file], file), file)
    except InvalidDefinition as error:
        problems.found += [("", reason) for _, reason in error.problems]
        return
    if drawn.unknown:
        problems.add("", f"DMN of the version {drawn.unknown[:100]} is not read. Save the file as DMN 1.1 to 1.5.")
    elif not drawn.namespace:
        problems.add("", "The file is not DMN 1.1 to 1.5: its outermost element is not dmn:definitions.")
    elif not drawn.decisions:
        problems.add("", "The file holds no decision. Draw one, or remove the file.")
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
                yield key, f"It requires the decision “{required}”, which cannot run itself."
        names: dict[str, str] = {}
        for required in dict.fromkeys(r for r in decision.requires if r in compiled):
            for name in {*compiled[required].names, *filter(None, [compiled[required].variable])}:
                if names.setdefault(name, required) != required:
                    yield key, f"The decisions “{names[name]}” and “{required}” both give “{name}”. Rename one."
    for knot in _circles(compiled):
        yield knot[0], f"The decisions require each other in a circle: {', '.join(knot)}. Take one requirement out."


def _circles(compiled: Mapping[str, Decision]) -> Iterator[list[str]]:
    """The decisions that can never be first, as one knot each."""
    left = {key: {r for r in decision.requires if r in compiled} for key, decision in compiled.items()}
    while free := [key for key, required in left.items() if not required & left.keys()]:
        for key in free:
            del left[key]
    reported: set[str] = set()
    for key in left:
        knot, place = [key], key
        while True:
            place = min(left[place] & left.keys())
            if place in knot:
                break
            knot.append(place)
        knot = knot[knot.index(place) :]
        if not reported & set(knot):
            reported |= set(knot)
            yield sorted(knot)
