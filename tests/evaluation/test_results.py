"""The table of results of runs, and the ratings that come of it."""

import json
from dataclasses import asdict, replace

import pytest

from rlplat.config import EvaluationConfig
from rlplat.errors import RunError
from rlplat.evaluation.evaluate import Evaluation, save_rows
from rlplat.evaluation.rate import anchor_of, rate_checkpoint
from rlplat.evaluation.ratings import Tally
from rlplat.evaluation.results import read_matches
from rlplat.evaluation.trained import CheckpointName

ROW = Evaluation(
    "mcts:20", 10, 6, 2, 2, 0.7, 0.55, 0.85, 147.2, 35.0, 301.0, (4, 1, 0), (2, 1, 2), 30.0, 10, 2, 3, 1.0, 40, 8
)


@pytest.fixture
def run(tmp_path):
    (tmp_path / "evaluations").mkdir()
    return tmp_path


def save(run, row, kind="evaluations"):
    save_rows(run / "evaluations", row.step, {kind: [row]})


def test_a_checkpoint_is_named_by_run_step_and_simulations():
    for text, parts in {
        "runs/a@40:8": ("runs/a", "40", 8),
        "runs/a@best": ("runs/a", "best", None),
        "@7:0": ("", "7", 0),
        "me@home/a@latest": ("me@home/a", "latest", None),
    }.items():
        assert CheckpointName.parse(text) == CheckpointName(*parts)
        assert str(CheckpointName(*parts)) == text
    for text in ("runs/a", "runs/a@", "runs/a@5:x", "runs/a@5:-1", "runs/a@5:"):
        assert CheckpointName.parse(text) is None


def test_matches_against_opponents_and_checkpoints_are_read_under_the_names_of_their_players(run, tmp_path):
    save(run, ROW)
    save(run, replace(ROW, num_simulations=None))
    save(run, replace(ROW, opponent="checkpoint:@20:8"), "matches")
    save(run, replace(ROW, opponent=f"checkpoint:{tmp_path}@0030"))
    save(run, replace(ROW, opponent="checkpoint:runs/other@7:5"))
    save(run, replace(ROW, opponent="checkpoint:runs/other@best"))  # not one player
    (run / "evaluations" / "x-5.json").write_text('{"positions": [{"step": 5}]}')
    found = {(match.player, match.opponent) for match in read_matches({"me": run})}
    own = {("me@40:8", opponent) for opponent in ("mcts:20", "me@20:8", "me@30", "runs/other@7:5")}
    assert found == own | {("me@40", "mcts:20")}


def test_a_match_played_again_from_the_same_openings_counts_once(run):
    save(run, ROW)
    save(run, ROW)
    save(run, replace(ROW, wins=16, num_games=20, distinct_games=20))
    (match,) = read_matches({"me": run})
    assert match.num_games == 20
    save(run, replace(ROW, seed=4))
    save(run, replace(ROW, opening_plies=3))
    assert len(read_matches({"me": run})) == 3


def test_games_that_repeat_others_count_for_less(run):
    save(run, replace(ROW, distinct_games=5))
    (match,) = read_matches({"me": run})
    assert match.tally == Tally("me@40:8", "mcts:20", 3.0, 1.0, 1.0)


@pytest.mark.parametrize("text", ["{", "[]", '{"evaluations": [{"opponent": "random"}]}', '{"matches": [3]}'])
def test_a_file_that_cannot_be_read_is_named(run, text):
    (run / "evaluations" / "x-5.json").write_text(text)
    with pytest.raises(RunError, match=r"x-5.json cannot be read.*remove it"):
        read_matches({"me": run})


def test_the_anchor_is_the_last_opponent_that_stays_the_same_or_the_one_asked_for():
    assert anchor_of(EvaluationConfig(against=("random", "mcts:20", "checkpoint:a@best"))) == "mcts:20"
    assert anchor_of(EvaluationConfig(against=("random", "mcts:20"), anchor="random")) == "random"
    assert anchor_of(EvaluationConfig(against=("checkpoint:a@latest",))) is None
    with pytest.raises(ValueError, match="anchor is 'solver'; it must be one of against: random"):
        EvaluationConfig(against=("random",), anchor="solver")


def test_a_checkpoint_is_rated_by_all_matches_of_its_run(run):
    settings = EvaluationConfig(against=("random", "mcts:20"), num_simulations=8)
    assert rate_checkpoint(run, settings, 40) is None  # nothing is on record
    save(run, ROW)
    alone = rate_checkpoint(run, settings, 40)
    assert alone.elo == pytest.approx(132.4, abs=0.1)  # 400 log10(7.5 / 3.5): 10 games and a drawn one
    save(run, replace(ROW, step=20, wins=600, draws=200, losses=200, num_games=1000, distinct_games=1000))
    save(run, replace(ROW, opponent="checkpoint:@20:8", wins=100, draws=0, losses=100, distinct_games=10), "matches")
    linked = rate_checkpoint(run, settings, 40)
    assert linked.high - linked.low < alone.high - alone.low
    assert rate_checkpoint(run, replace_simulations(settings, 9), 40) is None


def replace_simulations(settings: EvaluationConfig, num_simulations: int) -> EvaluationConfig:
    return settings.model_copy(update={"num_simulations": num_simulations})


def test_rows_are_kept_as_they_are(run):
    save(run, ROW)
    (path,) = (run / "evaluations").iterdir()
    (kept,) = json.loads(path.read_text())["evaluations"]
    assert kept == json.loads(json.dumps(asdict(ROW)))
