"""The gate over thousands of files in the words of other products."""

import pytest
from foreign import losses
from usher_engine.services import Services


@pytest.mark.bench
@pytest.mark.timeout(1_800)
def test_nothing_is_lost_in_silence_in_many_files():
    _, wrong = losses(0, 6_000, Services())
    assert wrong == {}
