"""Tic-tac-toe is learned to perfection, which brute force judges."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT, rlplat

from rlplat.config import load_config
from rlplat.search.game import State
from rlplat.training.build import build
from rlplat.training.session import weights_of

LIMIT_S = 120
NUM_SIMULATIONS = 25


def solve(state: State, values: dict[int, tuple[int, State]]) -> int:
    """The value of a position for the player to move; all positions below it go into `values` by their hash."""
    if state.is_terminal:
        return int(state.returns[state.player])
    if state.hash not in values:
        best = -1
        for action in state.legal_actions():
            child = state.copy()
            child.apply(int(action))
            best = max(best, -solve(child, values))
        values[state.hash] = (best, state)
    return values[state.hash][0]


@pytest.mark.learning
@pytest.mark.timeout(300)
def test_tictactoe_within_two_minutes_the_agent_never_loses_to_a_perfect_player(tmp_path: Path) -> None:
    config_path, run = ROOT / "configs" / "tictactoe.yaml", tmp_path / "tictactoe"
    start = time.monotonic()
    result = rlplat("train", config_path, "--run-dir", run, "-o", "evaluation.final_num_games=0", timeout=2 * LIMIT_S)
    seconds = time.monotonic() - start
    assert result.returncode == 0, result.stderr
    print(f"trained in {seconds:.0f} s")

    built = build(load_config(config_path))
    values: dict[int, tuple[int, State]] = {}
    assert solve(built.game.initial_state(), values) == 0
    assert len(values) == 4520
    policy = built.agent.make_policy(weights_of(run), num_simulations=NUM_SIMULATIONS, seed=0)
    not_lost = [state for value, state in values.values() if value >= 0]
    actions = np.concatenate([policy.act(not_lost[i : i + 256]) for i in range(0, len(not_lost), 256)])
    losing = []
    for state, action in zip(not_lost, actions, strict=True):
        child = state.copy()
        child.apply(int(action))
        if solve(child, values) == 1:
            losing.append(f"{state.moves_text()}: {state.action_text(int(action))}")
    network = built.agent.make_policy(weights_of(run), num_simulations=0, seed=0)
    empty_board = float(network.analyse([built.game.initial_state()]).values[0])
    print(f"{len(losing)} of {len(not_lost)} positions thrown away {losing}; empty board {empty_board:+.3f}")
    assert not losing
    assert abs(empty_board) <= 0.1
    assert seconds <= LIMIT_S
