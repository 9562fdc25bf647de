"""Reach is learned from pictures by a guided policy; the same training without pictures fails."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from conftest import ROOT, rlplat

CONFIG = ROOT / "configs" / "reach.yaml"
SHORT = ("training.max_updates=1500", "evaluation.every=0", "training.checkpoint_every=1500")


def success(tmp_path: Path, *overrides: str, minutes: float) -> tuple[float, float, float]:
    """Train for so many minutes at most; return the share of 200 unseen episodes that succeed, and its interval."""
    run, report = tmp_path / "run", tmp_path / "report.json"
    options = [word for each in (*overrides, f"training.max_minutes={minutes}") for word in ("-o", each)]
    result = rlplat("train", CONFIG, "--run-dir", run, *options, "--json", report, timeout=60 * minutes + 300)
    assert result.returncode == 0, result.stderr
    found = {each["name"]: each for each in json.loads(report.read_text())["results"]}
    assert found["evaluation.expert.return"]["success"] >= 0.95
    agent = found["evaluation.agent.return"]
    assert agent["num_episodes"] == 200
    row = agent["success"], agent["success_low"], agent["success_high"]
    print("success {:.3f} [{:.3f}, {:.3f}]".format(*row))
    return row


@pytest.mark.learning
@pytest.mark.timeout(600)
def test_reach_within_two_minutes_most_balls_are_reached(tmp_path: Path) -> None:
    assert success(tmp_path, *SHORT, minutes=2)[1] >= 0.70


@pytest.mark.learning
@pytest.mark.timeout(600)
def test_reach_blind_the_same_training_fails(tmp_path: Path) -> None:
    assert success(tmp_path, *SHORT, "agent.network.blind=true", minutes=2)[0] <= 0.20


@pytest.mark.learning
@pytest.mark.long
@pytest.mark.timeout(1200)
def test_reach_within_five_minutes_nine_of_ten_balls_are_reached(tmp_path: Path) -> None:
    assert success(tmp_path, minutes=5)[1] >= 0.90
