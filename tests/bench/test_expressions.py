"""What a condition costs once it is compiled, and two hundred thousand random programs."""

import os
import subprocess
import sys
import timeit
from datetime import UTC, datetime
from pathlib import Path

import pytest
from usher_engine.expressions import compile_expression

NOW = datetime(2026, 1, 1, tzinfo=UTC)
DATA = {f"field_{n}": n for n in range(60)} | {"status": "Pending", "age": 30, "guard": "", "email": "a@example.org"}
CONDITION = 'status == "Pending" and age >= 18 and not guard and email != ""'


@pytest.mark.bench
def test_a_condition_of_four_clauses_costs_at_most_5_microseconds():
    runs = timeit.repeat(lambda: compile_expression(CONDITION).evaluate(DATA, NOW), number=5_000, repeat=20)
    assert min(runs) / 5_000 * 1e6 <= 5


@pytest.mark.bench
@pytest.mark.timeout(3_600)
def test_two_hundred_thousand_random_programs():
    suite = Path(__file__).parents[1] / "properties" / "test_expressions_fuzz.py"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--timeout=3600", str(suite)]
    done = subprocess.run(
        command, env={**os.environ, "USHER_FUZZ": "200000"}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-2_000:]
