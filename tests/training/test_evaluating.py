"""Evaluation in training: matches, and the positions that come with a game."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import TINY

from envs.games import tictactoe
from envs.games.connect_four import connect_four
from rlplat.config import load_config
from rlplat.evaluation.make_positions import make_positions
from rlplat.evaluation.positions import own_positions
from rlplat.evaluation.ratings import fit_ratings
from rlplat.evaluation.results import read_matches
from rlplat.runs.checkpoint import CheckpointStore
from rlplat.training.evaluating import Strength, positions_layout
from rlplat.training.inline import InlinePool
from rlplat.training.session import train


@pytest.fixture
def with_positions(tmp_path, monkeypatch):
    """Tic-tac-toe with a file of positions of its own."""
    path = tmp_path / "positions.txt"
    make_positions(tictactoe.tictactoe.load(), path, first=2, last=6, count=20, seed=0)
    definition = replace(tictactoe.tictactoe, positions=path)
    monkeypatch.setattr(tictactoe, "tictactoe", definition)
    return definition


def test_every_evaluation_of_a_run_judges_the_positions_of_its_game(with_positions, tiny_config, tmp_path):
    overrides = ["training.max_updates=40", "evaluation.every=20", "evaluation.num_games=2"]
    results = train(load_config(tiny_config, overrides), run_dir=tmp_path / "run")
    final = {(result.name, result.fields.get("simulations")): result for result in results}
    assert 0 <= final["positions.hard.result_changed", 0].value <= 1
    assert final["positions.all.not_best", 4].fields["num_positions"] == 20
    assert ("evaluation.random.score", None) in final
    rows = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    steps = [row["step"] for row in rows if "positions/hard/result_changed/search" in row]
    assert steps == [20, 40, 40]  # twice in training, and the final one
    last = [row for row in rows if "positions/all/not_best/network" in row][-1]
    assert last["positions/all/not_best/network"] == final["positions.all.not_best", 0].value
    kept = [json.loads(path.read_text()) for path in (tmp_path / "run" / "evaluations").iterdir()]
    assert sum("positions" in content for content in kept) == 3
    written = b"".join(path.read_bytes() for path in (tmp_path / "run").glob("events.out.tfevents.*"))
    assert [written.count(f"samples/{name}".encode()) for name in ("0 start", "1 early")] == [3, 3]
    # The charts show nothing that is not written.
    shown = {name for names in positions_layout(with_positions.load()).values() for name in names}
    assert {name for name in shown if "/hard/" in name} <= set(last)


def test_every_evaluation_rates_the_checkpoint_by_all_matches_of_the_run(tiny_config, tmp_path, capsys):
    overrides = [
        "training.max_updates=40",
        "evaluation.every=10",
        "evaluation.num_games=6",
        'evaluation.against=["mcts:5"]',
    ]
    train(load_config(tiny_config, [*overrides, "evaluation.rival_num_games=10"]), run_dir=tmp_path / "run")
    rows = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    ratings = [row for row in rows if "rating/elo" in row]
    assert [row["step"] for row in ratings] == [10, 20, 30, 40, 40]
    assert all(row["rating/elo_low"] < row["rating/elo"] < row["rating/elo_high"] for row in ratings)
    matches = read_matches({"": tmp_path / "run"})
    against_own = [(match.player, match.opponent) for match in matches if match.opponent.startswith("@")]
    assert [player for player, _ in against_own] == ["@20:4", "@30:4", "@40:4"]
    best = {"@20:4": {"@10:4"}, "@30:4": {"@10:4", "@20:4"}, "@40:4": {"@10:4", "@20:4", "@30:4"}}
    assert all(opponent in best[player] for player, opponent in against_own)
    assert all(match.num_games == 10 for match in matches if match.opponent.startswith("@"))
    last = fit_ratings([match.tally for match in matches], "mcts:5").of("@40:4")
    assert ratings[-1]["rating/elo"] == last.elo
    said = capsys.readouterr().out
    assert f"rating at step 40: Elo {last.elo:+.0f} [{last.low:+.0f}, {last.high:+.0f}], mcts:5 = 0" in said
    assert "evaluation at step 20 against checkpoint:@10:4: score" in said


def test_the_best_checkpoint_stays_however_late_its_evaluation_comes(tiny_config, tmp_path, monkeypatch):
    at_once = InlinePool.evaluations
    monkeypatch.setattr(InlinePool, "evaluations", lambda pool, *, wait: at_once(pool, wait=wait) if wait else [])
    scores = {20: 0.9, 40: 0.5, 60: 0.5}
    monkeypatch.setattr(Strength, "mean_score", property(lambda found: scores[found.evaluations[0].step]))
    overrides = ["training.max_updates=60", "evaluation.every=20", "evaluation.num_games=2"]
    train(load_config(tiny_config, [*overrides, "evaluation.final_num_games=0"]), run_dir=tmp_path / "run")
    store = CheckpointStore(tmp_path / "run" / "checkpoints", keep=2)
    assert store.steps() == [20, 40, 50, 60]
    assert store.best().step == 20


def test_a_game_of_other_parameters_or_without_a_file_has_no_positions():
    assert own_positions(connect_four.load(rows=5)) == []
    assert own_positions(tictactoe.tictactoe.load()) == []
    assert positions_layout(tictactoe.tictactoe.load()) == {}


def test_the_positions_of_connect_four_cover_every_stage_and_are_solved_right():
    positions = own_positions(connect_four.load())
    assert len({position.state.evaluation_key for position in positions}) == len(positions) == 300
    for stage in ("early", "middle", "late"):
        of_stage = [position for position in positions if position.stage == stage]
        assert len(of_stage) == 100
        assert sum(position.is_hard() for position in of_stage) == 50
    for position in [position for position in positions if position.state.num_moves >= 20][::5]:
        assert position.scores.tolist() == position.state.action_scores().tolist()


def test_a_program_that_fails_in_mid_game_costs_the_evaluation_and_not_the_run(tmp_path, monkeypatch, caplog):
    """The program answers `c3` wherever it is asked, which is soon illegal."""
    fake = Path(__file__).parents[1] / "agents" / "fake_program.py"
    (tmp_path / "settings.yaml").write_text(f"programs: {{fake: {sys.executable} {fake} gtp none}}\n")
    monkeypatch.setenv("RLPLAT_SETTINGS", str(tmp_path / "settings.yaml"))
    (tmp_path / "go.yaml").write_text(
        TINY.replace("{id: tictactoe}", "{id: go, parameters: {size: 5, max_length: 12}}")
    )
    overrides = ["training.max_updates=20", "evaluation.every=10", "evaluation.num_games=2"]
    config = load_config(tmp_path / "go.yaml", [*overrides, 'evaluation.against=["gtp:fake"]'])
    assert train(config, run_dir=tmp_path / "run") == []
    assert json.loads((tmp_path / "run" / "run.json").read_text())["state"] == "finished"
    given_up = [record.message for record in caplog.records if "is given up" in record.message]
    assert [message.split(":")[0] for message in given_up] == [
        f"the evaluation of update {step} is given up" for step in (10, 20, 20)
    ]
    assert all("gtp:fake chose 'c3', which is no legal move of go" in message for message in given_up)
