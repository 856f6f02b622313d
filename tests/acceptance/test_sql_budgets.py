"""How many SQL statements and transactions each route may need; a change that costs more raises its budget here.

Statements count as SQLite gets them, each BEGIN among them. On PostgreSQL the locks of a command come on top, and BEGIN
does not count.
"""

from __future__ import annotations

import pytest
from acceptance.conftest import House
from acceptance.every_route import Tour
from site_map import addresses

#: By method and route: (statements, transactions).
BUDGETS = {
    "GET /static/<path:filename>": (0, 0),
    "GET /sign-in": (0, 0),
    "POST /sign-in": (20, 9),
    "POST /sign-out": (7, 3),
    "GET /profile": (9, 1),
    "POST /profile/digest": (6, 3),
    "GET /profile/digest/<off>": (2, 1),
    "POST /profile/digest/<off>": (8, 2),
    "POST /profile/name": (11, 3),
    "POST /profile/email": (14, 4),
    "GET /profile/email/<secret>": (3, 1),
    "POST /profile/email/<secret>": (11, 3),
    "POST /profile/email/remove": (9, 3),
    "POST /profile/substitutes": (16, 4),
    "POST /profile/substitutes/<int:number>/end": (12, 4),
    "POST /admin/people/<name>/substitutes": (16, 4),
    "POST /admin/people/<name>/substitutes/<int:number>/end": (12, 4),
    "GET /session": (2, 1),
    "POST /session/stay": (2, 1),
    "GET /inbox": (8, 1),
    "GET /inbox/rows": (8, 1),
    "GET /inbox/<task_id>": (12, 1),
    "POST /inbox/<task_id>/claim": (6, 2),
    "POST /inbox/<task_id>/release": (12, 3),
    "POST /inbox/<task_id>/complete": (30, 3),
    "POST /inbox/<task_id>/cancel": (25, 3),
    "GET /inbox/<task_id>/draft": (5, 1),
    "POST /inbox/<task_id>/draft": (6, 2),
    "POST /inbox/<task_id>/draft/choose": (9, 2),
    "POST /inbox/<task_id>/draft/correct": (11, 4),
    "POST /inbox/<task_id>/draft/let-go": (8, 3),
    "GET /inbox/<task_id>/preview": (10, 1),
    "POST /inbox/<task_id>/assign": (8, 3),
    "POST /inbox/<task_id>/due": (15, 4),
    "POST /inbox/<task_id>/later": (15, 4),
    "POST /inbox/views": (10, 3),
    "POST /inbox/views/<int:view_id>/move": (6, 2),
    "POST /inbox/views/<int:view_id>/delete": (10, 3),
    "POST /inbox/bulk": (7, 1),
    "POST /inbox/bulk/run": (9, 2),
    "GET /inbox/bulk/<batch>": (11, 1),
    "GET /inbox/bulk/<batch>/progress": (3, 1),
    "POST /inbox/bulk/<batch>/stop": (10, 4),
    "GET /workload": (7, 1),
    "GET /start": (8, 1),
    "GET /start/<process>": (11, 1),
    "GET /events": (6, 1),
    "GET /outcomes": (13, 1),
    "GET /outcomes/strip": (12, 1),
    "POST /outcomes/<instance_id>/away": (6, 2),
    "POST /outcomes/<instance_id>/again": (21, 4),
    "POST /outcomes/<instance_id>/address": (30, 5),
    "POST /start/<process>": (15, 2),
    "GET /cases": (15, 1),
    "GET /cases/<instance_id>": (16, 1),
    "GET /cases/<instance_id>/onward": (4, 1),
    "GET /cases/<instance_id>/diagram.bpmn": (4, 1),
    "POST /cases/<instance_id>/retry": (20, 4),
    "POST /cases/<instance_id>/cancel": (16, 3),
    "GET /cases/<instance_id>/comments": (8, 1),
    "POST /cases/<instance_id>/comments": (19, 3),
    "POST /cases/<instance_id>/comments/<int:number>/correct": (18, 3),
    "POST /cases/<instance_id>/comments/<int:number>/withdraw": (17, 3),
    "GET /cases/<instance_id>/files/<sha256>": (10, 2),
    "GET /cases/<instance_id>/comments/draft": (5, 1),
    "POST /cases/<instance_id>/comments/draft": (9, 2),
    "GET /cases/<instance_id>/comments/people": (7, 1),
    "POST /cases/searches": (10, 3),
    "POST /cases/searches/<int:search_id>/name": (12, 4),
    "POST /cases/searches/<int:search_id>/delete": (10, 3),
    "GET /cases/<instance_id>/replay": (13, 1),
    "GET /cases/<instance_id>/replay.json": (8, 1),
    "GET /cases/<instance_id>/proof": (15, 1),
    "GET /patients": (10, 1),
    "GET /patients/<patient_id>": (14, 1),
    "GET /patients/<patient_id>/template": (9, 1),
    "GET /patients/<patient_id>/sure": (9, 1),
    "POST /patients/<patient_id>/trigger": (18, 2),
    "GET /import-conflicts": (9, 1),
    "POST /import-conflicts/<patient_id>/<group>": (14, 3),
    "POST /invitations/undo/<instance_id>/<int:revision>": (29, 4),
    "GET /invitations/<patient_id>/withdraw": (15, 1),
    "POST /invitations/<patient_id>/withdraw": (20, 3),
    "POST /i/<token>/opened": (7, 2),
    "POST /i/<token>/new-link": (10, 2),
    "GET /i/<token>/answer": (0, 0),
    "GET /i/<token>/new-link": (0, 0),
    "GET /search": (16, 1),
    "GET /palette": (15, 1),
    "GET /reports": (19, 1),
    "GET /reports/<name>.csv": (19, 1),
    "GET /reports/diagram/<process>/<int:number>.bpmn": (3, 1),
    "GET /processes": (7, 1),
    "GET /processes/<process>": (5, 1),
    "GET /processes/<process>/<int:number>/diagram.bpmn": (3, 1),
    "GET /processes/<process>/try": (5, 1),
    "POST /processes/<process>/try": (3, 1),
    "POST /processes/<process>/try/save": (24, 4),
    "GET /processes/<process>/try/<source>/diagram.bpmn": (3, 1),
    "GET /processes/<process>/compare": (5, 1),
    "GET /processes/<process>/compare/<side>/diagram.bpmn": (3, 1),
    "GET /drafts/new": (2, 1),
    "POST /drafts/new": (12, 2),
    "POST /processes/<process>/draft": (3, 1),
    "POST /processes/<process>/draft/discard": (15, 3),
    "GET /processes/<process>/edit": (7, 1),
    "GET /processes/<process>/files/<path:path>": (7, 1),
    "GET /processes/<process>/files": (5, 1),
    "POST /processes/<process>/files": (9, 2),
    "POST /processes/<process>/files/rename": (10, 2),
    "POST /processes/<process>/files/remove": (12, 3),
    "GET /processes/<process>/late/<key>": (8, 1),
    "POST /processes/<process>/late/<key>": (6, 3),
    "POST /drafts/preview": (2, 1),
    "POST /processes/<process>/mail/send-to-me": (10, 4),
    "GET /processes/<process>/draft/file/<path:path>": (3, 1),
    "PUT /processes/<process>/draft/file/<path:path>": (8, 2),
    "DELETE /processes/<process>/draft/file/<path:path>": (10, 2),
    "POST /processes/<process>/draft/check": (3, 1),
    "POST /processes/<process>/draft/changes": (3, 1),
    "GET /processes/<process>/draft/package.zip": (3, 1),
    "GET /processes/<process>/draft/late/<key>": (3, 1),
    "DELETE /processes/<process>/draft/late/<key>": (4, 2),
    "GET /processes/<process>/deploy": (15, 1),
    "POST /processes/<process>/deploy": (23, 4),
    "POST /processes/<process>/deploy/accept": (11, 3),
    "POST /processes/<process>/deploy/send-back": (11, 3),
    "GET /processes/<process>/history": (9, 1),
    "GET /processes/<process>/import": (9, 1),
    "POST /processes/<process>/import": (6, 3),
    "POST /processes/<process>/history": (10, 3),
    "POST /processes/<process>/history/<int:number>/back": (14, 3),
    "POST /processes/<process>/draft/keep": (8, 2),
    "POST /processes/<process>/roll-back": (14, 3),
    "GET /processes/<process>/backtest": (7, 1),
    "POST /processes/<process>/backtest": (10, 2),
    "GET /processes/<process>/backtest/<batch>": (5, 1),
    "GET /processes/<process>/backtest/<batch>/progress": (3, 1),
    "POST /processes/<process>/backtest/<batch>/cancel": (10, 3),
    "GET /processes/<process>/backtest/<batch>/cases/<instance_id>": (5, 1),
    "GET /processes/<process>/backtest/<batch>/<side>.bpmn": (3, 1),
    "GET /processes/<process>/backtest/<batch>/cases.csv": (8, 2),
    "GET /processes/<process>/backtest/<batch>/assume/<element>": (4, 1),
    "POST /processes/<process>/backtest/<batch>/assume/<element>": (12, 2),
    "GET /processes/<process>/migrate": (11, 1),
    "POST /processes/<process>/migrate": (9, 2),
    "GET /processes/<process>/migrate/<batch>": (8, 1),
    "POST /processes/<process>/migrate/<batch>/run": (9, 2),
    "GET /processes/<process>/migrate/<batch>/progress": (3, 1),
    "POST /processes/<process>/migrate/<batch>/cancel": (10, 3),
    "GET /i/<token>": (5, 1),
    "POST /i/<token>": (8, 2),
    "POST /i/<token>/answer": (23, 3),
    "GET /i/<token>/opt-out": (4, 1),
    "POST /i/<token>/opt-out": (15, 2),
    "GET /audit": (13, 1),
    "POST /audit/check": (6, 3),
    "GET /audit/check": (3, 1),
    "GET /audit/reviews": (5, 1),
    "POST /audit/reviews": (6, 3),
    "GET /audit/people": (4, 1),
    "GET /audit/people/<name>": (15, 3),
    "GET /audit/patients": (2, 1),
    "GET /audit/patients/<patient_id>": (16, 3),
    "GET /audit/retention": (7, 1),
    "POST /audit/retention/purge": (15, 3),
    "POST /audit/retention/holds": (11, 3),
    "POST /audit/retention/holds/lift": (9, 3),
    "GET /exports": (3, 1),
    "POST /exports": (14, 5),
    "POST /cases/<instance_id>/evidence": (59, 7),
    "GET /admin/people": (3, 1),
    "POST /admin/people": (13, 3),
    "GET /admin/people/<name>": (8, 1),
    "POST /admin/people/<name>": (13, 3),
    "POST /admin/people/<name>/name": (11, 3),
    "POST /admin/people/<name>/release": (20, 4),
    "POST /admin/people/<name>/password": (12, 3),
    "POST /admin/people/<name>/disabled": (14, 3),
    "GET /admin/tokens": (3, 1),
    "POST /admin/tokens": (12, 3),
    "POST /admin/tokens/<name>/revoke": (9, 3),
    "GET /admin/triggers": (4, 1),
    "POST /admin/triggers": (9, 3),
    "GET /admin/cases": (4, 1),
    "GET /admin/cases/<instance_id>": (5, 1),
    "POST /admin/cases/<instance_id>/retry": (15, 3),
    "POST /admin/cases/<instance_id>/cancel": (19, 3),
    "POST /admin/cases/<instance_id>/repair": (21, 4),
    "GET /admin/processes": (5, 1),
    "GET /admin/operators": (3, 1),
    "GET /admin/working-days": (4, 1),
    "POST /admin/working-days/week": (9, 3),
    "POST /admin/working-days/holidays": (9, 3),
    "POST /admin/working-days/holidays/remove": (9, 3),
    "POST /admin/working-days/us-federal": (9, 3),
    "POST /admin/processes/<process>/pause": (10, 3),
    "POST /admin/processes/<process>/resume": (11, 3),
    "GET /admin/patients": (3, 1),
    "GET /admin/patients/<patient_id>": (10, 1),
    "POST /admin/patients/<patient_id>/portal-status": (21, 5),
    "POST /admin/patients/<patient_id>/opt-out": (17, 3),
    "POST /api/v1/patients/<patient_id>/portal-status": (20, 6),
    "POST /api/v1/patients/<patient_id>/opt-out": (13, 3),
    "POST /api/v1/triggers": (15, 3),
    "POST /api/v1/processes/<key>/instances": (15, 3),
    "GET /api/v1/patients": (8, 3),
    "GET /api/v1/tasks": (5, 3),
    "POST /api/v1/tasks/<task_id>/claim": (11, 3),
    "POST /api/v1/tasks/<task_id>/unclaim": (11, 3),
    "POST /api/v1/tasks/<task_id>/complete": (20, 3),
    "GET /api/v1/instances": (8, 3),
    "GET /api/v1/instances/<instance_id>": (5, 3),
    "GET /api/v1/instances/<instance_id>/history": (6, 3),
    "POST /api/v1/instances/<instance_id>/cancel": (18, 5),
    "POST /api/v1/messages": (16, 3),
    "GET /api/v1/definitions": (4, 3),
    "POST /api/v1/definitions/<key>/versions": (10, 3),
    "GET /api/v1/health": (2, 1),
    "GET /api/v1/metrics": (6, 3),
    "GET /api/v1/openapi.json": (0, 0),
    "GET /": (2, 1),
}

#: Pages whose view is recorded, unless it was recorded a moment ago.
RECORDED = ("GET /inbox", "GET /inbox/<task_id>", "GET /cases/<instance_id>", "GET /patients/<patient_id>")

#: How far a budget of statements may lie above what its route needs.
SLACK = 2


@pytest.fixture
def tour(house: House) -> Tour:
    made = Tour(house)
    made.visit()
    return made


def test_every_route_keeps_to_its_budget(house: House, tour: Tour) -> None:
    there = {f"{method} {rule.rule}" for rule, _, method in addresses(house.app)}
    assert sorted(there - tour.asked.keys()) == [], "every_route.py does not visit these"
    assert sorted(there - BUDGETS.keys()) == [], "these have no budget"
    assert sorted(BUDGETS.keys() - there) == [], "these routes are no more"
    wrong = []
    for name in sorted(there):
        asked, (statements, transactions) = tour.asked[name], BUDGETS[name]
        needed = asked.counts
        if needed[0] > statements or needed[1] > transactions:
            wrong.append(f"{name} may need {statements} statements in {transactions} transactions. It needs {asked}")
        elif needed[0] < statements - SLACK or needed[1] < transactions:
            wrong.append(f"{name} needs {needed} only; make its budget smaller.")
    assert not wrong, "\n\n".join(wrong)
    for name in RECORDED:  # who saw what is one transaction more, after the view: the page is not read afresh for it
        assert tour.first[name].transactions <= BUDGETS[name][1] + 1, f"{name}: {tour.first[name]}"


#: What DESIGN promises of the pages that people wait for most; a trigger of a Pending patient also asks for the link.
PROMISED = {"GET /inbox": (8, 1), "GET /inbox/<task_id>": (12, 1), "POST /api/v1/triggers": (15, 3)}


def test_the_budgets_keep_what_was_promised() -> None:
    for name, promised in PROMISED.items():
        assert BUDGETS[name] <= promised, name
