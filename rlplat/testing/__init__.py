"""Does a game keep the contract of `rlplat/game.hpp`? `check_game(game)` plays it at random and says what is wrong."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rlplat.errors import GameError, RulesError
from rlplat.testing import knowledge, rules, views
from rlplat.testing.sample import Sample

if TYPE_CHECKING:
    from rlplat.search.game import Game, State

NUM_GAMES = 40
"""Enough that games of Go and Connect Four meet every rule that random play meets at all, in seconds."""

CHECKS: dict[str, Callable[[Sample], str | None]] = {
    "sizes": rules.check_sizes,
    "start": rules.check_start,
    "legal actions": rules.check_legal_actions,
    "players": rules.check_players,
    "illegal actions": rules.check_illegal_actions,
    "returns": rules.check_returns,
    "length": rules.check_length,
    "winning actions": rules.check_winning_actions,
    "copies": rules.check_copies,
    "replay": rules.check_replay,
    "rollouts": rules.check_rollouts,
    "action texts": views.check_action_texts,
    "text": views.check_text,
    "hashes": views.check_hashes,
    "evaluation keys": views.check_evaluation_keys,
    "planes": views.check_planes,
    "symmetries": views.check_symmetries,
    "mirrored games": views.check_mirrored_games,
    "heuristic": knowledge.check_heuristic,
    "exact score": knowledge.check_exact_score,
    "records": views.check_records,
}
"""In order, by the name under which a report lists them. The last three find nothing wrong where a game has none."""

FOUNDATIONS = ("sizes", "start", "legal actions", "players", "symmetries")
"""Checks without which those after them make no sense: once one of these failed, they are left out."""


@dataclass(frozen=True)
class Check:
    """One clause of the contract."""

    name: str
    failure: str | None
    """What is wrong, with the moves that show it; None: nothing."""


@dataclass(frozen=True)
class CheckReport:
    """Outcome of `check_game`; its text is one line per check."""

    game: str
    checks: tuple[Check, ...]
    """Those that were made."""
    num_games: int
    num_positions: int
    moves_per_second: float
    """Random moves on one thread through Python, with the legal actions of each position: not the search's speed."""

    @property
    def passed(self) -> bool:
        return not self.failures

    @property
    def failures(self) -> tuple[Check, ...]:
        return tuple(check for check in self.checks if check.failure is not None)

    def __str__(self) -> str:
        lines = [
            f"{self.game}: {len(self.checks) - len(self.failures)} of {len(self.checks)} checks passed;"
            f" {self.num_games} random games, {self.num_positions} positions, {self.moves_per_second:,.0f} moves/s"
        ]
        for check in self.checks:
            lines.append(f"  {'ok    ' if check.failure is None else 'FAILED'}  {check.name}")
            if check.failure is not None:
                lines += [f"          {line}" for line in check.failure.splitlines()]
        made = {check.name for check in self.checks}
        if left_out := ", ".join(name for name in CHECKS if name not in made):
            lines.append(f"  left out until this is mended: {left_out}")
        return "\n".join(lines)


def check_game(game: Game, *, num_games: int = NUM_GAMES, seed: int = 0) -> CheckReport:
    """Play `num_games` random games and check every clause of the contract on their positions.

    Equal seeds play equal games. Nothing is raised for a broken game: the report says what is wrong.
    """
    try:
        games, seconds = _play(game, num_games, seed)
    except RulesError as error:
        return CheckReport(game.name, (Check("random games", str(error)),), 0, 0, 0.0)
    sample = Sample(game, games, seed)
    checks = []
    for name, check in CHECKS.items():
        try:
            failure = check(sample)
        except GameError as error:
            failure = f"the rules were refused: {error}"
        except Exception as error:  # rules in C++ may throw anything
            failure = f"the rules threw {type(error).__name__}: {error}"
        checks.append(Check(name, failure))
        if failure is not None and name in FOUNDATIONS:
            break
    num_positions = sum(map(len, games))
    speed = (num_positions - len(games)) / max(seconds, 1e-9)
    return CheckReport(game.name, tuple(checks), len(games), num_positions, speed)


def _play(game: Game, num_games: int, seed: int) -> tuple[list[list[State]], float]:
    """Play random games; one that breaks the rules or outlasts max_length is cut off there, for a check to name."""
    rng = np.random.default_rng(seed)
    games: list[list[State]] = []
    seconds = 0.0
    for _ in range(num_games):
        start = time.perf_counter()
        games.append([game.initial_state()])
        try:
            _play_on(games[-1], rng)
        except RulesError:
            raise
        except Exception as error:  # rules in C++ may throw anything
            played = " ".join(map(str, games[-1][-1].actions))
            where = f"after the actions {played}" if played else "at the start"
            raise RulesError(f"{game.name}: the rules threw {type(error).__name__}: {error} ({where})") from error
        seconds += time.perf_counter() - start
    return games, seconds


def _play_on(states: list[State], rng: np.random.Generator) -> None:
    """Add the states of a random game to its first one."""
    while len(states) <= states[0].game.max_length + 1 and not states[-1].is_terminal:
        legal = states[-1].legal_actions()
        if len(legal) == 0:
            return
        after = states[-1].copy()
        try:
            after.apply(int(rng.choice(legal)))
        except RulesError:
            raise
        except GameError:
            return
        states.append(after)
