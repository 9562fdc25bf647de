"""Robot tasks are learned from pictures and rewards alone, by SAC."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from conftest import ROOT, rlplat
from robot_learning import success


@pytest.mark.learning
@pytest.mark.long
@pytest.mark.timeout(3600)
def test_a_pole_is_balanced_from_pictures_of_32x32_with_a_return_of_900(tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    config = ROOT / "configs" / "cartpole_balance_pixels.yaml"
    result = rlplat("train", config, "--run-dir", tmp_path / "run", "--json", report, timeout=3600)
    assert result.returncode == 0, result.stderr
    agent = next(
        each for each in json.loads(report.read_text())["results"] if each["name"] == "evaluation.agent.return"
    )
    print({name: agent[name] for name in ("value", "return_low", "return_high", "success", "success_low")})
    assert agent["return_low"] >= 900


@pytest.mark.learning
@pytest.mark.long
@pytest.mark.timeout(3600)
def test_reach_from_pictures_of_32x32_succeeds_in_nine_of_ten_episodes_and_not_without_them(tmp_path: Path) -> None:
    assert success("reach_rl", tmp_path / "seeing", minutes=30)[1] >= 0.9
    assert success("reach_rl", tmp_path / "blind", "agent.network.blind=true", minutes=30)[0] <= 0.2
