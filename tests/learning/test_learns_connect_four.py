"""Connect Four is learned by self-play; matches against search by random rollouts judge it."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import ROOT, rlplat

from rlplat.evaluation.evaluate import Evaluation, evaluate_run
from rlplat.evaluation.judge import judge_run

QUICK = ROOT / "configs" / "connect_four_quick.yaml"
LONG = ROOT / "configs" / "connect_four.yaml"


def trained(tmp_path: Path, *arguments: object, timeout: float, config: Path = QUICK) -> Path:
    run = tmp_path / "run"
    options = ("--run-dir", run, "-o", "evaluation.final_num_games=0")
    result = rlplat("train", config, *options, *arguments, timeout=timeout)
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


@pytest.mark.learning
@pytest.mark.long
@pytest.mark.timeout(18000)
def test_connect_four_in_two_hours_seldom_changes_the_result_of_perfect_play(tmp_path: Path) -> None:
    run = trained(tmp_path, timeout=10800, config=LONG)
    wrong = {}
    for stage, plies in (("early", "8-14"), ("middle", "15-28"), ("late", "29-41")):
        file = tmp_path / f"{stage}.txt"
        made = rlplat("positions", "connect_four", "-o", file, "--plies", plies, "--seed", 1, timeout=3600)
        assert made.returncode == 0, made.stderr
        for num_simulations in (100, 600):
            for each in judge_run(run, file, num_simulations=num_simulations, seed=0):
                print(f"{each.group}, {each.simulations} simulations: {each.result_changed:.4f} changed")
                wrong[each.group, each.simulations] = each.result_changed
    assert wrong["early", 600] <= 0.12
    assert wrong["middle", 600] <= 0.04
    assert wrong["late", 600] <= 0.005
    results = evaluated(run, ["mcts:1000", "alphabeta:5"], num_games=400, num_simulations=100)
    assert results["mcts:1000"].score_low >= 0.90
    assert results["alphabeta:5"].score_low >= 0.75
