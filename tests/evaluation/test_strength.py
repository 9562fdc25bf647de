"""What is asked of runs is done with each, and nothing else."""

from pathlib import Path

import pytest

from rlplat.evaluation import evaluate, judge
from rlplat.evaluation.strength import strength_of_runs

RUNS = [Path("runs/a"), Path("runs/b")]
NOTHING = {
    **{"positions": None, "against": [], "num_games": 10, "num_episodes": None, "num_videos": 0, "record": None},
    **{"checkpoint": "best", "num_simulations": 600, "seed": 0, "trust": []},
}
OPTIONS = {name: NOTHING[name] for name in ("checkpoint", "num_simulations", "seed", "trust")}


@pytest.fixture
def calls(monkeypatch):
    """What is called, with its arguments; nothing is done."""
    made = []
    monkeypatch.setattr(judge, "judge_run", lambda *args, **named: made.append(("judge", args, named)) or ["judged"])
    monkeypatch.setattr(evaluate, "evaluate_run", lambda *args, **named: made.append(("play", args, named)) or ["row"])
    return made


def test_positions_are_judged_and_nothing_is_played(calls):
    found, together = strength_of_runs(RUNS, **NOTHING | {"positions": Path("late.txt")})
    assert found == [("runs/a", ["judged"], []), ("runs/b", ["judged"], [])]
    assert calls == [("judge", (run, Path("late.txt")), OPTIONS) for run in RUNS]
    assert together == []


@pytest.mark.parametrize("asked", [{"against": ["random"]}, {"num_episodes": 5}, {"num_videos": 1}])
def test_matches_or_episodes_are_made_and_nothing_is_judged(calls, asked):
    found, together = strength_of_runs(RUNS[:1], **NOTHING | asked)
    assert found == [("runs/a", [], ["row"])]
    assert calls == [("play", (RUNS[0],), {name: (NOTHING | asked)[name] for name in NOTHING if name != "positions"})]
    assert together == []
