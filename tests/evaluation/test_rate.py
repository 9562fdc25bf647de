"""Ratings of whole runs, and the matches that are played for them."""

import pytest

from rlplat.errors import RunError
from rlplat.evaluation.evaluate import evaluate_run
from rlplat.evaluation.rate import rate_runs
from rlplat.evaluation.results import read_matches
from rlplat.runs.arrays import load_arrays, save_arrays
from rlplat.runs.checkpoint import WEIGHTS_FILE, CheckpointStore
from rlplat.runs.folder import RunFolder


@pytest.fixture
def run(tiny_run, tmp_path):
    return copy_of(tiny_run, tmp_path / "first", steps=(5, 9))


def copy_of(tiny_run, path, steps, **replaced):
    """A run of its own with the weights of the tiny one at several steps."""
    text = (tiny_run / "config.yaml").read_text().replace("opening_plies: 2", "opening_plies: 3")
    for old, new in replaced.items():
        text = text.replace(old, new)
    folder = RunFolder.create(path, config_text=text, info={})
    weights = load_arrays(tiny_run / "checkpoints" / "00000005" / WEIGHTS_FILE)
    for step in steps:
        with CheckpointStore(folder.checkpoints_path, keep=9).write(step, {}) as checkpoint:
            save_arrays(checkpoint / WEIGHTS_FILE, weights)
    return path


def evaluate(run, step, num_games=4):
    evaluate_run(run, checkpoint=str(step), against=["random"], num_games=num_games, num_simulations=4, seed=0)


def test_a_run_without_matches_says_how_to_get_some(run):
    with pytest.raises(RunError, match=r"first: no matches on record; play some with --play 20"):
        rate_runs([run])


def test_missing_games_are_played_once_from_new_openings_and_kept(run):
    evaluate(run, 5)
    said = []
    rate_runs([run], play=5, told=said.append)
    assert said == [
        "match 1 of 3: first@9:4 against first@5:4, 6 games",
        "match 2 of 3: first@5:4 against random, 2 games",
        "match 3 of 3: first@9:4 against random, 6 games",
    ]
    matches = read_matches({"first": run})
    assert sorted(match.num_games for match in matches) == [2, 4, 6, 6]
    assert [match.seed for match in matches if match.player == "first@5:4"] == [0, 1]
    ratings = rate_runs([run], play=5, told=said.append)
    assert len(said) == 3  # nothing is missing any more
    assert {rating.player for rating in ratings.rated} == {"first@5:4", "first@9:4", "random"}
    assert ratings.anchor == "random" and ratings.of("random").elo == 0
    assert {match.player for match in read_matches({"first": run}) if match.num_games == 6} == {"first@9:4"}


def test_other_simulations_make_another_player(run):
    evaluate(run, 5)
    ratings = rate_runs([run], play=2, num_simulations=0)
    players = {rating.player for rating in ratings.rated}
    assert players == {"first@5:4", "first@5:0", "first@9:0", "random"}


def test_runs_are_rated_together_through_what_they_share(run, tiny_run, tmp_path):
    other = copy_of(tiny_run, tmp_path / "second", steps=(7,))
    evaluate(run, 5)
    rate_runs([run, other], play=2)
    (match,) = [
        match for match in read_matches({"1": run, "2": other}) if {match.player, match.opponent} == {"1@5:4", "2@7:4"}
    ]
    assert match.num_games == 2
    # Alone, the second run still knows whom it met, by folder.
    names = {rating.player for rating in rate_runs([other]).rated}
    assert f"{run.resolve()}@5:4" in names
    same_name = copy_of(tiny_run, tmp_path / "inner" / "first", steps=())
    assert f"{run}@5:4" in {rating.player for rating in rate_runs([run, same_name]).rated}


def test_runs_of_different_games_are_refused(run, tiny_run, tmp_path):
    other = copy_of(tiny_run, tmp_path / "second", steps=(), tictactoe="connect_four")
    with pytest.raises(RunError, match=r"first plays tictactoe, .*second plays connect_four; only runs of one game"):
        rate_runs([run, other])


def test_an_anchor_without_games_is_refused_with_those_that_have_some(run):
    evaluate(run, 5)
    with pytest.raises(RunError, match=r"no games were played against randon, the anchor.*did you mean random"):
        rate_runs([run], anchor="randon")
    assert rate_runs([run], anchor="first@5:4").of("first@5:4").elo == 0
