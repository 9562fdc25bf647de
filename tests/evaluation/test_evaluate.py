import json
import math
import sys
from dataclasses import asdict
from textwrap import dedent

import numpy as np
import pytest

from rlplat.errors import CheckpointError, RegistryError
from rlplat.evaluation.evaluate import evaluate_policy, evaluate_run
from rlplat.evaluation.opponents import parse_opponent
from rlplat.registry import resolve
from rlplat.runs.arrays import save_arrays
from rlplat.runs.checkpoint import WEIGHTS_FILE, CheckpointStore
from rlplat.runs.folder import RunFolder

PLAYERS = """
import numpy as np
from rlplat.config import AgentConfig

class Favourite:
    def __init__(self, preferences):
        self.preferences = preferences

    def act(self, states):
        return np.array([max(state.legal_actions(), key=self.preferences.__getitem__) for state in states])

class Agent:
    class Config(AgentConfig):
        pass

    def __init__(self, config, game):
        self.game = game

    def make_policy(self, weights, *, num_simulations, seed):
        # With no simulations it plays what the weights prefer, with some the opposite.
        return Favourite(weights["preferences"] if num_simulations == 0 else -weights["preferences"])

class Favour:
    usage = "favour:A: action A where it is legal, otherwise the lowest"

    def __call__(self, argument, game, seed):
        return Favourite(np.arange(game.num_actions) == int(argument))

class Broken:
    usage = "broken: makes no policy"

    def __call__(self, argument, game, seed):
        return object()

favour, broken = Favour(), Broken()
"""


@pytest.fixture(scope="module")
def tictactoe():
    return resolve("tictactoe", kind="game").load()


@pytest.fixture
def my_players(tmp_path, monkeypatch):
    """A package of the user's own, with an agent and a baseline."""
    folder = tmp_path / "packages" / "my_players"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text("")
    (folder / "simple.py").write_text(PLAYERS)
    monkeypatch.syspath_prepend(str(folder.parent))
    yield "my_players"
    for name in ("my_players", "my_players.simple"):
        sys.modules.pop(name, None)


@pytest.fixture
def run(tmp_path, my_players):
    """A run with two checkpoints: at step 10 the agent prefers low cells, at step 20 high ones; 10 is the best."""
    text = dedent("""
        name: favourites
        env: {id: tictactoe}
        agent: {id: "my_players.simple:Agent"}
        training: {max_updates: 20}
        evaluation: {opening_plies: 0}
    """)
    folder = RunFolder.create(tmp_path / "runs" / "favourites", config_text=text, info={})
    store = CheckpointStore(folder.checkpoints_path, keep=3)
    for step, sign in ((10, -1.0), (20, 1.0)):
        with store.write(step, {}) as path:
            save_arrays(path / WEIGHTS_FILE, {"preferences": sign * np.arange(9, dtype=np.float32)})
    store.mark_best(10, 0.5)
    return folder


def evaluate(run, checkpoint, seed=0):
    return evaluate_run(
        run.path,
        checkpoint=checkpoint,
        against=["random"],
        num_games=2,
        num_simulations=0,
        seed=seed,
        trust=["my_players"],
    )


def test_names_lead_to_baselines_and_their_arguments(tictactoe, my_players):
    assert parse_opponent("random").argument is None
    assert parse_opponent("mcts:1000").argument == "1000"
    own = parse_opponent("my_players.simple:favour:4", trust=[my_players])
    assert own.make_policy(tictactoe, 0).act([tictactoe.initial_state()]).tolist() == [4]


@pytest.mark.parametrize(
    "name, message",
    [
        ("mtcs:100", "mtcs.*did you mean mcts"),
        ("randon", "did you mean random"),
        ("mcts", "mcts needs a number of simulations, as in mcts:1000"),
        ("mcts:", "mcts needs a number"),
        ("mcts:abc", "'mcts:abc': mcts needs a number"),
        ("mcts:-5", "mcts needs a number"),
        ("mcts:0", "mcts takes a number of simulations from 1 to"),
        ("random:3", "random takes no argument"),
        ("my_players.simple:favour:4", "not trusted"),
    ],
)
def test_a_wrong_opponent_is_refused_with_a_way_out(tictactoe, my_players, name, message):
    with pytest.raises(RegistryError, match=message):
        evaluate_policy(tictactoe, None, ["random", name], num_games=2, opening_plies=0, seed=0)


def test_a_baseline_that_makes_no_policy_is_refused(tictactoe, my_players):
    with pytest.raises(RegistryError, match="object is no policy"):
        parse_opponent("my_players.simple:broken", trust=[my_players]).make_policy(tictactoe, 0)


def test_search_beats_random_and_every_count_adds_up(tictactoe):
    policy = parse_opponent("mcts:100").make_policy(tictactoe, 1)
    against = ["random", "mcts:1"]
    rows = evaluate_policy(
        tictactoe, policy, against, num_games=60, opening_plies=2, seed=3, step=7, num_simulations=100
    )
    assert [row.opponent for row in rows] == against
    for row in rows:
        assert row.wins + row.draws + row.losses == row.num_games == 60
        assert [a + b for a, b in zip(row.first, row.second, strict=True)] == [row.wins, row.draws, row.losses]
        assert sum(row.first) == sum(row.second) == 30
        assert row.score == (row.wins + row.draws / 2) / 60
        assert row.score_low < row.score < row.score_high
        assert row.elo_low < row.elo < row.elo_high
        assert 5 <= row.mean_length <= 9
        assert (row.step, row.num_simulations, row.seed, row.opening_plies) == (7, 100, 3, 2)
        assert row.score_low > 0.7


def test_an_evaluation_can_be_repeated_exactly(tictactoe):
    def rows():
        policy = parse_opponent("mcts:30").make_policy(tictactoe, 1)
        found = evaluate_policy(tictactoe, policy, ["random", "mcts:20"], num_games=20, opening_plies=2, seed=3)
        return [{**asdict(row), "seconds": None} for row in found]

    assert rows() == rows()


def test_a_run_is_evaluated_with_the_weights_of_the_checkpoint_asked_for(run, my_players):
    """Against one that prefers cell 9 and then the lowest, who prefers low cells wins the top row when moving first."""

    def score(checkpoint, num_simulations):
        opponent = "my_players.simple:favour:8"
        (row,) = evaluate_run(
            run.path,
            checkpoint=checkpoint,
            against=[opponent],
            num_games=2,
            num_simulations=num_simulations,
            seed=0,
            trust=[my_players],
        )
        return row.step, row.first, row.second

    low_cells = score("10", 0)
    high_cells = score("20", 0)
    assert low_cells[0] == 10 and high_cells[0] == 20
    assert low_cells[1:] != high_cells[1:]
    assert score("latest", 0) == high_cells
    assert score("best", 0) == low_cells
    assert score("latest", 50)[1:] == low_cells[1:]


def test_a_result_is_kept_in_the_runs_folder_with_infinities_as_null(run):
    (row,) = evaluate(run, "latest", seed=12)
    (path,) = run.evaluations_path.iterdir()
    assert path.name.endswith("Z-20.json")
    (kept,) = json.loads(path.read_text())["evaluations"]
    expected = {key: value for key, value in asdict(row).items() if not isinstance(value, float)}
    assert {key: tuple(kept[key]) if isinstance(kept[key], list) else kept[key] for key in expected} == expected
    assert kept["elo"] == (row.elo if math.isfinite(row.elo) else None)
    evaluate(run, "latest", seed=13)
    assert len(list(run.evaluations_path.iterdir())) == 2


def test_a_checkpoint_that_is_not_there_is_named_with_those_that_are(run):
    with pytest.raises(CheckpointError, match="no checkpoint of step 15; there are: 10, 20"):
        evaluate(run, "15")


def test_tampered_weights_are_refused(run):
    path = next(run.checkpoints_path.glob("*20")) / WEIGHTS_FILE
    path.write_bytes(path.read_bytes()[:-4] + b"evil")
    with pytest.raises(CheckpointError):
        evaluate(run, "20")
