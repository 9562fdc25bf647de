"""Push and PickAndPlace are learned from pictures by guided policies; the same training without pictures fails."""

from __future__ import annotations

from pathlib import Path

import pytest
from robot_learning import success


@pytest.mark.learning
@pytest.mark.long
@pytest.mark.timeout(2400)
def test_push_within_twenty_minutes_three_of_four_blocks_reach_their_goal(tmp_path: Path) -> None:
    assert success("push", tmp_path, minutes=20)[1] >= 0.75


@pytest.mark.learning
@pytest.mark.long
@pytest.mark.timeout(2400)
def test_push_blind_the_same_training_fails(tmp_path: Path) -> None:
    assert success("push", tmp_path, "agent.network.blind=true", minutes=20)[0] <= 0.20


@pytest.mark.learning
@pytest.mark.long
@pytest.mark.timeout(3000)
def test_pick_and_place_within_thirty_minutes_three_of_four_cubes_are_placed(tmp_path: Path) -> None:
    assert success("pick_and_place", tmp_path, minutes=30)[1] >= 0.75


@pytest.mark.learning
@pytest.mark.long
@pytest.mark.timeout(3000)
def test_pick_and_place_blind_the_same_training_fails(tmp_path: Path) -> None:
    assert success("pick_and_place", tmp_path, "agent.network.blind=true", minutes=30)[0] <= 0.20
