"""Evaluation of a run's weights."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rlplat.config import TRAINING_SPLIT, RunConfig
from rlplat.environments.resolve import Environment
from rlplat.environments.task import Task
from rlplat.errors import CheckpointError, ConfigError, ProgramError, RegistryError, RlplatError, RunError
from rlplat.evaluation.episodes import AGENT, Returns
from rlplat.evaluation.evaluate import Evaluation, evaluate_policy, play_opponent, save_rows
from rlplat.evaluation.evaluate_task import evaluate_task, metric_prefix, metrics_of
from rlplat.evaluation.judge import Judgement, judge_weights
from rlplat.evaluation.opponents import parse_opponent
from rlplat.evaluation.positions import STAGES, own_positions
from rlplat.evaluation.rate import anchor_of, rate_checkpoint
from rlplat.evaluation.results import CHECKPOINT
from rlplat.evaluation.samples import draw_samples
from rlplat.evaluation.trained import CheckpointName
from rlplat.evaluation.videos import Video, check_encoder, save_videos
from rlplat.interfaces import Agent, Arrays, Metrics, Policy
from rlplat.runs.arrays import load_arrays
from rlplat.runs.checkpoint import WEIGHTS_FILE, CheckpointStore
from rlplat.runs.folder import RunFolder
from rlplat.runs.metrics import MetricsWriter
from rlplat.runs.progress import RatingView
from rlplat.search.game import Game

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Rival:
    """An earlier checkpoint of the run, which the new one plays so that their ratings hang together."""

    step: int
    weights: Arrays


@dataclass(frozen=True)
class Strength:
    """What an evaluation found."""

    evaluations: list[Evaluation]
    """One per opponent; empty for a task."""
    judgements: list[Judgement]
    """Of the game's own positions, the network alone and with searches; empty for a game without."""
    episodes: Sequence[Returns] = ()
    """Of a task: the agent's, then one for each baseline; then the same in each split."""
    against_rival: Evaluation | None = None
    """The match against the best checkpoint before this one; None if there was none."""
    seconds: float = 0.0
    """Wall-clock duration."""
    pictures: Mapping[str, NDArray[np.uint8]] = field(default_factory=dict)
    """What the agent thinks of a few positions: images `[H, W, 3]` by name."""
    videos: Sequence[Video] = ()
    """Of a task: episodes of the agent."""

    @property
    def matches(self) -> tuple[Evaluation, ...]:
        """All of them, that against the rival last."""
        return (*self.evaluations, *([] if self.against_rival is None else [self.against_rival]))

    @property
    def rows(self) -> tuple[Evaluation | Returns, ...]:
        """What is shown: matches or episodes."""
        return (*self.matches, *self.episodes)

    @property
    def mean_score(self) -> float:
        """What decides which checkpoint is the best: the mean score over the opponents; of a task the share of
        successes, or the mean return where the environment does not speak of success.
        """
        if self.episodes:
            own = self.episodes[0]
            return own.mean_return if own.success is None else own.success
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
        if self.against_rival is not None:
            found["evaluation/rival/score"] = self.against_rival.score
        for each in self.judgements:
            player = "network" if each.simulations == 0 else "search"
            found[f"positions/{each.group}/result_changed/{player}"] = each.result_changed
            found[f"positions/{each.group}/not_best/{player}"] = each.not_best
        return found | metrics_of(self.episodes)


def evaluate_weights(
    config: RunConfig,
    env: Environment,
    agent: Agent,
    weights: Arrays,
    step: int,
    *,
    rival: Rival | None = None,
    final: bool = False,
) -> Strength:
    """Say how strong published weights are, by matches or by episodes, as `config.evaluation` says for during training
    or for its end.
    """
    if isinstance(env, Task):
        return _by_episodes(config, env, agent, weights, step, final=final)
    settings = config.evaluation
    num_games = settings.final_num_games if final else settings.num_games
    return _by_matches(config, env, agent, weights, step, num_games=num_games, rival=rival)


def _by_episodes(config: RunConfig, task: Task, agent: Agent, weights: Arrays, step: int, *, final: bool) -> Strength:
    settings, start = config.evaluation, time.perf_counter()
    found = evaluate_task(
        task,
        agent.make_policy(weights, num_simulations=None, seed=config.seed),
        settings.against,
        num_episodes=settings.final_num_episodes if final else settings.num_episodes,
        seed=config.seed,
        splits=settings.splits if final else {},
        num_videos=settings.num_videos if final else 0,
        step=step,
    )
    return Strength([], [], found.episodes, seconds=time.perf_counter() - start, videos=found.videos)


def _by_matches(
    config: RunConfig,
    game: Game,
    agent: Agent,
    weights: Arrays,
    step: int,
    *,
    num_games: int,
    rival: Rival | None,
) -> Strength:
    """Play `num_games` against each opponent of `config.evaluation`, and judge the game's positions."""
    settings, start = config.evaluation, time.perf_counter()

    def make_policy(num_simulations: int | None, weights: Arrays = weights) -> Policy:
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
    against_rival = None
    if rival is not None:
        against_rival = play_opponent(
            game,
            make_policy(settings.num_simulations),
            f"{CHECKPOINT}{CheckpointName('', str(rival.step), settings.num_simulations)}",
            make_policy(settings.num_simulations, rival.weights),
            num_games=settings.rival_num_games,
            opening_plies=settings.opening_plies,
            seed=config.seed,
            step=step,
            num_simulations=settings.num_simulations,
        )
    positions, judgements = own_positions(game), list[Judgement]()
    if positions:
        judgements = judge_weights(make_policy, positions, num_simulations=settings.num_simulations, step=step)
    pictures = draw_samples(game, make_policy, positions, num_simulations=settings.num_simulations)
    seconds = time.perf_counter() - start
    return Strength(evaluations, judgements, against_rival=against_rival, seconds=seconds, pictures=pictures)


def give_up(step: int, error: ProgramError) -> None:
    """Log that an evaluation came to nothing because of a program that it was to play: it costs no run."""
    _log.warning("the evaluation of update %d is given up: %s", step, error)


def rival_of(config: RunConfig, store: CheckpointStore, step: int) -> Rival | None:
    """Return the best checkpoint before that of `step`; None if there is none, or no matches with it are wanted."""
    if not config.env.is_game or not config.evaluation.rival_num_games:
        return None
    try:
        best = store.best(before=step)
        return None if best is None else Rival(best.step, load_arrays(best.path / WEIGHTS_FILE))
    except CheckpointError as error:
        _log.warning("update %d plays no earlier checkpoint: %s", step, error)
        return None


def check_opponents(config: RunConfig, env: Environment, trust: Sequence[str] = ()) -> None:
    """Make every opponent and split of `config.evaluation` once, before a run comes to it.

    Raises RegistryError: a wrong name; ConfigError: videos that cannot be written, a split of a game, or one that does
    not fit the environment.
    """
    for name in config.evaluation.against:
        try:
            parse_opponent(name, trust=trust).make_policy(env, config.seed)
        except RegistryError as error:
            raise RegistryError(f"evaluation.against: {error}") from error
    for name, changes in config.evaluation.splits.items():
        if not isinstance(env, Task):
            raise ConfigError(f"evaluation.splits: {env.name} is a game, which has none; leave it out")
        try:
            env.changed(changes)
        except RlplatError as error:
            raise ConfigError(f"evaluation.splits.{name}: {error}") from error
    if config.evaluation.num_videos and isinstance(env, Task):
        try:
            check_encoder()
        except RunError as error:
            raise ConfigError(f"evaluation.num_videos: {error}; or set it to 0") from error


def write_strength(writer: MetricsWriter, step: int, strength: Strength, rating: RatingView | None) -> None:
    """Write what an evaluation of the checkpoint at `step` found: its pictures first, then the metrics."""
    for name, pixels in strength.pictures.items():
        writer.image(step, f"samples/{name}", pixels)
    for video in strength.videos:
        writer.video(step, f"videos/{video.name}", video.frames, video.frames_per_s)
        if video.curves is not None:
            writer.image(step, f"curves/{video.name}", video.curves)
    writer.write(step, strength.metrics() | rating_metrics(rating))


def save_strength(run: RunFolder, step: int, strength: Strength) -> None:
    """Write what an evaluation of the checkpoint at `step` found into a run's folders.

    What the disk refuses costs a warning.
    """
    rows: dict[str, Sequence[object]] = {}
    if strength.evaluations:
        rows["evaluations"] = strength.evaluations
    if strength.episodes:
        rows["episodes"] = strength.episodes
    if strength.against_rival is not None:
        rows["matches"] = [strength.against_rival]
    if strength.judgements:
        rows["positions"] = strength.judgements
    save_rows(run.evaluations_path, step, rows)
    save_videos(run.videos_path, step, strength.videos)


def rating_of(config: RunConfig, run: Path, step: int) -> RatingView | None:
    """Rate the checkpoint at `step` anew by all that is saved; None, with a reason in the log, if that cannot be."""
    if not config.env.is_game:
        return None
    anchor = anchor_of(config.evaluation)
    try:
        rating = rate_checkpoint(run, config.evaluation, step)
    except (RunError, ArithmeticError) as error:  # a rating is worth less than the run
        _log.warning("update %d has no rating: %s", step, error)
        return None
    return None if rating is None or anchor is None else RatingView(step, rating.elo, rating.low, rating.high, anchor)


RATING_METRICS = ("rating/elo", "rating/elo_low", "rating/elo_high")


def rating_metrics(rating: RatingView | None) -> Metrics:
    """A rating and the ends of its 95 % interval as metrics."""
    return {} if rating is None else dict(zip(RATING_METRICS, (rating.elo, rating.low, rating.high), strict=True))


def strength_layout(config: RunConfig, env: Environment) -> tuple[Mapping[str, list[str]], Mapping[str, list[str]]]:
    """TensorBoard charts of the strength: those that come first of all, and others."""
    against = config.evaluation.against
    if isinstance(env, Task):
        players = [metric_prefix(name, TRAINING_SPLIT) for name in (AGENT, *against)]
        charts = {name: [f"{player}/{name}" for player in players] for name in ("return", "success", "length")}
        splits = [metric_prefix(AGENT, name) for name in config.evaluation.splits]
        in_splits = {f"{name} by split": [f"{split}/{name}" for split in splits] for name in ("return", "success")}
        return {"return: does it get better?": charts["return"]}, charts | (in_splits if splits else {})
    first = {"score: does it get stronger?": [f"evaluation/{opponent}/score" for opponent in against]}
    elo = [f"evaluation/{opponent}/elo" for opponent in against]
    return first, {"Elo difference": elo, "rating": list(RATING_METRICS), **positions_layout(env)}


def positions_layout(game: Game) -> dict[str, list[str]]:
    """TensorBoard charts of the shares of wrong moves; none for a game without positions of its own."""
    if not own_positions(game):
        return {}
    return {
        f"result changed by {player}": [f"positions/{group}/result_changed/{player}" for group in (*STAGES, "hard")]
        for player in ("search", "network")
    }
