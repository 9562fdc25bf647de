"""CartPole is learned from its reward alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from conftest import ROOT, rlplat


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
