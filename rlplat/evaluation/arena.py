"""Matches between two policies: paired random openings, sides swapped, all games in lockstep."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from rlplat.errors import GameError
from rlplat.evaluation.statistics import MatchScore
from rlplat.interfaces import Policy

if TYPE_CHECKING:
    from rlplat.search.game import Game, State

logger = logging.getLogger(__name__)

OPENING_ATTEMPTS = 100
"""Random openings tried in search of a new one before the openings played so far may come again."""

FEWEST_DISTINCT = 0.9
"""Share of distinct games below which a match is logged as saying less than its number of games suggests."""


@dataclass(frozen=True)
class MatchGame:
    """One game of a match, from the view of the policy (not of its opponent)."""

    player: int
    """0: the policy moved first; 1: second."""
    points: float
    """1, 1/2 or 0 for the policy."""
    moves: str
    """The whole game with its opening, as `State.moves_text` writes it."""
    num_moves: int
    """Plies, the opening included."""


@dataclass(frozen=True)
class MatchResult:
    """All games of a match; games 2k and 2k + 1 share an opening, and the policy moves first in game 2k."""

    games: tuple[MatchGame, ...]

    @property
    def score(self) -> MatchScore:
        """Of the policy, with the pair as the unit of sampling."""
        return MatchScore.of_pairs([game.points for game in self.games])

    @property
    def score_by_side(self) -> tuple[MatchScore, MatchScore]:
        """Of the policy when it moved first, and when it moved second."""
        return _count(self.games[::2]), _count(self.games[1::2])

    @property
    def mean_length(self) -> float:
        """Plies of a game, the opening included."""
        return sum(game.num_moves for game in self.games) / len(self.games)

    @property
    def distinct_games(self) -> int:
        """Games that differ in their moves or in who played which side; the others bring no news."""
        return len({(game.player, game.moves) for game in self.games})


def play_match(
    game: Game, policy: Policy, opponent: Policy, *, num_games: int, opening_plies: int, seed: int
) -> MatchResult:
    """Play `num_games` (even) games from openings of exactly `opening_plies` random moves.

    Each policy is called with the batch of all positions in which it is to move. The seed decides the openings and
    nothing else, so matches with one seed against several opponents share them. Raises GameError for an illegal action,
    naming policy and position.
    """
    if num_games < 2 or num_games % 2:
        raise GameError(f"a match was asked for with {num_games} games; games come in pairs: ask for 2, 4, 6, ...")
    openings = draw_openings(game, num_games // 2, opening_plies, seed)
    # In even games the policy is player 0, in odd games player 1.
    result = MatchResult(
        play_on([opening for opening in openings for _ in range(2)], [0, 1] * len(openings), policy, opponent)
    )
    if result.distinct_games < FEWEST_DISTINCT * num_games:
        logger.warning(
            "only %d of %d games of %s differ; the rest brings no news: use more opening plies than %d or fewer games",
            result.distinct_games,
            num_games,
            game.name,
            opening_plies,
        )
    return result


def play_on(starts: Sequence[State], sides: Sequence[int], policy: Policy, opponent: Policy) -> tuple[MatchGame, ...]:
    """Play one game from each state, which stays as it is, to its end; the policy is player `sides[k]` of game k."""
    states = [start.copy() for start in starts]
    while running := [number for number in range(len(states)) if not states[number].is_terminal]:
        mine = [number for number in running if states[number].player == sides[number]]
        theirs = [number for number in running if states[number].player != sides[number]]
        for numbers, mover in ((mine, policy), (theirs, opponent)):
            if numbers:
                _move(mover, [states[number] for number in numbers])
    return tuple(_finished(state, side) for state, side in zip(states, sides, strict=True))


def draw_openings(game: Game, num_openings: int, opening_plies: int, seed: int) -> list[State]:
    """Draw positions reached by exactly `opening_plies` random legal moves, none of them terminal.

    No position comes twice until `OPENING_ATTEMPTS` draws in a row found nothing new; then all may come once more.
    """
    if not 0 <= opening_plies < game.max_length:
        raise GameError(
            f"opening_plies is {opening_plies}; {game.name} allows 0 to {game.max_length - 1}"
            f" (its games last {game.min_length} to {game.max_length} plies)"
        )
    rng = np.random.default_rng(seed)
    openings: list[State] = []
    seen: set[int] = set()
    while len(openings) < num_openings:
        for _ in range(OPENING_ATTEMPTS):
            state = _random_opening(game, opening_plies, rng)
            if state is not None and state.evaluation_key not in seen:
                openings.append(state)
                seen.add(state.evaluation_key)
                break
        else:
            if not openings:
                raise GameError(
                    f"opening_plies is {opening_plies}, but {OPENING_ATTEMPTS} random games of {game.name} had all"
                    " ended by then; use fewer opening plies"
                )
            seen.clear()
    return openings


def _random_opening(game: Game, opening_plies: int, rng: np.random.Generator) -> State | None:
    """Play random moves; None if they end the game."""
    state = game.initial_state()
    for _ in range(opening_plies):
        if state.is_terminal:
            return None
        state.apply(int(rng.choice(state.legal_actions())))
    return None if state.is_terminal else state


def _move(policy: Policy, states: Sequence[State]) -> None:
    """Let the policy choose and play one action in each state; it sees copies, so it cannot change the games."""
    actions: np.ndarray[Any, Any] = np.asarray(policy.act([state.copy() for state in states]))
    if actions.shape != (len(states),) or actions.dtype.kind not in "iu":
        raise GameError(
            f"{_name(policy)} returned {actions.dtype} {list(actions.shape)} for {len(states)} positions;"
            f" it must return one integer each: int64 [{len(states)}]"
        )
    for state, action in zip(states, actions.tolist(), strict=True):
        legal = state.legal_actions().tolist()
        if action not in legal:
            raise GameError(
                f"{_name(policy)} chose action {action} in {state.game.name} after {state.moves_text() or 'no moves'};"
                f" legal actions: {', '.join(map(str, legal))}\n{state}"
            )
        state.apply(action)


def _name(policy: Policy) -> str:
    return str(getattr(policy, "name", type(policy).__name__))


def _finished(state: State, side: int) -> MatchGame:
    outcome = float(state.returns[side])
    points = 1.0 if outcome > 0 else 0.0 if outcome < 0 else 0.5
    return MatchGame(side, points, state.moves_text(), state.num_moves)


def _count(games: Sequence[MatchGame]) -> MatchScore:
    points = [game.points for game in games]
    return MatchScore(points.count(1.0), points.count(0.5), points.count(0.0))
