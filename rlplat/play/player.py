"""A trained agent at the board: one position at a time, with a number of simulations or by the clock."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from rlplat import registry
from rlplat.evaluation.trained import Trained
from rlplat.search.analysis import Analysis
from rlplat.search.game import State

MOST = 1 << 16
"""Simulations of a search by the clock, which bound memory."""

_MARGIN_S = 0.01
"""Of the time for a move that no batch of the search should end in."""

_MOVES_LEFT = 30
"""Moves that a player is taken to have still to make, whatever the position."""
_MOST_OF_CLOCK = 0.25
"""Largest share of the time that is left for one move."""


@dataclass(frozen=True)
class Thought:
    """What one search found."""

    action: int
    simulations: int | None
    """None: as in self-play."""
    seconds: float
    """Since the first search of the move began."""
    value: float | None
    """Of the position, from the view of the player to move; None where the agent does not say."""
    line: tuple[int, ...]
    """Actions that it expects, its own first; empty where the agent does not say."""


class Player:
    """Chooses moves with the weights of a checkpoint.

    Args:
        simulations: of every move, whatever the clock says. None: by the clock where there is one, otherwise as in
            self-play.
    """

    def __init__(self, trained: Trained, simulations: int | None) -> None:
        self._trained = trained
        self._simulations = simulations
        self.game = trained.game
        self.name = f"{trained.run.path.absolute().name}@{trained.step}"
        self._policy: Any = trained.make_policy(num_simulations=simulations, seed=0)

    def change(self, parameters: Mapping[str, float]) -> None:
        """Play by other parameters; GameError for those that the game refuses. The shape of the board stays."""
        config = self._trained.config
        game = self.game.definition.load(**{**self.game.parameters, **parameters})
        agent = registry.resolve(config.agent.id, kind="agent")(config, game)
        self._trained, self.game = replace(self._trained, env=game, agent=agent), game
        self._policy = self._trained.make_policy(num_simulations=self._simulations, seed=0)

    def think(
        self, state: State, *, seconds: float | None = None, simulations: int | None = None, stop: threading.Event
    ) -> Iterator[Thought]:
        """Search a position that is not over, by number of simulations or until `seconds` are over, or `stop` is set.

        By the clock the last thought counts; those before show how far the search is. An agent whose searches cannot be
        stopped searches once.
        """
        start = time.perf_counter()
        fixed = self._simulations if simulations is None else min(simulations, MOST)
        if not hasattr(self._policy, "analyse"):
            action = int(np.asarray(self._policy.act([state]))[0])
            yield Thought(action, self._simulations, time.perf_counter() - start, None, ())
        elif not hasattr(self._policy, "refine"):
            yield self._thought(self._policy.analyse([state], num_simulations=fixed), fixed, start)
        elif fixed is not None or seconds is None:
            *_, found = self._policy.refine(state, fixed, stop.is_set)
            yield self._thought(found, None if fixed is None else found.num_simulations, start)
        else:
            deadline = start + seconds - _MARGIN_S
            for found in self._policy.refine(state, MOST, lambda: stop.is_set() or time.perf_counter() > deadline):
                yield self._thought(found, found.num_simulations, start)

    def _thought(self, found: Analysis, simulations: int | None, start: float) -> Thought:
        action, line = int(found.best_actions[0]), found.principal_variations[0]
        # Where visits are equal the line may begin otherwise.
        expected = tuple(line) if line and line[0] == action else (action,)
        return Thought(action, simulations, time.perf_counter() - start, float(found.values[0]), expected)


def share_of_clock(left_s: float, increment_s: float = 0.0, moves_to_go: int = 0) -> float:
    """Seconds to think of a move with so much on the clock, for `moves_to_go` more moves (below 1: all of them)."""
    share = left_s / (moves_to_go + 1 if moves_to_go > 0 else _MOVES_LEFT) + increment_s / 2
    return max(0.0, min(share, _MOST_OF_CLOCK * left_s if moves_to_go != 1 else 0.9 * left_s))
