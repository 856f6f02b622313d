"""A page of the inbox costs the same number of statements for many tasks as for few."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import event


@contextmanager
def counted(database) -> Iterator[list[str]]:
    """The statements sent while inside."""
    statements: list[str] = []

    def note(_connection, _cursor, statement, *_rest):
        if not statement.startswith("BEGIN"):
            statements.append(statement)

    event.listen(database.db, "before_cursor_execute", note)
    yield statements
    event.remove(database.db, "before_cursor_execute", note)


@pytest.mark.parametrize(("path", "most"), [("/inbox", 14), ("/inbox/rows", 14), ("/patients", 9)])
def test_the_number_of_statements_does_not_grow(house, path, most):
    alice = house.visitor("alice")
    database = house.enrollment.engine.database
    few = ["sample-pending"]
    many = ["sample-declined", "sample-deferred", "sample-no-email", "sample-no-zip", "sample-bare"]
    numbers = []
    for patients in (few, many):
        for patient in patients:
            house.select(patient, alice)
        alice.get("/inbox")
        with counted(database) as statements:
            assert alice.get(path).status_code == 200
        numbers.append(len(statements))
    assert numbers[1] <= numbers[0] + 1, "one more is the standing answers, asked for where there are any"
    assert numbers[1] <= most


def test_many_patients_read_at_once_are_the_same_as_one_by_one(house):
    known = [record.id for record in house.enrollment.patients(limit=100)]
    together = house.enrollment.patients_by_id([*known, "nobody"])
    assert together == {patient: house.enrollment.patient(patient) for patient in known}
    assert house.enrollment.patients_by_id([]) == {}
