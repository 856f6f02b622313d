"""The rail: the places of the product, who may see each, and where everybody begins."""

from __future__ import annotations

from dataclasses import dataclass

from usher_engine.accounts import Role

from .auditor import report_pages

#: Who may search, and for what.
SEARCHING = {Role.STAFF: "Patients, cases, tasks", Role.AUDITOR: "Cases, patients"}

#: The start page of each role.
HOME = {
    Role.STAFF: "inbox.show",
    Role.ANALYST: "processes.show",
    Role.AUDITOR: "cases.show",
    Role.ADMIN: "admin.people",
}


@dataclass(frozen=True, slots=True)
class Place:
    """One entry of the rail."""

    endpoint: str
    label: str
    icon: str
    roles: frozenset[Role]


RAIL = (
    Place("inbox.show", "Inbox", "inbox", frozenset({Role.STAFF})),
    Place("workload.show", "Workload", "reports", frozenset({Role.STAFF})),  # leads; administrators have a tab
    Place("starts.show", "Start", "start", frozenset({Role.STAFF, Role.ANALYST, Role.ADMIN})),
    Place("triggers.show", "Patients", "people", frozenset({Role.STAFF})),
    Place("cases.show", "Cases", "cases", frozenset({Role.STAFF, Role.AUDITOR})),
    Place("processes.show", "Processes", "processes", frozenset({Role.ANALYST, Role.AUDITOR})),
    Place("reports.show", "Reports", "reports", frozenset(report_pages.MAY_LOOK)),
    Place("audit.show", "Audit", "audit", frozenset({Role.AUDITOR, Role.ADMIN})),
    Place("exports.show", "Exports", "save", frozenset({Role.AUDITOR, Role.ADMIN})),
    Place("admin.people", "Admin", "admin", frozenset({Role.ADMIN})),
)

#: Only with the demo's mail catcher.
CAUGHT_MAIL = Place("outbox.show", "Caught mail", "mail", frozenset({Role.STAFF}))
