"""CartPole is learned from its reward alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from conftest import ROOT, rlplat
from seeds import lows_of_seeds


@pytest.mark.learning
@pytest.mark.timeout(600)
def test_cartpole_within_33280_steps_the_pole_stays_up(tmp_path: Path) -> None:
    run, report = tmp_path / "cartpole", tmp_path / "report.json"
    options = ["-o", "training.max_updates=130", "-o", "agent.training.total_updates=390", "-o", "evaluation.every=0"]
    config = ROOT / "configs" / "cartpole.yaml"
    result = rlplat("train", config, "--run-dir", run, *options, "--json", report, timeout=600)
    assert result.returncode == 0, result.stderr
    found = {each["name"]: each for each in json.loads(report.read_text())["results"]}
    agent, random = found["evaluation.agent.return"], found["evaluation.random.return"]
    print(f"return {agent['value']:.1f} [{agent['return_low']:.1f}, {agent['return_high']:.1f}] of 500")
    assert agent["num_episodes"] == 100
    assert agent["return_low"] >= 475
    assert random["value"] < 40


@pytest.mark.learning
@pytest.mark.long
@pytest.mark.timeout(3600)
def test_cartpole_with_each_of_three_seeds_at_the_last_three_evaluations_in_a_row(tmp_path: Path) -> None:
    for lows in lows_of_seeds("cartpole.yaml", range(3), tmp_path, "-o", "evaluation.every=65").values():
        assert len(lows) >= 3
        assert min(lows[-3:]) >= 475
