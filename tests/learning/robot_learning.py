"""Trains by a configuration of a robot task, and says how many episodes succeed where it was never trained."""

from __future__ import annotations

import json
from pathlib import Path

from conftest import ROOT, rlplat

NEW = "evaluation.splits={new_positions: {positions: new}}"


def success(
    name: str, tmp_path: Path, *overrides: str, minutes: float, begins_with: Path | None = None
) -> tuple[float, float, float]:
    """Train for so many minutes at most; return the share of 200 episodes that succeed, and its interval.

    Targets and objects lie on fields that training left out (`positions`). The run is `tmp_path / "run"`;
    `begins_with` is a run to learn on from.
    """
    tmp_path.mkdir(exist_ok=True)
    run, report = tmp_path / "run", tmp_path / "report.json"
    overrides = (*overrides, NEW, "evaluation.num_videos=0", f"training.max_minutes={minutes}")
    options = [word for each in overrides for word in ("-o", each)]
    options += ["--init-from", str(begins_with)] if begins_with else []
    config = ROOT / "configs" / f"{name}.yaml"
    result = rlplat("train", config, "--run-dir", run, *options, "--json", report, timeout=60 * minutes + 300)
    assert result.returncode == 0, result.stderr
    found = {each["name"]: each for each in json.loads(report.read_text())["results"]}
    assert found["evaluation.split_new_positions.expert.return"]["success"] >= 0.95
    agent = found["evaluation.split_new_positions.agent.return"]
    assert agent["num_episodes"] == 200
    row = agent["success"], agent["success_low"], agent["success_high"]
    print("success {:.3f} [{:.3f}, {:.3f}]".format(*row))
    return row
