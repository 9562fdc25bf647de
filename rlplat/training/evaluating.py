"""Evaluation of a run's weights."""

from __future__ import annotations

from collections.abc import Sequence

from rlplat.config import RunConfig
from rlplat.evaluation.evaluate import Evaluation, evaluate_policy
from rlplat.evaluation.opponents import parse_opponent
from rlplat.interfaces import Agent, Arrays
from rlplat.search.game import Game


def evaluate_weights(
    config: RunConfig, game: Game, agent: Agent, weights: Arrays, step: int, *, num_games: int
) -> list[Evaluation]:
    """Play `num_games` against each opponent of `config.evaluation` with published weights."""
    settings = config.evaluation
    return evaluate_policy(
        game,
        agent.make_policy(weights, num_simulations=settings.num_simulations, seed=config.seed),
        settings.against,
        num_games=num_games,
        opening_plies=settings.opening_plies,
        seed=config.seed,
        step=step,
        num_simulations=settings.num_simulations,
    )


def check_opponents(config: RunConfig, game: Game, trust: Sequence[str] = ()) -> None:
    """Make every opponent of `config.evaluation` once: RegistryError for a wrong name, before a run comes to it."""
    for name in config.evaluation.against:
        parse_opponent(name, trust=trust).make_policy(game, config.seed)


def mean_score(evaluations: list[Evaluation]) -> float:
    """Mean score over the opponents: what decides which checkpoint is the best."""
    return sum(evaluation.score for evaluation in evaluations) / len(evaluations)
