"""Any value of any table, altered by who owns the database: what a check proves, it finds altered.

``USHER_ALTERATIONS`` sets how many (default: forty at random); `make audit-bench` tries more and reports by column.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from practice_records import findings, living_practice, tally

COUNT = int(os.environ.pop("USHER_ALTERATIONS", "40"))


@pytest.mark.timeout(3600)
def test_every_altered_value_that_is_proven_is_found(tmp_path: Path) -> None:
    engine = living_practice(tmp_path)
    assert findings(engine) == []
    assert tally(engine, COUNT, seed=COUNT)["missed"] == []
