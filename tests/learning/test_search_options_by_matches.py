"""What each option of the search brings in play on Connect Four: 1,000 games in equal time on one frozen network.

`GAMES=20 make learning ONLY=search_options` tries it, `RUN=runs/NAME` takes the network of
a run instead of training one.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from conftest import ROOT, rlplat

from agents.alphazero.search_options import compare, table
from rlplat.evaluation.trained import load_trained

MINUTES = 6
"""Of training the network, on all cores."""
NUM_SIMULATIONS = 100


def train(run: Path) -> Path:
    limits = ("-o", f"training.max_minutes={MINUTES}", "-o", "evaluation.every=0", "-o", "evaluation.final_num_games=2")
    config = ROOT / "configs" / "connect_four_quick.yaml"
    done = rlplat("train", config, "--inline", "--run-dir", run, *limits, timeout=1800)
    assert done.returncode == 0, done.stderr
    return run


@pytest.mark.learning
@pytest.mark.long
@pytest.mark.timeout(4 * 3600)
def test_no_option_of_the_search_is_better_than_the_default_in_equal_time(tmp_path: Path) -> None:
    run = Path(os.environ["RUN"]) if "RUN" in os.environ else train(tmp_path / "run")
    num_games = int(os.environ.get("GAMES", "1000"))
    found = compare(load_trained(run, "latest"), num_games=num_games, num_simulations=NUM_SIMULATIONS, seed=1)
    print(f"{num_games} games each against {NUM_SIMULATIONS} simulations as configured\n\n{table(found)}")
    assert [each.name for each in found if not 0.8 <= each.time_ratio <= 1.25] == []
    assert [each.name for each in found if each.score.interval[0] > 0.5] == []
