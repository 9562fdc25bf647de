"""Random games of one game, as the checks of its contract see them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from rlplat.search.game import Game, State

NUM_CLOSE_LOOKS = 300
"""Positions, drawn at random, on which checks work that try many actions or copies."""


@dataclass(frozen=True)
class Sample:
    """Random games: for each, its states from the first to the last."""

    game: Game
    games: list[list[State]]
    seed: int

    def positions(self) -> list[State]:
        return [state for states in self.games for state in states]

    def some_positions(self) -> list[State]:
        """Return at most `NUM_CLOSE_LOOKS` of the positions."""
        found = self.positions()
        chosen = np.random.default_rng(self.seed).permutation(len(found))[:NUM_CLOSE_LOOKS]
        return [found[index] for index in sorted(chosen)]

    def moves(self) -> Iterator[tuple[State, State]]:
        """Yield the positions before and after each move."""
        for states in self.games:
            yield from itertools.pairwise(states)


def where(state: State) -> str:
    """Say how a position came about."""
    return f"after {state.moves_text()}" if state.num_moves else "at the start"


def facts(state: State) -> dict[str, Any]:
    """Return all that a state shows at this moment, by name."""
    return {
        "player": state.player,
        "moves": state.actions,
        "text": str(state),
        "legal actions": state.legal_actions().tolist(),
        "planes": state.planes().tobytes(),
        "hash": state.hash,
        "evaluation key": state.evaluation_key,
        "returns": state.returns.tolist() if state.is_terminal else None,
    }


def difference(one: dict[str, Any], other: dict[str, Any]) -> str | None:
    """Name the facts that differ; None if all are equal."""
    return ", ".join(name for name in one if one[name] != other[name]) or None
