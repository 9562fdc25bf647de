"""Episodes of a task on fixed seeds: returns, successes, and their 95 % intervals.

Episode k of a seed is the same for everyone who plays it, however many are played, and no collector ever sees it.
"""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats  # type: ignore[import-untyped]

from rlplat.config import TRAINING_SPLIT
from rlplat.environments.task import FIRST_TRAINING_SEED, Task
from rlplat.errors import EnvError
from rlplat.evaluation.opponents import parse_opponent
from rlplat.evaluation.statistics import CONFIDENCE, score_interval
from rlplat.interfaces import Arrays, Discrete, Policy

AGENT = "agent"
"""Name of the policy that is evaluated, beside those of baselines."""
SIDE_BY_SIDE = 64
"""Episodes that are played at a time: enough for large batches, few enough for pictures of all of them."""
RESAMPLES = 2000
"""Of the bootstrap: the ends of an interval then vary by a few per cent of its width."""


@dataclass(frozen=True)
class Episodes:
    """All episodes of one player, in the order of their seeds: E of them."""

    returns: NDArray[np.float64]
    """`[E]`: sums of rewards, undiscounted."""
    lengths: NDArray[np.int64]
    """`[E]`: steps."""
    success: NDArray[np.float64]
    """`[E]`: 1 or 0, as the last step says; nan where the environment says nothing."""
    measures: dict[str, NDArray[np.float64]] = field(default_factory=dict)
    """`[E]` by name: what else the environment says of an episode."""


@dataclass(frozen=True)
class Measure:
    """A number that the environment tells of its episodes, over these."""

    mean: float
    low: float
    """Ends of the 95 % interval of the mean, as that of the return."""
    high: float


@dataclass(frozen=True)
class Returns:
    """What a player achieved in episodes of a task."""

    player: str
    """`agent`, or the name of a baseline."""
    num_episodes: int
    mean_return: float
    return_low: float
    """Ends of the 95 % interval of the mean: percentile bootstrap over episodes (Efron 1979)."""
    return_high: float
    success: float | None
    """Share of episodes that succeeded; None: the environment does not say."""
    success_low: float | None
    """Ends of its 95 % interval (Wilson 1927)."""
    success_high: float | None
    mean_length: float
    """Steps of an episode."""
    seed: int
    seconds: float
    """Wall-clock duration."""
    step: int | None = None
    """Updates of the learner at the checkpoint."""
    split: str = TRAINING_SPLIT
    """The conditions: `training`, those of the configuration, or a name among `evaluation.splits`."""
    task: str = ""
    """Name of the environment."""
    measures: Mapping[str, Measure] = field(default_factory=dict)
    """What else the environment says of its episodes, by name."""

    @property
    def is_as_trained(self) -> bool:
        """Whether the conditions are those of the configuration."""
        return self.split == TRAINING_SPLIT

    @property
    def title(self) -> str:
        """The player and, where it is another, the split."""
        return self.player if self.is_as_trained else f"{self.player}, {self.split}"


Told = Callable[[Task, Returns, Episodes], None]
"""Hears of each player's episodes in a split, as soon as they are over."""


def evaluate_episodes(
    task: Task,
    policy: Policy,
    against: Sequence[str],
    *,
    num_episodes: int,
    seed: int,
    splits: Mapping[str, Mapping[str, Any]] | None = None,
    trust: Sequence[str] = (),
    step: int | None = None,
    told: Told | None = None,
) -> list[Returns]:
    """Play the same episodes with the policy and with each baseline: in the task as it is, then in each of its splits.

    Every baseline is made before the first episode, so a wrong name costs no time.
    """
    tasks = {TRAINING_SPLIT: task} | {name: task.changed(changes) for name, changes in (splits or {}).items()}
    players = {split: {AGENT: policy} | _baselines(each, against, seed, trust) for split, each in tasks.items()}
    found = []
    for split, of_split in players.items():
        for name, player in of_split.items():
            start = time.perf_counter()
            episodes = play_episodes(tasks[split], player, num_episodes=num_episodes, seed=seed)
            seconds = time.perf_counter() - start
            returns = replace(_returns(name, episodes, seed, seconds), step=step, split=split, task=task.name)
            found.append(returns)
            if told is not None:
                told(tasks[split], returns, episodes)
    return found


def _baselines(task: Task, against: Sequence[str], seed: int, trust: Sequence[str]) -> dict[str, Policy]:
    return {
        name: parse_opponent(name, trust=trust).make_policy(task, zlib.crc32(f"{seed} {name}".encode()))
        for name in against
    }


def episode_seed(seed: int, k: int) -> int:
    """What environments are given for episode `k` of an evaluation with that seed; no collector ever draws it."""
    return int(np.random.SeedSequence((seed, k)).generate_state(1)[0]) % FIRST_TRAINING_SEED


def play_episodes(task: Task, policy: Policy, *, num_episodes: int, seed: int) -> Episodes:
    """Play whole episodes. A policy that asks the environment itself is shown it by `begin(vector)`, if it has that."""
    seeds = [episode_seed(seed, k) for k in range(num_episodes)]
    parts = [_play_together(task, policy, seeds[at : at + SIDE_BY_SIDE]) for at in range(0, num_episodes, SIDE_BY_SIDE)]
    return Episodes(
        np.concatenate([part.returns for part in parts]),
        np.concatenate([part.lengths for part in parts]),
        np.concatenate([part.success for part in parts]),
        {name: np.concatenate([part.measures[name] for part in parts]) for name in parts[0].measures},
    )


def _play_together(task: Task, policy: Policy, seeds: Sequence[int]) -> Episodes:
    """The first episode of each environment; what those that are done go on with is not looked at."""
    vector = task.make_vector(len(seeds))
    try:
        getattr(policy, "begin", lambda _: None)(vector)
        observations = vector.reset(seeds)
        returns, lengths = np.zeros(len(seeds)), np.zeros(len(seeds), np.int64)
        success, runs = np.full(len(seeds), np.nan), np.ones(len(seeds), bool)
        measures: dict[str, NDArray[np.float64]] = {}
        while runs.any():
            step = vector.step(choose_actions(task, policy, observations))
            returns[runs] += step.rewards[runs]
            lengths[runs] += 1
            success[runs] = step.success[runs]
            for name, values in step.measures.items():
                measures.setdefault(name, np.full(len(seeds), np.nan))[runs] = values[runs]
            runs &= ~step.ended
            observations = step.observations
    finally:
        vector.close()
    return Episodes(returns, lengths, success, measures)


def choose_actions(task: Task, policy: Policy, observations: Arrays) -> NDArray[Any]:
    """What the policy does, which is not shown what is privileged. Raises EnvError: actions of another shape."""
    num_envs = len(next(iter(observations.values())))
    allowed = {name: array for name, array in observations.items() if name.partition("/")[0] != "privileged"}
    actions = np.asarray(policy.act(allowed))
    shape = (num_envs, *(() if isinstance(task.spec.actions, Discrete) else task.spec.actions.shape))
    if actions.shape != shape:
        raise EnvError(
            f"{getattr(policy, 'name', type(policy).__name__)} returned actions of shape {list(actions.shape)} for "
            f"{num_envs} environments of {task.name}; it must be {list(shape)}"
        )
    return actions


def _returns(player: str, episodes: Episodes, seed: int, seconds: float) -> Returns:
    low, high = mean_interval(episodes.returns)
    success = success_low = success_high = None
    if not np.isnan(episodes.success).any():
        wins = round(float(episodes.success.sum()))
        success = wins / len(episodes.success)
        success_low, success_high = score_interval((0.0, 1.0), (len(episodes.success) - wins, wins))
    return Returns(
        player=player,
        num_episodes=len(episodes.returns),
        mean_return=float(episodes.returns.mean()),
        return_low=low,
        return_high=high,
        success=success,
        success_low=success_low,
        success_high=success_high,
        mean_length=float(episodes.lengths.mean()),
        seed=seed,
        seconds=seconds,
        measures={
            name: Measure(float(values.mean()), *mean_interval(values)) for name, values in episodes.measures.items()
        },
    )


def mean_interval(values: NDArray[np.float64]) -> tuple[float, float]:
    """The 95 % interval of the mean of `[E]` by the percentile bootstrap, the same each time; a point if E is 1 or a
    value is not finite.
    """
    if len(values) < 2 or not np.isfinite(values).all():
        return float(values.mean()), float(values.mean())
    found = stats.bootstrap(
        (values,), np.mean, confidence_level=CONFIDENCE, n_resamples=RESAMPLES, method="percentile", rng=0
    )
    return float(found.confidence_interval.low), float(found.confidence_interval.high)
