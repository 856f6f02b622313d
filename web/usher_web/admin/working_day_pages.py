"""Where administrators keep the practice's working days and holidays. Shows no patients."""

from __future__ import annotations

from datetime import date

import usher_engine
from flask import Blueprint, redirect, render_template, request, url_for
from usher_engine.accounts import Role
from usher_engine.authoring import WEEK
from usher_engine.core import whole_number
from werkzeug.wrappers import Response

from .. import auth
from ..site import site
from ..words.date_range import day_of
from ..words.presentation import people_day

blueprint = Blueprint("working_days", __name__, url_prefix="/admin/working-days")

Page = tuple[str, int] | Response


@blueprint.get("")
@auth.policy(Role.ADMIN)
def show() -> str:
    return _page()


@blueprint.post("/week")
@auth.policy(Role.ADMIN)
def set_week() -> Page:
    days = [number for text in request.form.getlist("weekday") if (number := whole_number(text)) is not None]
    try:
        site().engine.working_calendar.set_weekdays(days, actor=auth.actor())
    except usher_engine.InvalidSubmission as wrong:
        return _page(wrong.fields), 422
    auth.say("The working days of the week are set.")
    return redirect(url_for(".show"), 303)


@blueprint.post("/holidays")
@auth.policy(Role.ADMIN)
def add() -> Page:
    try:
        day = _day()
        site().engine.working_calendar.add_holiday(day, request.form.get("name", ""), actor=auth.actor())
    except usher_engine.InvalidSubmission as wrong:
        return _page(wrong.fields), 422
    except usher_engine.Conflict as there:
        return _page({"day": there.message}), 409
    auth.say(f"{people_day(day, site().today())} is a holiday.")
    return redirect(url_for(".show"), 303)


@blueprint.post("/us-federal")
@auth.policy(Role.ADMIN)
def add_us_federal() -> Page:
    year = whole_number(request.form.get("year", "")) or 0
    try:
        added = site().engine.working_calendar.add_us_federal(year, actor=auth.actor())
    except usher_engine.InvalidSubmission as wrong:
        return _page({"year": wrong.message}), 422
    auth.say(f"{added} days of {year} were added." if added else f"All of {year} were there already.")
    return redirect(url_for(".show"), 303)


@blueprint.post("/holidays/remove")
@auth.policy(Role.ADMIN)
def remove() -> Response:
    try:
        day = _day()
        site().engine.working_calendar.remove_holiday(day, actor=auth.actor())
    except (usher_engine.InvalidSubmission, usher_engine.NotFound) as refused:
        auth.say_failed(refused.message)
    else:
        auth.say(f"{people_day(day, site().today())} is no holiday any more.")
    return redirect(url_for(".show"), 303)


def _day() -> date:
    """The day that was sent; raises `InvalidSubmission`."""
    errors: dict[str, str] = {}
    day = day_of(request.form.get("day", ""), "day", errors)
    if day is None:
        reason = errors.get("day", "Choose a day.")
        raise usher_engine.InvalidSubmission(reason, fields={"day": reason})
    return day


def _page(errors: dict[str, str] | None = None) -> str:
    working, today = site().engine.working_calendar.working_days(), site().today()
    years = sorted({day.year for day in working.holidays}, key=lambda year: (year < today.year, abs(year - today.year)))
    return render_template(
        "admin_working_days.html",
        week=[(number, name, number in working.weekdays) for number, name in enumerate(WEEK)],
        years=[(year, [one for one in sorted(working.holidays.items()) if one[0].year == year]) for year in years],
        today=today,
        sent=request.form,
        errors=errors or {},
    )
