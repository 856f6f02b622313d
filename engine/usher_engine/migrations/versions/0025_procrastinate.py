"""
The tables of Procrastinate 3.10, which carries out jobs on PostgreSQL (decisions/0045); SQLite has none.

The library's own files make them: it adds files and never edits one. `FILES` is the frozen list and `DIGEST` its
content, so that a newer library cannot change what this migration does. Its further files are a migration of their own.
"""

from __future__ import annotations

import hashlib
from importlib import resources
from typing import Any

from alembic import op

from usher_engine.core.errors import Misconfigured

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

FILES = (
    "00.00.00_01_initial",
    "00.05.00_01_drop_started_at_column",
    "00.05.00_02_drop_started_at_column",
    "00.05.00_03_drop_procrastinate_version_table",
    "00.06.00_01_fix_procrastinate_fetch_job",
    "00.07.01_01_fix_trigger_status_events_insert",
    "00.08.01_01_add_queueing_lock_column",
    "00.10.00_01_close_fetch_job_race_condition",
    "00.10.00_02_add_defer_job_function",
    "00.11.00_03_add_procrastinate_periodic_defers",
    "00.12.00_01_add_foreign_key_index",
    "00.14.00_01_add_locks_to_periodic_defer",
    "00.15.02_01_fix_procrastinate_defer_periodic_job",
    "00.16.00_01_add_finish_job_and_retry_job_functions",
    "00.17.00_01_add_trigger_on_job_deletion",
    "00.17.00_02_delete_finished_jobs",
    "00.17.00_03_add_checks_to_finish_job",
    "00.17.00_04_add_checks_to_retry_job",
    "00.18.01_01_fix_finish_job_compat_issue",
    "00.19.00_01_add_index_on_procrastinate_jobs",
    "00.22.00_01_add_kwargs_to_defer_periodic_job",
    "00.23.00_01_null_locks_excluded",
    "01.00.00_01_remove_old_finish_job_function",
    "01.01.01_01_job_id_bigint",
    "02.00.03_01_add_job_priority",
    "02.05.00_01_add_periodic_job_priority",
    "02.06.00_01_add_cancel_states",
    "02.08.00_01_add_additional_params_to_retry_job",
    "02.14.01_01_add_indexes_for_fetch_job",
    "03.00.00_01_pre_cancel_notification",
    "03.00.00_50_post_cancel_notification",
    "03.01.00_01_pre_add_heartbeat",
    "03.01.00_50_post_add_heartbeat",
    "03.02.00_01_pre_batch_defer_jobs",
    "03.02.00_50_post_batch_defer_jobs",
    "03.03.00_01_pre_priority_lock_fetch_job",
    "03.04.00_01_pre_add_retry_failed_job_procedure",
    "03.04.00_50_post_add_retry_failed_job_procedure",
)
DIGEST = "8cd24fda945fc4b7bed25bd0e7b7cbc42e684f3ed8ad6322dfebb5e8fb5a837f"


def upgrade() -> None:
    if op.get_bind().dialect.name != "postgresql":
        return
    found = contents()
    if digest(found) != DIGEST:
        raise Misconfigured("Procrastinate is not the release that Usher pins: the files that made its tables differ.")
    driver: Any = op.get_bind().connection.driver_connection  # SQLAlchemy would read each % as the place of a value
    for sql in found:
        driver.execute(sql)


def contents() -> list[bytes]:
    folder = resources.files("procrastinate") / "sql" / "migrations"
    return [(folder / f"{name}.sql").read_bytes() for name in FILES]


def digest(found: list[bytes]) -> str:
    """The SHA-256 of the names and contents, in order."""
    parts = (f"{name}.sql".encode() + b"\0" + sql + b"\0" for name, sql in zip(FILES, found, strict=True))
    return hashlib.sha256(b"".join(parts)).hexdigest()


def downgrade() -> None:
    raise NotImplementedError("Restore a backup instead.")
