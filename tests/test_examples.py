"""The games in examples/, as a user's own in another folder: checked, trained and evaluated by rlplat as it is."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from conftest import ROOT, command

from examples.nim import Nim
from rlplat.evaluation.samples import draw_samples, random_states
from rlplat.search.analysis import Analysis, analyse
from rlplat.search.parameters import UNIFORM, SearchParams

EXAMPLES = ROOT / "examples"
SMALL = {
    "search": {"num_simulations": 8},
    "self_play": {"num_games": 8, "opening_plies": 2, "collect_positions": 60, "cache_mib": 1},
    "network": {"blocks": 1, "channels": 8},
    "replay": {"min_positions": 100, "window_start": 500, "max_positions": 2000},
    "training": {"batch_size": 16, "samples_per_position": 2, "publish_every": 5},
}
MODES = {
    "inline": {"mode": "inline"},
    "ray": {"mode": "ray", "num_actors": 1, "object_store_mib": 100},
}


@pytest.fixture
def folder(tmp_path):
    """Holds the package my_games with both forms of Nim; rlplat is run in it."""
    (tmp_path / "my_games").mkdir()
    for name in ("nim.py", "nim.hpp"):
        shutil.copy(EXAMPLES / name, tmp_path / "my_games")
    return tmp_path


def run(folder, *arguments):
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    return subprocess.run(
        command(*arguments, "--trust", "my_games"),
        env=environment,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


def small(folder: Path, example: str, game: str, mode: str) -> Path:
    """An example's configuration that names the game in that folder and trains in seconds."""
    config = yaml.safe_load((EXAMPLES / example).read_text())
    config["env"]["id"] = game
    config["agent"] = {"id": config["agent"]["id"], **SMALL}
    config["training"] = {"max_updates": 20, "checkpoint_every": 10, "log_every": 5}
    config["evaluation"] = {"against": ["random"], "num_games": 4, "num_simulations": 4, "final_num_games": 4}
    config["placement"] = {"learner_threads": 1, **MODES[mode]}
    path = folder / "nim.yaml"
    path.write_text(yaml.safe_dump(config))
    return path


@pytest.mark.parametrize(
    "example, game, mode",
    [
        ("nim_python.yaml", "my_games.nim:Nim", "inline"),
        ("nim_python.yaml", "my_games.nim:Nim", "ray"),
        ("nim_cpp.yaml", "my_games/nim.hpp", "inline"),
    ],
)
def test_a_game_of_ones_own_is_trained_and_evaluated(folder, example, game, mode):
    if mode == "ray":
        pytest.importorskip("ray")
    trained = run(folder, "train", small(folder, example, game, mode), "--run-dir", "run")
    assert trained.returncode == 0, trained.stderr
    if mode == "ray":
        return
    evaluated = run(folder, "evaluate", "run", "--against", "mcts:20", "--games", "4")
    assert evaluated.returncode == 0, evaluated.stderr
    assert "mcts:20" in evaluated.stdout


def test_rules_that_fail_in_training_end_the_run_with_one_message(folder):
    source = folder / "my_games" / "nim.py"
    rule = "        player, heaps = state\n        heap, taken"
    assert rule in source.read_text()
    source.write_text(source.read_text().replace(rule, f"        if sum(state[1]) == 4:\n            1 / 0\n{rule}"))
    failed = run(folder, "train", small(folder, "nim_python.yaml", "my_games.nim:Nim", "inline"), "--run-dir", "run")
    assert failed.returncode != 0
    assert "Traceback" not in failed.stderr
    assert "Nim: apply(state, " in failed.stderr
    assert "raised ZeroDivisionError" in failed.stderr.replace("\n", " ")
    assert "after the actions" in failed.stderr.replace("\n", " ")


@pytest.mark.parametrize("game", ["my_games.nim:Nim", "my_games/nim.hpp"])
def test_either_form_passes_the_check(folder, game):
    checked = run(folder, "check-game", game)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "21 of 21 checks passed" in checked.stdout


def test_positions_of_a_game_without_a_board_have_pictures():
    class Searches:
        def __init__(self, game):
            self.game = game

        def analyse(self, states) -> Analysis:
            return analyse(self.game, states, UNIFORM, SearchParams(num_simulations=10), seed=0)

    game = Nim.load(heaps=1, stones=1)
    assert [state.num_moves for state in random_states(game, 2)] == [0, 0]  # there is never a choice
    pictures = draw_samples(game, lambda _: Searches(game), [], num_simulations=10)
    assert all(picture.shape[2] == 3 for picture in pictures.values())


def test_the_examples_name_the_games_beside_them():
    named = {yaml.safe_load(path.read_text())["env"]["id"] for path in EXAMPLES.glob("*.yaml")}
    assert named == {"examples.nim:Nim", "examples/nim.hpp"}
    assert sys.modules["examples.nim"].__file__ == str(EXAMPLES / "nim.py")
