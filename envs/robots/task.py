"""What a robot task must bring: one class in one file below `tasks/`. Its name is the file's, in CamelCase.

A task works on all N simulations of a batch at once. Arrays have N as first axis; `ids` are numbers of simulations.
"""

from __future__ import annotations

import importlib
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

import mujoco
import numpy as np
from mujoco.batch import Batch
from numpy.typing import NDArray

from envs.robots.names import class_name, task_names
from envs.robots.settings import RobotSettings
from rlplat.errors import ConfigError
from rlplat.problems import suggestion

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
Ids = NDArray[np.intp]
Terms = dict[str, Array]
Point = tuple[float, float, float]
Area = tuple[Point, Point]
"""Corners of a box: the least and the largest x, y, z in metres."""


class Task(ABC):
    """A scene, what its robot shall do there, and how well it does.

    What is read of the batch must be bound in `__init__`, before the first step. Derived fields are current whenever a
    method is called, but in `place`.
    """

    Settings: ClassVar[type[RobotSettings]] = RobotSettings
    """What can be set of the task."""
    substeps: ClassVar[int]
    """Steps of physics in one control step."""
    num_steps: ClassVar[int]
    """Control steps after which an episode is truncated."""
    num_actions: int
    """Actions are in [-1, 1]."""
    distractor_areas: ClassVar[Sequence[Area]]
    """Where distractors stand: in one of these boxes, by chance. There they hide nothing that must be seen."""

    def __init__(self, batch: Batch, settings: RobotSettings) -> None:
        self.batch, self.model, self.settings = batch, batch.model, settings

    @classmethod
    @abstractmethod
    def scene(cls, settings: RobotSettings) -> str:
        """Return the model as MJCF: primitive geoms, a camera `front`."""

    @abstractmethod
    def place(self, simulation: int, generator: np.random.Generator) -> None:
        """Write where an episode starts into the state, which is at the model's defaults."""

    @abstractmethod
    def actuate(self, actions: Array) -> None:
        """Write `ctrl` for one control step of these actions [N, num_actions]."""

    def proprioception(self) -> Array | None:
        """Return what the robot's own sensors read, [N, P]; None: it has none."""
        return None

    @abstractmethod
    def privileged(self) -> Array:
        """Return what only a simulator knows, [N, K]."""

    @abstractmethod
    def reward_terms(self, actions: Array) -> Terms:
        """Return the terms [N] whose sum is the reward of the control step that these actions made."""

    def measures(self) -> Terms:
        """Return what else is worth logging, [N], with units in the names."""
        return {}

    @abstractmethod
    def success(self) -> Flags:
        """Return where the task is done [N]. An episode counts as a success if it is at its last step."""

    def note(self, ids: Ids) -> None:  # noqa: B027  (nothing by default)
        """Keep in the state what a control step has brought to these simulations; called once after each."""

    def restored(self) -> None:  # noqa: B027  (nothing by default)
        """Write again what follows from a state that was put in place of another: fields of the model."""

    def terminated(self) -> Flags:
        """Return where nothing is left to do [N]."""
        return np.zeros(self.batch.nsim, dtype=bool)

    @abstractmethod
    def expert(self) -> Array:
        """Return the actions [N, num_actions] of somebody who sees the whole state."""


def load(name: str) -> type[Task]:
    """Import the task of a module below `tasks/`. Raises ConfigError: there is none of that name."""
    if name not in task_names():
        raise ConfigError(f"no robot task is named {name!r}{suggestion(name, task_names())}")
    task: Any = getattr(importlib.import_module(f"envs.robots.tasks.{name}"), class_name(name))
    return task  # type: ignore[no-any-return]


def compile_scene(task: type[Task], settings: RobotSettings) -> mujoco.MjModel:
    return mujoco.MjModel.from_xml_string(task.scene(settings))
