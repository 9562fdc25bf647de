"""SeedlingTransplant is learned from two cameras by guided policies, and better by PPO; without pictures it is not."""

from __future__ import annotations

from pathlib import Path

import pytest
from robot_learning import success


@pytest.mark.learning
@pytest.mark.long
@pytest.mark.timeout(3000)
def test_seedling_l1_within_thirty_minutes_85_percent_of_plugs_are_lifted(tmp_path: Path) -> None:
    assert success("seedling_l1", tmp_path, minutes=30)[1] >= 0.85


@pytest.mark.learning
@pytest.mark.long
@pytest.mark.timeout(3000)
def test_seedling_l2_within_thirty_minutes_65_percent_of_plugs_are_planted(tmp_path: Path) -> None:
    assert success("seedling_l2", tmp_path, minutes=30)[1] >= 0.65


@pytest.mark.learning
@pytest.mark.long
@pytest.mark.timeout(3000)
def test_seedling_l2_blind_the_same_training_fails(tmp_path: Path) -> None:
    assert success("seedling_l2", tmp_path, "agent.network.blind=true", minutes=30)[0] <= 0.20


@pytest.mark.learning
@pytest.mark.long
@pytest.mark.timeout(6000)
def test_seedling_placement_ppo_learns_on_from_a_guided_policy_and_loses_fewer_plugs(tmp_path: Path) -> None:
    guided = success("seedling_l2", tmp_path / "guided", minutes=30)
    learned = success("seedling_placement", tmp_path / "ppo", minutes=25, begins_with=tmp_path / "guided" / "run")
    assert learned[0] > guided[0] and learned[1] >= 0.90
