"""Reports: where cases went in a period, how long they waited, how many patients answered. Shows no patients."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from flask import Blueprint, Response, abort, render_template, request
from usher_engine.accounts import Role
from usher_engine.authoring import Version
from usher_engine.core import whole_number
from usher_engine.definitions import Drawing
from usher_engine.reporting import OF_ALL, Period, Spread
from werkzeug.wrappers import Response as AnyResponse

from .. import auth
from ..casework.diagram_files import bpmn_response, diagram_names, drawing_views
from ..site import site
from ..words.case_narrative import Names
from ..words.charts import bars
from ..words.element_names import names_in
from . import report_tables
from .report_tables import Table

blueprint = Blueprint("reports", __name__, url_prefix="/reports")

MAY_LOOK = (Role.ANALYST, Role.AUDITOR, Role.ADMIN)
#: The reported times: milestone, name and title.
TIMES = (("end", "times-to-end", "Trigger to end"), ("answered", "times-to-answer", "Trigger to the patient's answer"))
#: The default choice.
USUAL = timedelta(days=90)


@dataclass(frozen=True, kw_only=True, slots=True)
class ReportChoice:
    """The requested report; with *errors*, by field, nothing is counted."""

    process: str
    version: int | None
    first: date
    last: date
    heat: str
    errors: dict[str, str]

    @property
    def values(self) -> dict[str, Any]:
        """The choice as parameters of the address."""
        chosen = {"from": self.first.isoformat(), "to": self.last.isoformat(), "heat": self.heat}
        return {"process": self.process, "version": self.version or None, **chosen}


@blueprint.get("")
@auth.policy(*MAY_LOOK)
def show() -> str | tuple[str, int]:
    versions = site().engine.versions.all()
    if not versions:
        return render_template("reports.html", asked=None, versions=[])
    asked = _parse_choice(versions)
    if asked.errors:
        return render_template("reports.html", asked=asked, versions=versions, period=None), 422
    period = _period(asked)
    names, found, drawings = _names(asked, versions), period.total, _drawings(asked, versions)
    ways = report_tables.variants(found, names)
    took = _times(period)
    return render_template(
        "reports.html",
        asked=asked,
        versions=versions,
        period=period,
        total=found,
        few=found.cases < report_tables.FEW,
        span=report_tables.span_words(asked.first, asked.last),
        drawings=drawing_views(drawings, "reports.diagram", process=asked.process, number=_drawn(asked, versions)),
        heat=report_tables.heat_of(found, by_wait=asked.heat == "waits"),
        elements=report_tables.elements(found, names, diagram_names(drawings)),
        funnel=bars(report_tables.funnel(found.groups.get(OF_ALL, {}))),
        months=report_tables.by_month(period),
        languages=report_tables.by_language(found),
        times=[(table, usual, bars([(row[0], int(row[1]), row[1]) for row in table.rows])) for table, usual in took],
        ways=ways,
        ways_table=report_tables.variants_table(ways),
        more_ways=len(found.variants) - len(ways),
        may_see_cases=auth.session().account.role is Role.AUDITOR,
    )


@blueprint.get("/<name>.csv")
@auth.policy(*MAY_LOOK)
def download(name: str) -> Response:
    """Return one table of the report as CSV, for the same choice."""
    versions = site().engine.versions.all()
    asked = _parse_choice(versions) if versions else abort(404)
    if asked.errors:
        abort(422, "; ".join(asked.errors.values()))
    table = next((found for found in _tables(asked, versions) if found.name == name), None) or abort(404)
    response = Response(table.to_csv(), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}-{asked.first}-{asked.last}.csv"'
    return response


@blueprint.get("/diagram/<process>/<int:number>.bpmn")
@auth.policy(*MAY_LOOK)
def diagram(process: str, number: int) -> AnyResponse:
    return bpmn_response(site().engine.versions.package(process, number))


def _tables(asked: ReportChoice, versions: list[Version]) -> list[Table]:
    period = _period(asked)
    found, names = period.total, _names(asked, versions)
    return [
        report_tables.elements(found, names, diagram_names(_drawings(asked, versions))),
        report_tables.by_month(period),
        report_tables.by_language(found),
        *(table for table, _ in _times(period)),
        report_tables.variants_table(report_tables.variants(found, names)),
    ]


def _times(period: Period) -> list[tuple[Table, str]]:
    found = period.total.times
    spreads = [(found.get(key, Spread()), name, title) for key, name, title in TIMES]
    tables = report_tables
    return [(tables.times(name, title, spread), tables.typical(spread)) for spread, name, title in spreads]


def _parse_choice(versions: list[Version]) -> ReportChoice:
    """The choice in the address; an unknown process becomes the first, an unknown version all."""
    errors: dict[str, str] = {}
    today = site().today()
    process = request.args.get("process", "")
    if process not in {version.process for version in versions}:
        process = versions[0].process
    number = whole_number(request.args.get("version", ""))
    last = _date("to", today, errors)
    first = _date("from", last - USUAL, errors)
    if not errors and first > last:
        words = f"This is after the last day, {last.day} {last:%B %Y}."
        errors["from"] = f"{words} Choose an earlier day, or a later one there."
    return ReportChoice(
        process=process,
        version=number if number in {one.number for one in versions if one.process == process} else None,
        first=first,
        last=last,
        heat="waits" if request.args.get("heat") == "waits" else "visits",
        errors=errors,
    )


def _date(name: str, usual: date, errors: dict[str, str]) -> date:
    text = request.args.get(name, "").strip()
    try:
        return date.fromisoformat(text) if text else usual
    except ValueError:
        errors[name] = "This is not a date. Write it as year-month-day, for example 2026-05-04."
        return usual


def _period(asked: ReportChoice) -> Period:
    return site().figures.period(asked.process, asked.first, asked.last, version=asked.version)


def _drawn(asked: ReportChoice, versions: list[Version]) -> int:
    """The version whose diagrams are shown: the requested one, or the newest."""
    return asked.version or max(version.number for version in versions if version.process == asked.process)


def _drawings(asked: ReportChoice, versions: list[Version]) -> Sequence[Drawing]:
    return site().engine.versions.package(asked.process, _drawn(asked, versions)).drawings


def _names(asked: ReportChoice, versions: list[Version]) -> Names:
    """The names of elements: from the requested version, else from the newest that has them."""
    numbers = [one.number for one in versions if one.process == asked.process and asked.version in (None, one.number)]
    found: dict[str, str] = {}
    for number in sorted(numbers, reverse=True):
        for element, name in names_in(asked.process, number).items():
            found.setdefault(element, name)
    return Names(elements=found)
