"""Ratings on the Elo scale, fitted to all matches at once.

The model is that of Bradley and Terry ("Rank analysis of incomplete block designs", Biometrika 39, 1952, equation 1):
player i is expected to take the share p = 1 / (1 + 10^((R_j - R_i) / 400)) of the points of a game against player j. A
draw counts as half a win for each. That states the variance of a game too high, so intervals err on the wide side.

Ratings maximise the likelihood times Jeffreys' prior, the root of the determinant of the Fisher information (Firth,
"Bias reduction of maximum likelihood estimates", Biometrika 80, 1993, section 3.3). Against k players that takes as
much as k further drawn games, spread to where games tell most: two players with w wins and l losses lie
400 log10((w + 1/2) / (l + 1/2)) apart. So a rating is finite where somebody won or lost everything, has less bias than
the bare likelihood's maximum elsewhere, and approaches that one with many games. The determinant is the same whoever
is the anchor, hence so are all differences.

An interval holds the values that the likelihood-ratio test does not reject, with the same prior (Heinze and Schemper,
"A solution to the problem of separation in logistic regression", Statistics in Medicine 21, 2002, section 2.3). With
many games it is the estimate +- 1.96 standard errors of the Fisher information; after a clean sweep it is long on the
side of which the games say nothing.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import brentq  # type: ignore[import-untyped]
from scipy.special import expit, log_expit  # type: ignore[import-untyped]
from scipy.stats import chi2  # type: ignore[import-untyped]

from rlplat.evaluation.statistics import CONFIDENCE

ELO_PER_LOGIT = 400.0 / math.log(10.0)
"""Elo that one unit of log odds is worth."""

TOLERANCE = 1e-6
"""Longest step, in log odds, that still counts as having arrived; below a thousandth of an Elo."""
LONGEST_STEP = 3.0
"""In log odds: where someone wins everything, curvature far from the top promises steps that overshoot."""
MAX_STEPS = 500

Floats = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True)
class Tally:
    """Games between two players. Counts may be fractions: games that repeat each other count for less."""

    player: str
    opponent: str
    wins: float
    draws: float
    losses: float

    @property
    def num_games(self) -> float:
        return self.wins + self.draws + self.losses


@dataclass(frozen=True)
class Rating:
    """How strong a player is, on a scale on which the anchor has 0."""

    player: str
    elo: float
    low: float
    """Ends of the 95 % interval of the difference to the anchor."""
    high: float
    num_games: float


@dataclass(frozen=True)
class Ratings:
    """All that a fit found."""

    anchor: str
    rated: tuple[Rating, ...]
    """The strongest first."""
    unconnected: tuple[str, ...]
    """Players whom no chain of games links to the anchor: nothing can be said of them."""

    def of(self, player: str) -> Rating | None:
        """The rating of a player; None if it is not connected, not asked for, or unknown."""
        return next((rating for rating in self.rated if rating.player == player), None)


def fit_ratings(tallies: Sequence[Tally], anchor: str, *, players: Collection[str] | None = None) -> Ratings:
    """Rate everyone whom games link to `anchor`; of `players` alone (None: all), as every interval takes time.

    The order of the tallies, and which side of one is called the player, change nothing. ValueError for an anchor
    without games and for games of a player against itself.
    """
    tallies = [tally for tally in tallies if tally.num_games > 0]
    everyone = sorted({name for tally in tallies for name in (tally.player, tally.opponent)})
    if anchor not in everyone:
        raise ValueError(f"the anchor {anchor} has no games; players with games: {', '.join(everyone) or 'none'}")
    connected = _connected(tallies, anchor)
    names = [anchor, *(name for name in everyone if name in connected and name != anchor)]
    num_games = dict.fromkeys(everyone, 0.0)
    for tally in tallies:
        num_games[tally.player] += tally.num_games
        num_games[tally.opponent] += tally.num_games
    model = _Model(names, [tally for tally in tallies if tally.player in connected])
    top = model.maximise(np.zeros(len(names)))
    rated = []
    for index, name in enumerate(names):
        if players is None or name in players:
            low, high = model.interval(index, top) if index else (0.0, 0.0)
            elo, low, high = (ELO_PER_LOGIT * float(value) for value in (top[index], low, high))
            rated.append(Rating(name, elo, low, high, num_games[name]))
    rated.sort(key=lambda rating: (-rating.elo, rating.player))
    return Ratings(anchor, tuple(rated), tuple(name for name in everyone if name not in connected))


def _connected(tallies: Sequence[Tally], start: str) -> set[str]:
    neighbours: dict[str, set[str]] = {}
    for tally in tallies:
        neighbours.setdefault(tally.player, set()).add(tally.opponent)
        neighbours.setdefault(tally.opponent, set()).add(tally.player)
    reached, waiting = {start}, [start]
    while waiting:
        new = neighbours[waiting.pop()] - reached
        reached |= new
        waiting += new
    return reached


class _Model:
    """The posterior density of ratings in log odds, float64 `[K]`; player 0 is the anchor and has rating 0."""

    def __init__(self, names: Sequence[str], tallies: Sequence[Tally]) -> None:
        games: dict[tuple[int, int], float] = {}
        points: dict[tuple[int, int], float] = {}
        place = {name: index for index, name in enumerate(names)}
        both = [(each.player, each.opponent, each.wins + each.draws / 2, each.num_games) for each in tallies]
        for player, opponent, scored, played in sorted(both):  # sorted: sums of fractions depend on their order
            if player == opponent:
                raise ValueError(f"{player} cannot be rated by games against itself")
            pair, share = (place[player], place[opponent]), scored
            if pair[0] > pair[1]:
                pair, share = (pair[1], pair[0]), played - scored
            games[pair] = games.get(pair, 0.0) + played
            points[pair] = points.get(pair, 0.0) + share
        pairs = sorted(games)
        self._size = len(names)
        self._first = np.array([pair[0] for pair in pairs])
        self._second = np.array([pair[1] for pair in pairs])
        self._games = np.array([games[pair] for pair in pairs], np.float64)
        self._points = np.array([points[pair] for pair in pairs], np.float64)

    def maximise(self, start: Floats, fixed: int = 0) -> Floats:
        """The ratings of the highest density, with those of the anchor and of player `fixed` as in `start`.

        Fisher scoring: the weights of a pair are its games and its share of the prior's.
        """
        free = np.array([index for index in range(self._size) if index not in (0, fixed)], np.int64)
        ratings, height = start, self._log_density(start)
        if not free.size:
            return ratings
        for _ in range(MAX_STEPS):
            gradient, information = self._slope(ratings)
            step = np.zeros(self._size)
            step[free] = np.linalg.solve(information[np.ix_(free, free)], gradient[free])
            step *= min(1.0, LONGEST_STEP / max(np.abs(step).max(), 1e-300))
            while np.abs(step).max() > TOLERANCE:
                higher = self._log_density(ratings + step)
                if higher >= height:
                    break
                step /= 2
            else:
                return ratings
            ratings, height = ratings + step, higher
        raise ArithmeticError(f"ratings of {self._size} players have not settled in {MAX_STEPS} steps")

    def interval(self, index: int, top: Floats) -> tuple[float, float]:
        """Ends of the 95 % interval of one player's rating, given the ratings of the highest density."""
        lowest = self._log_density(top) - chi2.ppf(CONFIDENCE, 1) / 2
        _, information = self._slope(top)
        covariances = np.concatenate(([0.0], np.linalg.inv(information[1:, 1:])[index - 1]))
        error = math.sqrt(covariances[index])

        def excess(rating: float) -> float:
            start = top + (rating - top[index]) * covariances / covariances[index]  # where a parabola has its ridge
            return self._log_density(self.maximise(start, fixed=index)) - float(lowest)

        ends = []
        for direction in (-1.0, 1.0):
            reach = direction * 2.0 * error
            while excess(top[index] + reach) > 0.0:  # ends: the prior lets the density fall for ever
                reach *= 2.0
            ends.append(float(brentq(excess, top[index], top[index] + reach, xtol=1e-4)))
        return ends[0], ends[1]

    def _log_density(self, ratings: Floats) -> float:
        ahead = ratings[self._first] - ratings[self._second]
        likelihood = self._points @ log_expit(ahead) + (self._games - self._points) @ log_expit(-ahead)
        sign, determinant = np.linalg.slogdet(self._laplacian(self._weights(ahead))[1:, 1:])
        return float(likelihood + determinant / 2) if sign > 0 else -math.inf

    def _slope(self, ratings: Floats) -> tuple[Floats, Floats]:
        """The gradient `[K]`, and the information `[K, K]` of the games and the prior's together.

        The prior draws `h` more games of a pair, where `h` is the pair's leverage: its weight times its resistance in
        the network of all weights. Leverages add up to K - 1.
        """
        ahead = ratings[self._first] - ratings[self._second]
        weights = self._weights(ahead)
        covariance = np.zeros((self._size, self._size))
        covariance[1:, 1:] = np.linalg.inv(self._laplacian(weights)[1:, 1:])
        variance = np.diagonal(covariance)
        first, second = self._first, self._second
        leverage = weights * (variance[first] + variance[second] - 2 * covariance[first, second])
        games = self._games + leverage
        pull = self._points + leverage / 2 - games * expit(ahead)
        gradient = np.zeros(self._size)
        np.add.at(gradient, first, pull)
        np.subtract.at(gradient, second, pull)
        return gradient, self._laplacian(weights * games / self._games)

    def _weights(self, ahead: Floats) -> Floats:
        """Fisher information of each pair's games on the difference of their ratings."""
        weights: Floats = self._games * expit(ahead) * expit(-ahead)
        return weights

    def _laplacian(self, weights: Floats) -> Floats:
        matrix = np.zeros((self._size, self._size))
        np.add.at(matrix, (self._first, self._second), -weights)
        np.add.at(matrix, (self._second, self._first), -weights)
        matrix[np.diag_indices(self._size)] = -matrix.sum(axis=1)
        return matrix
