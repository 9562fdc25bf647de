"""The pendulum is swung up and held by SAC."""

from __future__ import annotations

from pathlib import Path

import pytest
from seeds import lows_of_seeds


@pytest.mark.learning
@pytest.mark.long
@pytest.mark.timeout(3600)
def test_pendulum_with_each_of_three_seeds_at_the_last_three_evaluations_in_a_row(tmp_path: Path) -> None:
    for lows in lows_of_seeds("pendulum.yaml", range(3), tmp_path).values():
        assert len(lows) >= 3
        assert min(lows[-3:]) >= -200
