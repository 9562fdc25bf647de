"""What each part of the training of Connect Four brings: the quick run with one part changed, in equal time."""

from __future__ import annotations

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
from conftest import ROOT, rlplat

from rlplat.hardware import num_cores

MINUTES = 3
"""Of one core for each."""

COMMON = (
    f"training.max_minutes={MINUTES}",
    "training.max_updates=1000000",
    "agent.training.lr_schedule=constant",
    "evaluation.every=0",
    "evaluation.final_num_games=800",
    "evaluation.against=['mcts:1000']",
)
"""The rate is constant, so that those that make more updates in that time get all of them to count."""

WHOLE = "as configured"
CHANGED = {
    WHOLE: (),
    "no evaluation cache": ("agent.self_play.cache_mib=0",),
    "no fast searches": ("agent.self_play.fast_share=0",),
    "8 samples per position": ("agent.training.samples_per_position=8",),
    "a window of 20,000 positions": ("agent.replay.max_positions=20000",),
    "all positions kept": ("agent.replay.window_start=300000",),
    "16 channels": ("agent.network.channels=16",),
    "48 channels": ("agent.network.channels=48",),
}


@dataclass(frozen=True)
class Trained:
    score: float
    low: float
    high: float
    wrong: float
    """Share of the positions that come with the game in which the move changes the result."""
    updates: int
    positions: int


def train(run: Path, changes: Sequence[str]) -> Trained:
    overrides = [part for each in (*COMMON, *changes) for part in ("-o", each)]
    report = run.with_suffix(".json")
    config = ROOT / "configs" / "connect_four_quick.yaml"
    done = rlplat("train", config, "--inline", "--run-dir", run, "--json", report, *overrides, timeout=1800)
    assert done.returncode == 0, done.stderr
    results = {result["name"]: result for result in json.loads(report.read_text())["results"]}
    match, progress = results["evaluation.mcts:1000.score"], json.loads((run / "run.json").read_text())["progress"]
    wrong = results["positions.all.result_changed"]["value"]
    return Trained(
        match["value"], match["score_low"], match["score_high"], wrong, progress["updates"], progress["amount"]
    )


@pytest.mark.learning
@pytest.mark.long
@pytest.mark.timeout(7200)
def test_no_part_of_the_configuration_makes_the_quick_run_weaker(tmp_path: Path) -> None:
    runs = [tmp_path / str(number) for number in range(len(CHANGED))]
    with ThreadPoolExecutor(num_cores()) as pool:
        found = dict(zip(CHANGED, pool.map(train, runs, CHANGED.values()), strict=True))
    for name, each in found.items():
        print(
            f"{name:30} {each.score:.3f} [{each.low:.3f}, {each.high:.3f}] {each.wrong:.3f} wrong, "
            f"{each.updates:,} updates, {each.positions:,} positions"
        )
    whole = found[WHOLE]
    assert [name for name, each in found.items() if each.low > whole.high] == []
