"""Reach is learned from pictures by a guided policy; the same training without pictures fails."""

from __future__ import annotations

from pathlib import Path

import pytest
from robot_learning import success

SHORT = ("training.max_updates=1500", "evaluation.every=0", "training.checkpoint_every=1500")


@pytest.mark.learning
@pytest.mark.timeout(600)
def test_reach_within_two_minutes_most_balls_are_reached(tmp_path: Path) -> None:
    assert success("reach", tmp_path, *SHORT, minutes=2)[1] >= 0.70


@pytest.mark.learning
@pytest.mark.timeout(600)
def test_reach_blind_the_same_training_fails(tmp_path: Path) -> None:
    assert success("reach", tmp_path, *SHORT, "agent.network.blind=true", minutes=2)[0] <= 0.20


@pytest.mark.learning
@pytest.mark.long
@pytest.mark.timeout(1200)
def test_reach_within_five_minutes_nine_of_ten_balls_are_reached(tmp_path: Path) -> None:
    assert success("reach", tmp_path, minutes=5)[1] >= 0.90
