"""The application: puts the views together, sets the headers, turns errors into pages. No view logic here."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from flask import Flask, Response, current_app, g, redirect, request, url_for
from jinja2 import FileSystemLoader
from usher_engine import Actor, Engine, Settings
from usher_engine.accounts import Account, Accounts, RecentStaff, Role
from usher_engine.assurance import Prover
from usher_engine.enrollment import Enrollment, open_figures
from werkzeug.routing import IntegerConverter
from werkzeug.wrappers import Response as AnyResponse

from . import (
    audit_logging,
    auth,
    content_policy,
    error_pages,
    kept_text_key,
    profile_pages,
    proxies,
    session_end,
    sign_in,
)
from .admin import (
    account_pages,
    installed_operator_pages,
    operation_pages,
    portal_standing_pages,
    working_day_pages,
)
from .analyst import (
    assumption_pages,
    backtest_pages,
    compare_pages,
    deploy_pages,
    draft_files,
    draft_history_pages,
    editor_pages,
    import_pages,
    migration_pages,
    process_pages,
    sample_mail_pages,
    tryout_pages,
)
from .api import api_routes
from .assets import HERE, asset
from .auditor import activity_pages, audit_pages, export_pages, replay_pages, report_pages, retention_pages
from .casework import case_pages, comment_pages, saved_search_pages
from .casework.comment_views import unseen_mentions
from .demo import caught_mail as outbox
from .message_catalogs import register_catalogues
from .next_page_notice import Notice, from_stored
from .patient import invitation_pages
from .rail import CAUGHT_MAIL, HOME, RAIL, SEARCHING
from .site import KEY, Outbox, Site, site
from .staff import (
    bulk_pages,
    desk_pages,
    ehr_triggers,
    import_conflict_pages,
    inbox,
    invitation_acts,
    live_pages,
    outcomes,
    palette,
    search_box,
    start_pages,
    task_draft_routes,
    view_pages,
    workload_page,
)
from .words import person_names, presentation

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

MAX_BODY = 2 * 1024 * 1024

HEADERS = {
    content_policy.HEADER: content_policy.STRICT,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # Not "no-referrer": browsers would then send "Origin: null" with our own forms.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}

#: Blueprints whose pages belong to the place of another.
INSIDE = {
    "outcomes": "inbox", "live": "inbox", "task_drafts": "inbox",
    "replay": "cases", "conflicts": "triggers", "searches": "cases", "trails": "audit", "retention": "audit",
    "compare": "processes", "modeler": "processes", "deployments": "processes", "history": "processes",
    "imports": "processes", "backtests": "processes", "assumptions": "processes", "migrations": "processes",
    "tryout": "processes", "samples": "processes", "invitations": "triggers",
    "bulk": "inbox", "desk": "inbox", "views": "inbox", "comments": "cases",
    "operating": "admin", "installed_operators": "admin", "portal_standing": "admin", "working_days": "admin",
}


def create_app(
    engine: Engine,
    enrollment: Enrollment,
    accounts: Accounts,
    settings: Settings,
    *,
    outbox: Outbox | None = None,
) -> Flask:
    """Build the web application from these parts; the page of the demo's mail catcher exists only with *outbox*."""
    app = Flask("usher_web")
    app.jinja_loader = FileSystemLoader([HERE / "templates", *sorted(HERE.glob("*/templates"))])
    app.config.update(MAX_CONTENT_LENGTH=MAX_BODY, MAX_FORM_MEMORY_SIZE=MAX_BODY, TRUSTED_HOSTS=_hosts(settings))
    app.url_map.converters["int"] = _Number
    app.json.sort_keys = False  # type: ignore[attr-defined]  # problem details read better in their own order
    register_catalogues(app)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.extensions[KEY] = Site(
        engine=engine,
        enrollment=enrollment,
        accounts=accounts,
        settings=settings,
        prover=Prover(engine.context),
        figures=open_figures(enrollment),
        staff=RecentStaff(accounts),
        outbox=outbox,
    )
    replay_pages.register(app, engine)
    _register_views(app, with_outbox=outbox is not None)
    app.before_request(auth.guard)
    error_pages.register(app)
    audit_logging.register(app)
    app.after_request(_with_headers)
    kept_text_key.register(app)
    app.context_processor(_names)
    _register_filters(app, settings)
    auth.refuse_unguarded(app)
    _read_at_one_moment(app, engine)
    proxies.register(app, settings.proxies)
    return app


def _read_at_one_moment(app: Flask, engine: Engine) -> None:
    """Render each page from one snapshot of the database. A streamed answer is read after it, a piece at a time."""
    answer = app.wsgi_app

    def answering(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        with engine.database.snapshot():
            return answer(environ, start)

    app.wsgi_app = answering  # type: ignore[method-assign,assignment]


class _Number(IntegerConverter):
    """A whole number in an address, as small as every number we count with."""

    regex = "[0-9]{1,9}"


def _hosts(settings: Settings) -> list[str]:
    named = [host.strip() for host in settings.trusted_hosts.split(",") if host.strip()]
    hosts = named or [urlsplit(settings.base_url).hostname or "localhost"]
    return [*hosts, "localhost", "127.0.0.1"] if settings.env == "development" else hosts


def _register_views(app: Flask, *, with_outbox: bool) -> None:
    doors = (sign_in, session_end, profile_pages)
    desk = (
        inbox, desk_pages, palette, bulk_pages, view_pages, task_draft_routes, start_pages, case_pages, comment_pages,
        saved_search_pages, replay_pages, ehr_triggers, search_box, import_conflict_pages, invitation_acts,
        workload_page,
    )
    workbench = (
        process_pages, tryout_pages, compare_pages, editor_pages, draft_files, deploy_pages, draft_history_pages,
        import_pages, backtest_pages, assumption_pages, migration_pages, sample_mail_pages,
    )
    record = (report_pages, audit_pages, activity_pages, retention_pages, export_pages)
    administration = (
        account_pages, portal_standing_pages, working_day_pages, installed_operator_pages, operation_pages,
    )
    modules = (
        *doors, *desk, outcomes, live_pages, *workbench, *record, invitation_pages, *administration, api_routes
    )
    for module in modules:
        app.register_blueprint(module.blueprint)
    if with_outbox:
        app.register_blueprint(outbox.blueprint)
    app.add_url_rule("/", "start", start)
    app.view_functions["static"] = auth.public_file(app.view_functions["static"])


@auth.policy(*Role)
def start() -> AnyResponse:
    return redirect(url_for(HOME[auth.session().account.role]))


def _with_headers(response: Response) -> Response:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if request.endpoint != "static":
        response.headers.setdefault("Cache-Control", "no-store")
    if site().settings.base_url.startswith("https://"):
        response.headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    return response


def _register_filters(app: Flask, settings: Settings) -> None:
    calendar = settings.calendar
    app.add_template_filter(lambda moment: presentation.people_time(moment, site().now(), calendar), "people_time")
    app.add_template_filter(lambda moment: presentation.clock_time(moment, site().now(), calendar), "clock_time")
    app.add_template_filter(lambda moment: presentation.exact_time(moment, calendar), "exact_time")
    app.add_template_filter(lambda moment: presentation.machine_time(moment, calendar), "machine_time")
    app.add_template_filter(lambda moment: calendar.day_of(moment).isoformat(), "iso_day")
    app.add_template_filter(presentation.joined, "joined")
    app.add_template_filter(presentation.case_no, "case_no")
    app.add_template_filter(presentation.file_size, "file_size")
    app.add_template_filter(person_names.person, "person")
    app.add_template_filter(person_names.person_and_account, "person_and_account")


def _names() -> dict[str, Any]:
    """The variables every template may use."""
    session = g.get("session")
    account: Account | None = session.account if session else None
    return {
        "asset": asset,
        "csrf_token": auth.csrf_token,
        "current_user": account,
        "endpoints": current_app.view_functions,
        "next_page_notice": _next_page_notice,
        "outcome_strip": outcomes.strip,
        "home_url": url_for("start"),
        "live_url": live_pages.address(),
        "page_session": session_end.page_session,
        "nav": _rail(account) if account else [],
        "person": person_names.person,
        "practice": site().settings.practice_name,
        "zone": site().settings.time_zone,
        "search_url": url_for("search.show") if account and account.role in SEARCHING else "",
        "search_label": SEARCHING[account.role] if account and account.role in SEARCHING else "",
    }


def _rail(account: Account) -> list[dict[str, Any]]:
    here = INSIDE.get(request.blueprint or "", request.blueprint)
    asked = account.role is Role.STAFF and g.get("actor") and not g.get("fault")  # a fault's page queries nothing
    count = _waiting_for(g.actor) if asked else 0
    return [
        {
            "url": url_for(place.endpoint),
            "label": place.label,
            "icon": place.icon,
            "count": count if place.endpoint == "inbox.show" else 0,
            "current": place.endpoint.split(".")[0] == here,
        }
        for place in ((*RAIL, CAUGHT_MAIL) if site().outbox else RAIL)
        if account.role in place.roles
        and (place.endpoint != "workload.show" or workload_page.is_lead(auth.acting(account)))
    ]


def _waiting_for(actor: Actor) -> int:
    """How much the inbox of *actor* shows: tasks, stopped cases, comments that mention them."""
    engine = site().engine
    return engine.inbox.count_tasks(actor) + engine.search.count_stopped(actor) + len(unseen_mentions())


def _next_page_notice() -> Notice | None:
    """What `auth.say` left for this page; it is shown once."""
    session = g.get("session")
    if session is None or not session.notice or request.method not in auth.SAFE_METHODS:
        return None
    site().accounts.leave_notice(session, "")
    return from_stored(session.notice)
