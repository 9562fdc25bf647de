"""Robot tasks are learned from pictures and rewards alone, by SAC."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, rlplat


def trained(config: str, folder: Path, *options: str) -> dict[str, Any]:
    """Train a shipped configuration; its last evaluation, beside the minutes that the command took."""
    report = folder / "report.json"
    result = rlplat(
        "train", ROOT / "configs" / config, "--run-dir", folder / "run", *options, "--json", report, timeout=3600
    )
    assert result.returncode == 0, result.stderr
    agent: dict[str, Any] = next(
        each for each in json.loads(report.read_text())["results"] if each["name"] == "evaluation.agent.return"
    )
    print({name: agent[name] for name in ("value", "return_low", "return_high", "success", "success_low")})
    return agent


@pytest.mark.learning
@pytest.mark.long
@pytest.mark.timeout(3600)
def test_a_pole_is_balanced_from_pictures_of_32x32_with_a_return_of_900(tmp_path: Path) -> None:
    assert trained("cartpole_balance_pixels.yaml", tmp_path)["return_low"] >= 900


@pytest.mark.learning
@pytest.mark.long
@pytest.mark.timeout(3600)
def test_reach_from_pictures_of_32x32_succeeds_in_nine_of_ten_episodes_and_not_without_them(tmp_path: Path) -> None:
    (tmp_path / "seeing").mkdir()
    (tmp_path / "blind").mkdir()
    assert trained("reach_rl.yaml", tmp_path / "seeing")["success_low"] >= 0.9
    assert trained("reach_rl.yaml", tmp_path / "blind", "-o", "agent.network.blind=true")["success"] <= 0.2
