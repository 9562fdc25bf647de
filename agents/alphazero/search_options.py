"""What options of the search bring in play: matches on one frozen network, in which both sides take equal time."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agents.alphazero.config import AlphaZeroConfig, PlayConfig, SearchConfig
from agents.alphazero.inference import make_evaluator
from agents.alphazero.policy import BATCH_SIZE, AlphaZeroPolicy
from rlplat.evaluation.arena import draw_openings, play_match
from rlplat.evaluation.statistics import MatchScore
from rlplat.evaluation.trained import Trained
from rlplat.interfaces import Policy
from rlplat.runs.progress import percent, percents
from rlplat.search.game import Game, State


@dataclass(frozen=True)
class Option:
    """A change of the configuration."""

    name: str
    search: Mapping[str, Any] = field(default_factory=dict)
    """Of `SearchConfig`."""
    play: Mapping[str, Any] = field(default_factory=dict)
    """Of `PlayConfig`."""
    alone: bool = False
    """Whether both sides search one position at a time, as at the board, instead of those of all games together."""


OPTIONS = (
    Option("results not proven", search={"prove": False}),
    Option("unvisited moves count as draws", search={"fpu": "constant", "fpu_value": 0.0}),
    Option("urgency reduced by 0.4", search={"fpu": "reduction", "fpu_value": 0.4}),
    Option("Gumbel, 16 moves at the root", search={"selection": "gumbel"}),
    Option("Gumbel, 4 moves at the root", search={"selection": "gumbel", "gumbel_actions": 4}),
    Option("move by visits", play={"lcb_deviations": 0.0}),
    Option("move by a confidence bound of 5 deviations", play={"lcb_deviations": 5.0}),
    Option("4 leaves at once, alone", play={"leaves_per_search": 4}, alone=True),
    Option("16 leaves at once, alone", play={"leaves_per_search": 16}, alone=True),
)

OPENING_PLIES = 4
SAMPLE, ROUNDS = 64, 4
"""Positions on which the time of a move is measured, and how often, before a match."""


class Timed:
    """A policy that counts the processor time of its moves, and may search one position at a time."""

    def __init__(self, policy: Policy, *, alone: bool) -> None:
        self._policy, self._alone = policy, alone
        self.seconds, self.num_moves = 0.0, 0

    def act(self, states: Sequence[State]) -> NDArray[Any]:
        start = time.process_time()
        if self._alone:
            actions = np.concatenate([self._policy.act([state]) for state in states])
        else:
            actions = self._policy.act(states)
        self.seconds += time.process_time() - start
        self.num_moves += len(states)
        return actions

    @property
    def seconds_per_move(self) -> float:
        return self.seconds / self.num_moves


Make = Callable[[int], Timed]
"""A policy with so many simulations."""


@dataclass(frozen=True)
class Compared:
    """One option against the search as it is configured."""

    name: str
    num_simulations: int
    """That take as long as those of the opponent."""
    time_ratio: float
    """Processor time of its moves in the match over that of the opponent's."""
    score: MatchScore

    def row(self) -> tuple[str, ...]:
        """Of a table in Markdown."""
        low, high = self.score.interval
        return (
            self.name,
            str(self.num_simulations),
            f"{self.time_ratio:.2f}",
            f"{self.score.wins}-{self.score.draws}-{self.score.losses}",
            f"{percent(self.score.score)} {percents(low, high)}",
            f"{self.score.elo:+.0f}",
        )


COLUMNS = ("option", "simulations", "time", "won-drawn-lost", "score [95 %]", "Elo")


def table(compared: Sequence[Compared]) -> str:
    """In Markdown, for docs/results.md."""
    rows = [COLUMNS, ("---",) * len(COLUMNS), *(each.row() for each in compared)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def compare(
    trained: Trained, *, num_games: int, num_simulations: int, seed: int, options: Sequence[Option] = OPTIONS
) -> list[Compared]:
    """Play each option against the run's own search with `num_simulations`, whose time the option's moves take too."""
    game, config = trained.game, trained.config.agent
    assert isinstance(config, AlphaZeroConfig)
    evaluator = make_evaluator(game.spec, config.network, trained.weights, batch_size=BATCH_SIZE, num_threads=1)

    def maker(option: Option, *, alone: bool) -> Make:
        search = SearchConfig(**{**config.search.model_dump(), **option.search})
        play = PlayConfig(**{**config.play.model_dump(), **option.play})
        changed = config.model_copy(update={"search": search, "play": play})
        return lambda number: Timed(
            AlphaZeroPolicy(changed, game, evaluator, num_simulations=number, seed=seed), alone=alone
        )

    found = []
    for option in options:
        make, base = maker(option, alone=option.alone), maker(Option(""), alone=option.alone)
        number = equal_time(game, make, base, num_simulations, seed=seed)
        mine, opponent = make(number), base(num_simulations)
        match = play_match(game, mine, opponent, num_games=num_games, opening_plies=OPENING_PLIES, seed=seed)
        ratio = mine.seconds_per_move / opponent.seconds_per_move
        found.append(Compared(option.name, number, ratio, match.score))
    return found


def equal_time(game: Game, make: Make, base: Make, num_simulations: int, *, seed: int) -> int:
    """Simulations with which `make`'s moves take as long as those of `base` with `num_simulations`.

    Both are measured in turn, by processor time, on positions of games that have come some way.
    """
    states = draw_openings(game, SAMPLE, min(2 * OPENING_PLIES, game.min_length - 1), seed)
    number = num_simulations
    for _ in range(ROUNDS):
        ratios = []
        for _ in range(ROUNDS):
            mine, reference = make(number), base(num_simulations)
            for each in (mine, reference):
                each.act(states)
            ratios.append(mine.seconds_per_move / reference.seconds_per_move)
        number = max(2, round(number / float(np.median(ratios))))
    return number
