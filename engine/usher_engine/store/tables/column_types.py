"""The types of columns that SQLAlchemy's own do not fit."""

from __future__ import annotations

from typing import Any

from sqlalchemy import LargeBinary


class Bytes(LargeBinary):
    """Bytes as stored: in SQLite an altered row may hold any type, and reading it must not fail."""

    def result_processor(self, _dialect: Any, _coltype: Any) -> None:
        """Both drivers give bytes already."""
        return
