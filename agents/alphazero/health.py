"""Signs that a run learns nothing worth learning, from its metrics: each is named, with its figures and what to change.

The limits are far from what healthy runs show (docs/watching.md), so that a warning means something.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from rlplat.interfaces import Metrics

MOST_DUPLICATES = 0.3
"""Share of games that were played before; healthy runs of tic-tac-toe, where games are few, show 0.03."""
MOST_REPEATED_NOISE = 0.1
"""Share of games whose noise another had; healthy runs show 0, two collectors with one seed 0.5."""
LEAST_ENTROPY = 0.02
"""Of the policy, as a share of that of even play over all actions; Connect Four after an hour shows 0.37."""
WORSE_THAN_CONSTANT = 1.02
"""The value's error over that of a value of 0; 1 at the start of a run, so a little more."""
MOST_DRAWS = 0.95
MOST_WINS = 0.97
"""Of one side, as a share of the games that are not drawn."""
MOST_LAG = 10.0
"""Versions by which the collectors' weights are older than the newest, on average; 0 to 1 are usual."""

MOST_RESIGN_ERRORS = 0.2
"""Of the games that would have been resigned, the share that was not lost; the paper aims at 0.05."""

VARIETY = "raise agent.search.noise_fraction, agent.search.temperature_plies or agent.self_play.opening_plies"
CALMER = "lower agent.training.learning_rate"


def ailments(metrics: Metrics, num_actions: int) -> dict[str, str]:
    """Return what is wrong, as a sentence by name. What a rule needs and `metrics` lack counts as healthy."""
    found = {name: sign(metrics, num_actions) for name, sign in _SIGNS.items()}
    return {name: sentence for name, sentence in found.items() if sentence}


def _duplicate_games(metrics: Metrics, _: int) -> str | None:
    share = metrics.get("self_play/duplicate_games", 0.0)
    if share <= MOST_DUPLICATES:
        return None
    return f"{share:.0%} of the games were played before, so batches hold the same positions: {VARIETY}"


def _repeated_noise(metrics: Metrics, _: int) -> str | None:
    share = metrics.get("self_play/repeated_noise", 0.0)
    if share <= MOST_REPEATED_NOISE:
        return None
    return (
        f"{share:.0%} of the games began with the noise of another, so they draw the same random numbers and are much "
        "alike: games_params in agents/alphazero/collector.py must give each collector and generation games of its own"
    )


def _entropy_collapse(metrics: Metrics, num_actions: int) -> str | None:
    entropy, even = metrics.get("policy/entropy", math.inf), math.log(max(2, num_actions))
    if entropy >= LEAST_ENTROPY * even:
        return None
    return (
        f"the policy is certain of nearly every move (entropy {entropy:.3f}, even play {even:.2f}), so the search "
        f"tries no others: {VARIETY}"
    )


def _blind_value(metrics: Metrics, _: int) -> str | None:
    error, constant = metrics.get("value/error", 0.0), metrics.get("value/constant_error", 0.0)
    if error <= WORSE_THAN_CONSTANT * constant or constant == 0.0:
        return None
    return (
        f"the value is further from the results ({error:.3f}) than a value of 0 for all positions would be "
        f"({constant:.3f}): {CALMER}, or raise agent.replay.window_start"
    )


def _stale_data(metrics: Metrics, _: int) -> str | None:
    lag = metrics.get("self_play/policy_lag", 0.0)
    if lag <= MOST_LAG:
        return None
    return (
        f"games are played with weights {lag:.0f} versions older than the newest: raise agent.training.publish_every, "
        "or lower agent.self_play.collect_positions"
    )


def _draws(metrics: Metrics, _: int) -> str | None:
    share = metrics.get("self_play/draws", 0.0)
    if share <= MOST_DRAWS:
        return None
    return f"{share:.0%} of the games are drawn, so results teach little; unless perfect play is a draw, {VARIETY}"


def _one_side(metrics: Metrics, _: int) -> str | None:
    first = metrics.get("self_play/first_player_wins", 0.0)
    second = metrics.get("self_play/second_player_wins", 0.0)
    share = max(first, second) / max(1e-9, first + second)
    if share <= MOST_WINS or first + second < 1.0 - MOST_DRAWS:
        return None
    side = "first" if first > second else "second"
    return f"the {side} player wins {share:.0%} of the decided games; unless perfect play is such a win, {VARIETY}"


def _resign_errors(metrics: Metrics, _: int) -> str | None:
    share = metrics.get("self_play/resign_errors", 0.0)
    if share <= MOST_RESIGN_ERRORS:
        return None
    return (
        f"{share:.0%} of the games that would have been resigned were not lost when they were played on, so results "
        "are wrong: lower agent.self_play.resign_errors, or set it to null"
    )


_SIGNS: Mapping[str, Callable[[Metrics, int], str | None]] = {
    "duplicate games": _duplicate_games,
    "equal noise": _repeated_noise,
    "entropy collapse": _entropy_collapse,
    "blind value": _blind_value,
    "stale data": _stale_data,
    "draws": _draws,
    "one side": _one_side,
    "resignation errors": _resign_errors,
}
