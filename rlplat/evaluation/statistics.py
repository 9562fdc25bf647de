"""Scores of matches: points, 95 % intervals and Elo differences.

A win counts 1, a draw 1/2, a loss 0. Games come in pairs that start from one opening with the sides swapped. The two
games of a pair depend on each other (a lost opening is lost for both), so where pairs are known the pair is the unit
of sampling: its mean lies in 0, 1/4, 1/2, 3/4, 1 (the "pentanomial" of engine testing). Otherwise the game is.

The interval holds every score that Rao's score test does not reject: `s` belongs to it if
`n (mean - s)^2 <= z^2 V(s)`, where `V(s)` is the variance of one unit under the most likely distribution with mean `s`.
Without draws this is Wilson's interval (Wilson, "Probable inference", JASA 22, 1927); with draws it is Tango's
("Equivalence test and confidence interval for the difference in proportions for the paired-sample design",
Statistics in Medicine 17, 1998, equation 17). It never leaves [0, 1], and is neither empty nor of width 0 when all
games were won, lost or drawn.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

from scipy.optimize import brentq  # type: ignore[import-untyped]

CONFIDENCE = 0.95
GAME_POINTS = (0.0, 0.5, 1.0)
PAIR_POINTS = (0.0, 0.25, 0.5, 0.75, 1.0)
EDGE = 1e-9
"""How close to 0, 1 and the mean the ends of an interval are looked for."""


@dataclass(frozen=True)
class MatchScore:
    """Results of a match from the view of one side."""

    wins: int
    draws: int
    losses: int
    pairs: tuple[int, int, int, int, int] | None = None
    """Pairs of games by their mean score 0, 1/4, 1/2, 3/4, 1; None: the games are taken as independent."""

    def __post_init__(self) -> None:
        if min(self.wins, self.draws, self.losses, *(self.pairs or ())) < 0:
            raise ValueError(f"{self}: counts must be >= 0")
        if self.num_games == 0:
            raise ValueError("a match score needs at least one game")
        if self.pairs is None:
            return
        quarters = sum(index * count for index, count in enumerate(self.pairs))
        if 2 * sum(self.pairs) != self.num_games or quarters != 2 * self.wins + self.draws:
            raise ValueError(f"{self}: the pairs do not add up to the games")

    @classmethod
    def of_pairs(cls, points: Sequence[float]) -> MatchScore:
        """Count the points (1, 1/2 or 0) of single games; games 2k and 2k + 1 are a pair."""
        if len(points) % 2 or any(value not in GAME_POINTS for value in points):
            raise ValueError(f"{list(points)} must be an even number of games with 0, 0.5 or 1 points each")
        pairs = [0] * len(PAIR_POINTS)
        for first, second in zip(points[::2], points[1::2], strict=True):
            pairs[PAIR_POINTS.index((first + second) / 2)] += 1
        wins, draws, losses = (sum(value == kind for value in points) for kind in (1.0, 0.5, 0.0))
        return cls(wins, draws, losses, (pairs[0], pairs[1], pairs[2], pairs[3], pairs[4]))

    @property
    def num_games(self) -> int:
        return self.wins + self.draws + self.losses

    @property
    def score(self) -> float:
        """Mean points of a game, in [0, 1]."""
        return (self.wins + self.draws / 2) / self.num_games

    @property
    def interval(self) -> tuple[float, float]:
        """95 % interval of the score."""
        if self.pairs is None:
            return score_interval(GAME_POINTS, (self.losses, self.draws, self.wins))
        return score_interval(PAIR_POINTS, self.pairs)

    @property
    def elo(self) -> float:
        """Elo difference; infinite when every game was won or lost."""
        return elo_difference(self.score)

    @property
    def elo_interval(self) -> tuple[float, float]:
        """95 % interval of the Elo difference; one-sided when every game was won or lost."""
        low, high = self.interval
        return elo_difference(low), elo_difference(high)

    def swapped(self) -> MatchScore:
        """The same match from the view of the other side."""
        pairs = self.pairs
        swapped = None if pairs is None else (pairs[4], pairs[3], pairs[2], pairs[1], pairs[0])
        return MatchScore(self.losses, self.draws, self.wins, swapped)


def elo_difference(score: float) -> float:
    """Return the Elo difference at which a score s in [0, 1] is expected: 400 log10(s / (1 - s))."""
    if not 0.0 <= score <= 1.0:
        raise ValueError(f"a score is {score}; it must lie in [0, 1]")
    if score in (0.0, 1.0):
        return math.copysign(math.inf, score - 0.5)
    return 400.0 * math.log10(score / (1.0 - score))


def score_interval(
    points: Sequence[float], counts: Sequence[int], confidence: float = CONFIDENCE
) -> tuple[float, float]:
    """Return the interval of the mean of independent units, `counts[i]` of which brought `points[i]`.

    `points` ascend from 0 to 1: the ends count as possible even if they never occurred.
    """
    num_units = sum(counts)
    mean = sum(point * count for point, count in zip(points, counts, strict=True)) / num_units
    z_squared = NormalDist().inv_cdf((1.0 + confidence) / 2.0) ** 2

    def excess(score: float) -> float:
        return num_units * (mean - score) ** 2 - z_squared * _variance_at(score, points, counts)

    # Next to the mean nothing is rejected; next to 0 and 1 the variance vanishes and everything else is.
    low = brentq(excess, EDGE, mean - EDGE) if mean > 0.0 else 0.0
    high = brentq(excess, mean + EDGE, 1.0 - EDGE) if mean < 1.0 else 1.0
    return float(low), float(high)


def _variance_at(score: float, points: Sequence[float], counts: Sequence[int]) -> float:
    """Variance of one unit under the most likely distribution over `points` whose mean is `score`.

    By Lagrange that distribution is `p[i] = counts[i] / (n + m (points[i] - score))`, with the multiplier `m` at which
    the mean is right. If no admissible `m` gets there, the missing mass lies on an end that never occurred.
    """
    num_units = sum(counts)
    deviations = [point - score for point in points]

    def imbalance(multiplier: float) -> float:
        return sum(c * d / (num_units + multiplier * d) for c, d in zip(counts, deviations, strict=True) if c)

    # At these two values the denominator of one end vanishes.
    lowest, highest = -num_units / deviations[-1], -num_units / deviations[0]
    if not counts[-1] and imbalance(lowest) <= 0.0:
        multiplier = lowest
    elif not counts[0] and imbalance(highest) >= 0.0:
        multiplier = highest
    else:
        margin = 1e-12 * (highest - lowest)
        multiplier = brentq(imbalance, lowest + margin, highest - margin)
    observed = [(c / (num_units + multiplier * d), d) for c, d in zip(counts, deviations, strict=True) if c]
    variance = sum(p * d * d for p, d in observed)
    missing, end = 1.0 - sum(p for p, _ in observed), deviations[-1] if multiplier == lowest else deviations[0]
    return variance + (missing * end * end if multiplier in (lowest, highest) else 0.0)
