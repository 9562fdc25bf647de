"""Connect Four is learned by self-play; matches against search by random rollouts judge it."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import ROOT, rlplat

from rlplat.evaluation.evaluate import Evaluation, evaluate_run

QUICK = ROOT / "configs" / "connect_four_quick.yaml"


def trained(tmp_path: Path, *arguments: object, timeout: float) -> Path:
    run = tmp_path / "run"
    result = rlplat("train", QUICK, "--run-dir", run, "-o", "evaluation.final_num_games=0", *arguments, timeout=timeout)
    assert result.returncode == 0, result.stderr
    return run


def evaluated(run: Path, against: list[str], *, num_games: int, num_simulations: int) -> dict[str, Evaluation]:
    found = evaluate_run(run, against=against, num_games=num_games, num_simulations=num_simulations, seed=1)
    for each in found:
        print(f"{each.opponent}: score {each.score:.3f} [{each.score_low:.3f}, {each.score_high:.3f}]")
    return {each.opponent: each for each in found}


@pytest.mark.learning
@pytest.mark.timeout(600)
def test_connect_four_after_two_minutes_random_play_and_mcts_100_are_beaten(tmp_path: Path) -> None:
    run = trained(tmp_path, "-o", "training.max_minutes=2", "-o", "evaluation.every=0", timeout=300)
    results = evaluated(run, ["random", "mcts:100"], num_games=200, num_simulations=50)
    assert results["random"].score >= 0.95
    assert results["mcts:100"].score >= 0.60


@pytest.mark.learning
@pytest.mark.long
@pytest.mark.timeout(1800)
def test_connect_four_quick_beats_mcts_1000(tmp_path: Path) -> None:
    run = trained(tmp_path, timeout=900)
    results = evaluated(run, ["mcts:1000"], num_games=400, num_simulations=100)
    assert results["mcts:1000"].score >= 0.75
