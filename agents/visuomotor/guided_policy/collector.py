"""Steps of teacher and student, all labelled by the teacher (Ross, Gordon, Bagnell 2011, algorithm 3.1).

Axes: T steps, N environments, K steps that count, D dimensions of an action.
"""

from __future__ import annotations

import time
from collections import defaultdict
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from agents.visuomotor.actions import from_env, to_env
from agents.visuomotor.collector_state import new_seeds, restore_state, save_state
from agents.visuomotor.episode_counts import EpisodeCounts
from agents.visuomotor.guided_policy.config import GuidedConfig, MixtureConfig
from agents.visuomotor.guided_policy.policy import ROUND, weights_alone
from agents.visuomotor.guided_policy.student import MASK, Student
from agents.visuomotor.guided_policy.teachers import make_teacher
from agents.visuomotor.publishing import as_tensors
from rlplat.data.frames import frames_once, rows_of_frames
from rlplat.data.labelled_steps import FRAMES, ROWS
from rlplat.environments.task import Task
from rlplat.environments.task_vector import Step
from rlplat.interfaces import Arrays, Collected, Demand, Discrete, EnvSpec, Observed, Summary

LABELS = "labels"


def kept_parts(spec: EnvSpec, config: GuidedConfig) -> dict[str, Observed]:
    """What is kept of a step to learn from it."""
    groups = {"policy", MASK} | ({"privileged"} if config.pretraining is not None else set())
    parts = {name: part for name, part in spec.observations.items() if name.partition("/")[0] in groups}
    if isinstance(spec.actions, Discrete):
        return parts | {LABELS: Observed((), "int64")}
    return parts | {LABELS: Observed((int(np.prod(spec.actions.shape)),))}


def teacher_probability(mixture: MixtureConfig, num_rounds: int) -> float:
    """beta: with what probability the teacher acts in a round, of which there were `num_rounds` before."""
    return float(mixture.decay**num_rounds)


class GuidedCollector:
    """Fulfils `rlplat.interfaces.Collector`. The unit of data is the step of one environment.

    Args:
        num_envs: environments of this collector.
        seed: whatever makes its data differ from those of others.
    """

    def __init__(self, config: GuidedConfig, task: Task, *, num_envs: int, seed: tuple[int, ...]) -> None:
        self._config, self._task = config, task
        self._vector = task.make_vector(num_envs)
        self._teacher = make_teacher(config.teacher, task, self._vector, seed[0])
        self._student = Student(task.spec, config)
        self._parts = kept_parts(task.spec, config)
        self._rng = np.random.default_rng(np.random.SeedSequence(seed))
        self._version = self._round = 0
        self._observations: Arrays | None = None
        self._counts = EpisodeCounts(num_envs)
        self._begun = np.ones(num_envs, bool)
        """Where an episode begins with the next step."""
        self._taught, self._alone = np.ones((2, num_envs), bool)
        """Whom the teacher leads now; who had no teacher in this episode so far."""

    def set_weights(self, version: int, weights: Arrays) -> None:
        self._version, self._round = version, int(weights[ROUND])
        self._student.take(weights_alone(weights), "published weights")

    def collect(self, demand: Demand) -> Collected:
        """Make `num_steps` steps of every environment, whatever amount is asked for: a round is a round."""
        start = time.perf_counter()
        if self._observations is None:
            self._observations = self._vector.reset(new_seeds(self._rng, self._vector.num_envs))
        rows: defaultdict[str, list[NDArray[Any]]] = defaultdict(list)
        stages = dict.fromkeys(("teacher", "inference"), 0.0)
        self._counts.begin_call()
        self._counts.counters |= dict.fromkeys(
            ("teacher_steps", "student_steps", "gap", "student_success", "student_judged"), 0.0
        )
        for t in range(self._config.num_steps):
            asked = time.perf_counter()
            wanted = from_env(self._task.spec.actions, self._teacher.act(self._observations))
            taught = time.perf_counter()
            begins = self._begun.copy()
            self._choose_who_acts()
            actions = self._act(self._observations, wanted)
            acted = time.perf_counter()
            step = self._vector.step(to_env(self._task.spec.actions, self._disturbed(actions)))
            for name in self._parts:
                rows[name].append(wanted if name == LABELS else self._observations[name])
            rows["begins"].append(begins | (t == 0))
            rows["counts"].append(step.counts)
            self._count(step, actions, wanted)
            self._observations = step.observations
            stages["teacher"] += taught - asked
            stages["inference"] += acted - taught
        arrays = self._packed({name: np.stack(parts) for name, parts in rows.items()})
        seconds, counters = time.perf_counter() - start, self._counts.counters
        return Collected(
            arrays,
            Summary(
                amount=int(counters["steps"]),
                episodes=int(counters["episodes"]),
                weights_version=self._version,
                seconds=seconds,
                metrics=counters,
                records=self._counts.records,
                stages=stages | {"simulation": seconds - sum(stages.values())},
            ),
        )

    def get_state(self) -> Arrays:
        own: Arrays = {"begun": self._begun, "taught": self._taught, "alone": self._alone}
        return save_state(self._rng, self._vector, self._observations, self._counts, own)

    def set_state(self, state: Arrays) -> None:
        self._rng, self._observations = restore_state(state, self._vector, self._counts)
        if self._observations is not None:
            self._begun, self._taught, self._alone = (state[name].copy() for name in ("begun", "taught", "alone"))

    def _choose_who_acts(self) -> None:
        """Decide by chance whom the teacher leads: in every step, or where an episode begins."""
        mixture = self._config.mixture
        led = self._rng.random(self._vector.num_envs) < teacher_probability(mixture, self._round)
        self._taught = led if mixture.per == "step" else np.where(self._begun, led, self._taught)
        self._alone = np.where(self._begun, ~self._taught, self._alone & ~self._taught)

    def _act(self, observations: Arrays, wanted: NDArray[Any]) -> NDArray[Any]:
        """The teacher's actions, and the student's where it acts: `[N, D]` or `[N]`, in units of the policy."""
        own = ~self._taught
        if not own.any():
            return wanted
        seen = {name: array[own] for name, array in observations.items() if name in self._parts}
        actions = wanted.copy()
        with torch.inference_mode():
            actions[own] = self._student.actions(as_tensors(seen)).numpy()
        return actions

    def _disturbed(self, actions: NDArray[Any]) -> NDArray[Any]:
        """Actions with noise; of discrete ones some are drawn anew among those that are allowed."""
        noise, space = self._config.mixture.noise, self._task.spec.actions
        if not noise:
            return actions
        if not isinstance(space, Discrete):
            return actions + noise * self._rng.standard_normal(actions.shape, np.float32)
        assert self._observations is not None
        allowed = self._observations.get(MASK, np.ones((len(actions), space.num_actions)))
        drawn = np.argmax(self._rng.random(allowed.shape) * (allowed > 0), axis=1)
        return np.where(self._rng.random(len(actions)) < noise, drawn, actions)

    def _count(self, step: Step, actions: NDArray[Any], wanted: NDArray[Any]) -> None:
        """Add a step to what is told of this call; `begun` is then of the next one."""
        self._counts.add(step)
        counters, own = self._counts.counters, step.counts & ~self._taught
        counters["teacher_steps"] += float((step.counts & self._taught).sum())
        counters["student_steps"] += float(own.sum())
        space = self._task.spec.actions
        executed = from_env(space, to_env(space, actions))
        counters["gap"] += squared_gap(executed[own], wanted[own])
        judged = step.ended & self._alone & ~np.isnan(step.success)
        counters["student_success"] += float(step.success[judged].sum())
        counters["student_judged"] += float(judged.sum())
        # Where the vector only began an episode, that one's first step comes next.
        self._begun = step.ended | ~step.counts

    def _packed(self, rows: Arrays) -> Arrays:
        """Arrays `[T, N, ...]` as those of `LabelledSteps.add`."""
        begins, counts = rows.pop("begins"), rows.pop("counts")
        arrays: Arrays = {ROWS: rows_of_frames(begins, counts, self._task.spec.frame_stack)[0]}
        for name, array in rows.items():
            if self._parts[name].is_image:
                arrays[FRAMES + name] = frames_once(array, begins, counts, self._task.spec.frame_stack)
            else:
                arrays[name] = array.swapaxes(0, 1)[counts.T]
        return arrays


def squared_gap(actions: NDArray[Any], wanted: NDArray[Any]) -> float:
    """Sum over rows of the mean square of differences `[K, D]`; of discrete actions `[K]` how many differ."""
    if actions.ndim == 1:
        return float((actions != wanted).sum())
    return float(((actions - wanted) ** 2).mean(axis=1).sum())
