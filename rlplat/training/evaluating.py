"""Evaluation of a run's weights."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rlplat.config import RunConfig
from rlplat.evaluation.evaluate import Evaluation, evaluate_policy, save_evaluations, save_rows
from rlplat.evaluation.judge import Judgement, judge_weights
from rlplat.evaluation.opponents import parse_opponent
from rlplat.evaluation.positions import STAGES, own_positions
from rlplat.evaluation.samples import draw_samples
from rlplat.interfaces import Agent, Arrays, Metrics, Policy
from rlplat.search.game import Game

if TYPE_CHECKING:
    from rlplat.runs.metrics import MetricsWriter


@dataclass(frozen=True)
class Strength:
    """What an evaluation found."""

    evaluations: list[Evaluation]
    """One per opponent."""
    judgements: list[Judgement]
    """Of the game's own positions, the network alone and with searches; empty for a game without."""
    seconds: float = 0.0
    """Wall-clock duration."""
    pictures: Mapping[str, NDArray[np.uint8]] = field(default_factory=dict)
    """What the agent thinks of a few positions: images `[H, W, 3]` by name."""

    @property
    def mean_score(self) -> float:
        """Mean score over the opponents: what decides which checkpoint is the best."""
        return sum(evaluation.score for evaluation in self.evaluations) / len(self.evaluations)

    def metrics(self) -> Metrics:
        """Scores and Elo differences by opponent, and shares of wrong moves by group of positions."""
        found = {
            f"evaluation/{each.opponent}/{name}": value
            for each in self.evaluations
            for name, value in (
                ("score", each.score),
                ("score_low", each.score_low),
                ("score_high", each.score_high),
                ("elo", each.elo),
            )
            if abs(value) != float("inf")
        }
        for each in self.judgements:
            player = "network" if each.simulations == 0 else "search"
            found[f"positions/{each.group}/result_changed/{player}"] = each.result_changed
            found[f"positions/{each.group}/not_best/{player}"] = each.not_best
        return found


def evaluate_weights(
    config: RunConfig, game: Game, agent: Agent, weights: Arrays, step: int, *, num_games: int
) -> Strength:
    """Play `num_games` against each opponent of `config.evaluation` with published weights, and judge their moves."""
    settings, start = config.evaluation, time.perf_counter()

    def make_policy(num_simulations: int | None) -> Policy:
        return agent.make_policy(weights, num_simulations=num_simulations, seed=config.seed)

    evaluations = evaluate_policy(
        game,
        make_policy(settings.num_simulations),
        settings.against,
        num_games=num_games,
        opening_plies=settings.opening_plies,
        seed=config.seed,
        step=step,
        num_simulations=settings.num_simulations,
    )
    positions, judgements = own_positions(game), list[Judgement]()
    if positions:
        judgements = judge_weights(make_policy, positions, num_simulations=settings.num_simulations, step=step)
    pictures = draw_samples(game, make_policy, positions, num_simulations=settings.num_simulations)
    return Strength(evaluations, judgements, seconds=time.perf_counter() - start, pictures=pictures)


def check_opponents(config: RunConfig, game: Game, trust: Sequence[str] = ()) -> None:
    """Make every opponent of `config.evaluation` once: RegistryError for a wrong name, before a run comes to it."""
    for name in config.evaluation.against:
        parse_opponent(name, trust=trust).make_policy(game, config.seed)


def write_pictures(writer: MetricsWriter, step: int, strength: Strength) -> None:
    """Show the pictures of the evaluation of the checkpoint at `step` in TensorBoard."""
    for name, pixels in strength.pictures.items():
        writer.image(step, f"samples/{name}", pixels)


def save_strength(folder: Path, step: int, strength: Strength) -> None:
    """Write what an evaluation of the checkpoint at `step` found into a run's `evaluations` folder."""
    save_evaluations(folder, step, strength.evaluations)
    if strength.judgements:
        save_rows(folder, step, "positions", strength.judgements)


def positions_layout(game: Game) -> dict[str, list[str]]:
    """TensorBoard charts of the shares of wrong moves; none for a game without positions of its own."""
    if not own_positions(game):
        return {}
    return {
        f"result changed by {player}": [f"positions/{group}/result_changed/{player}" for group in (*STAGES, "hard")]
        for player in ("search", "network")
    }
