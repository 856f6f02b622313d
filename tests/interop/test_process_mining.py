"""pm4py reads the XES and OCEL files and finds the cases, events and variants that the database has."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import pytest
from interop.conftest import exported
from usher_engine.enrollment import Enrollment

pytestmark = [
    pytest.mark.xdist_group("pm4py"),
    pytest.mark.filterwarnings("default"),  # warnings of pm4py and its libraries are not ours
]

#: Kinds of events that are no transition in the life cycle of an activity, or repeat one.
LEFT_OUT = {
    "InstanceStarted", "InstanceFinished", "FlowTaken", "DataChanged", "UserTaskCompleted", "ServiceCalled",
    "ServiceRequested", "ServiceCompleted", "ServiceRefused", "ServiceFailed",
}  # fmt: skip


@pytest.fixture(scope="module")
def pm4py() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip("pm4py", reason="make interop brings it")


@pytest.fixture(scope="module")
def activities(enrollment: Enrollment) -> dict[str, list[str]]:
    """The names of the activities of each case in the database, in order."""
    engine = enrollment.engine
    names = {
        element.id: element.name or element.id
        for element in engine.queries.diagram_of(engine.queries.instances(limit=1)[0].id).elements.values()
    }
    return {
        case.id: [
            names.get(event.get("element", ""), "") or event.get("name") or "Case cancelled"
            for step in engine.queries.history(case.id)
            for event in step.events
            if event["kind"] not in LEFT_OUT
        ]
        for case in engine.queries.instances(limit=200)
    }


def test_xes(pm4py: Any, enrollment: Enrollment, activities: dict[str, list[str]], tmp_path: Path) -> None:
    file = tmp_path / "cases.xes"
    file.write_bytes(exported(enrollment, "xes"))
    log = pm4py.read_xes(str(file))
    assert log["case:concept:name"].nunique() == len(activities)
    assert len(log) == sum(map(len, activities.values()))
    variants = {tuple(way) for way in activities.values()}
    assert set(pm4py.get_variants(log)) == variants
    assert {"element", "visit", "version", "org:resource", "lifecycle:transition", "time:timestamp"} <= set(log.columns)
    assert set(log["case:patient"]) == {case.business_key for case in enrollment.engine.queries.instances(limit=200)}


def test_xes_of_each_case(pm4py: Any, enrollment: Enrollment, activities: dict[str, list[str]], tmp_path: Path) -> None:
    file = tmp_path / "cases.xes"
    file.write_bytes(exported(enrollment, "xes"))
    log = pm4py.read_xes(str(file))
    assert {str(case): list(group["concept:name"]) for case, group in log.groupby("case:concept:name")} == activities


def test_ocel(pm4py: Any, enrollment: Enrollment, activities: dict[str, list[str]], tmp_path: Path) -> None:
    file = tmp_path / "cases.json"
    file.write_bytes(exported(enrollment, "ocel"))
    log = pm4py.read_ocel2_json(str(file))
    kinds = dict(log.objects["ocel:type"].value_counts())
    assert kinds["case"] == len(activities)
    assert kinds["patient"] == len({case.business_key for case in enrollment.engine.queries.instances(limit=200)})
    assert {"user task", "invitation", "version"} <= set(kinds)
    assert len(log.events) == sum(map(len, activities.values()))
    names = {"case_id": "case:concept:name", "activity_key": "concept:name", "timestamp_key": "time:timestamp"}
    flat = pm4py.format_dataframe(pm4py.ocel_flattening(log, "case"), **names)
    assert set(pm4py.get_variants(flat)) == {tuple(way) for way in activities.values()}
    assert set(log.relations["ocel:oid"]) <= set(log.objects["ocel:oid"])


def test_the_files_contain_nothing_from_a_patients_record(enrollment: Enrollment) -> None:
    whole = [exported(enrollment, form).decode() for form in ("xes", "ocel", "csv", "fhir")]
    now, settings = enrollment.engine.clock(), enrollment.settings
    records = [record.fields(now, settings) for record in enrollment.patients(limit=200)]
    secrets = {value for fields in records for value in (fields["email"], fields["last_name"]) if value}
    assert not [secret for secret in secrets if any(secret in text for text in whole)]
    assert "gus@example.org" in exported(enrollment, "xes", with_data=True).decode()
