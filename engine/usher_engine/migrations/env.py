"""Runs migrations on the connection from `store.schema`, for all tables of engine, domain and accounts."""

from alembic import context

from usher_engine.accounts import account_tables as _accounts
from usher_engine.enrollment import enrollment_tables as _enrollment
from usher_engine.store.tables.engine_tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,
    render_as_batch=True,
    compare_type=True,
    include_name=lambda name, kind, _: kind != "table" or not (name or "").startswith("procrastinate_"),
)
with context.begin_transaction():
    context.run_migrations()

__all__ = ["_accounts", "_enrollment"]
