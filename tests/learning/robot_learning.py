"""Trains by a configuration of a robot task, and says how many unseen episodes succeed."""

from __future__ import annotations

import json
from pathlib import Path

from conftest import ROOT, rlplat


def success(name: str, tmp_path: Path, *overrides: str, minutes: float) -> tuple[float, float, float]:
    """Train for so many minutes at most; return the share of 200 unseen episodes that succeed, and its interval."""
    run, report = tmp_path / "run", tmp_path / "report.json"
    options = [word for each in (*overrides, f"training.max_minutes={minutes}") for word in ("-o", each)]
    config = ROOT / "configs" / f"{name}.yaml"
    result = rlplat("train", config, "--run-dir", run, *options, "--json", report, timeout=60 * minutes + 300)
    assert result.returncode == 0, result.stderr
    found = {each["name"]: each for each in json.loads(report.read_text())["results"]}
    assert found["evaluation.expert.return"]["success"] >= 0.95
    agent = found["evaluation.agent.return"]
    assert agent["num_episodes"] == 200
    row = agent["success"], agent["success_low"], agent["success_high"]
    print("success {:.3f} [{:.3f}, {:.3f}]".format(*row))
    return row
