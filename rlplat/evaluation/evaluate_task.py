"""What a policy achieves in a task: in the conditions it is trained in, in others, beside baselines, and on film."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rlplat.config import TRAINING_SPLIT
from rlplat.environments.task import Task
from rlplat.errors import EnvError
from rlplat.evaluation.episodes import AGENT, Episodes, Returns, evaluate_episodes
from rlplat.evaluation.videos import Video, film
from rlplat.interfaces import Metrics, Policy

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class TaskEvaluation:
    """What was found."""

    episodes: Sequence[Returns]
    """The agent's, then one for each baseline; then the same in each split."""
    videos: Sequence[Video] = field(default_factory=tuple)
    """Of the agent."""


def evaluate_task(
    task: Task,
    policy: Policy,
    against: Sequence[str],
    *,
    num_episodes: int,
    seed: int,
    splits: Mapping[str, Mapping[str, Any]],
    num_videos: int = 0,
    trust: Sequence[str] = (),
    step: int | None = None,
) -> TaskEvaluation:
    """Play episodes with the policy and the baselines, see `evaluate_episodes`, and film some of the policy's.

    An environment that draws no pictures of itself costs a warning and the films, and not what was found.
    """
    videos: list[Video] = []

    def told(played: Task, returns: Returns, episodes: Episodes) -> None:
        if not num_videos or returns.player != AGENT:
            return
        try:
            videos.extend(film(played, policy, episodes, seed=seed, num=num_videos, split=returns.split))
        except EnvError as error:
            _log.warning("no videos: %s", error)

    episodes = evaluate_episodes(
        task,
        policy,
        against,
        num_episodes=num_episodes,
        seed=seed,
        splits=splits,
        trust=trust,
        step=step,
        told=told,
    )
    return TaskEvaluation(episodes, videos)


def metrics_of(episodes: Sequence[Returns]) -> Metrics:
    """Returns, successes, lengths and the environment's measures as metrics: `evaluation/return` is the agent's,
    `evaluation/random/return` that of a baseline; in a split both begin with `evaluation/split_<name>`.
    """
    found: Metrics = {}
    for row in episodes:
        prefix = metric_prefix(row.player, row.split)
        measures = {
            "return": row.mean_return,
            "return_low": row.return_low,
            "return_high": row.return_high,
            "success": row.success,
            "success_low": row.success_low,
            "success_high": row.success_high,
            "length": row.mean_length,
        }
        found |= {f"{prefix}/{name}": value for name, value in measures.items() if value is not None}
        found |= {f"{prefix}/{name}": each.mean for name, each in row.measures.items() if math.isfinite(each.mean)}
    return found


def metric_prefix(player: str, split: str) -> str:
    """What the names of a player's metrics begin with."""
    parts = ["evaluation", *([] if split == TRAINING_SPLIT else [f"split_{split}"])]
    return "/".join([*parts, *([] if player == AGENT else [player])])
