"""Random games in the form in which collectors record them: data for tests and benchmarks of learners."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rlplat import _core
from rlplat.interfaces import Arrays

if TYPE_CHECKING:
    from rlplat.search.game import Game

POLICY_SCALE = 65535


def random_records(game: Game, *, num_games: int, seed: int, opening_plies: int = 0) -> Arrays:
    """Play `num_games` random games whose policy targets and root values are drawn at random too.

    The first `opening_plies` positions of a game have no policy target. Returns the arrays that `GameReplay.add` takes.
    """
    rng = np.random.default_rng(seed)
    games = [_random_game(game, rng, opening_plies) for _ in range(num_games)]
    joined = {name: np.concatenate([arrays[name] for arrays in games]) for name in games[0]}
    return {"game_number": np.arange(num_games, dtype=np.int64), **joined}


def _random_game(game: Game, rng: np.random.Generator, opening_plies: int) -> Arrays:
    position = _core.Position(game.core)
    states: list[np.ndarray[Any, Any]] = []
    policy: list[np.ndarray[Any, Any]] = []
    player: list[int] = []
    action: list[int] = []
    num_legal: list[int] = []
    while position.returns is None:
        legal = position.legal_actions()
        searched = len(action) >= opening_plies
        states.append(np.frombuffer(position.state, np.uint8))
        player.append(position.player)
        action.append(int(rng.choice(legal)))
        num_legal.append(len(legal) if searched else 0)
        if searched:
            policy.append(np.round(rng.dirichlet(np.ones(len(legal))) * POLICY_SCALE))
        position.apply(action[-1])
    return {
        "opening_plies": np.array([min(opening_plies, len(action))], np.int32),
        "num_positions": np.array([len(action)], np.int32),
        "outcome": np.array([position.returns[0]], np.float32),
        "states": np.stack(states),
        "player": np.array(player, np.uint8),
        "action": np.array(action, np.int32),
        "root_value": rng.uniform(-1.0, 1.0, len(action)).astype(np.float32),
        "num_legal": np.array(num_legal, np.uint16),
        "policy": np.concatenate(policy).astype(np.uint16) if policy else np.empty(0, np.uint16),
    }
