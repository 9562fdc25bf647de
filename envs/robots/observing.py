"""What is seen of the simulations: pictures, readings and state, with noise and delays, in named groups."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from envs.robots.history import History
from envs.robots.pictures import drawing
from envs.robots.settings import RobotSettings
from envs.robots.task import Task
from rlplat.errors import ConfigError

Ids = NDArray[np.intp]
Observations = dict[str, Any]


class Observer:
    """Makes the observations of N simulations.

    {"policy": {"camera": uint8 [N, H, W, 3 S], "proprioception": float32 [N, P S]}, "privileged": float32 [N, K]}
    with S = `frame_stack`. What a task does not have, or the settings leave out, is not there. Pictures of several
    cameras are named after them.
    """

    def __init__(self, task: Task, settings: RobotSettings, num_threads: int) -> None:
        self._task, self._settings = task, settings
        self._num = task.batch.nsim
        self._renderer: drawing.Renderer | None = None
        if settings.pixels:
            self._renderer = drawing.observed(task.batch, settings, settings.pixels, num_threads)
        self._history: dict[str, History] = {}
        parts: dict[str, tuple[tuple[int, ...], Any]] = {}
        if settings.pixels:
            parts |= {name: ((settings.pixels, settings.pixels, 3), np.uint8) for name in settings.cameras}
        readings = task.proprioception()
        if readings is not None:
            parts["proprioception"] = readings.shape[1:], np.float32
        longest = settings.observation_delay_steps + settings.randomisation.observation_delay_steps
        for name, (shape, dtype) in parts.items():
            self._history[name] = History(self._num, longest + settings.frame_stack, shape, dtype)
        if not parts and not settings.privileged:
            raise ConfigError(
                f"{type(task).__name__}: nothing is observed: pixels is null, privileged is false, and the robot has "
                "no other sensors; set one of them"
            )

    def space(self) -> gym.spaces.Dict:
        """Return the space of the observations of one simulation."""
        groups: dict[str, gym.Space[Any]] = {}
        if self._history:
            groups["policy"] = gym.spaces.Dict({name: self._box(past) for name, past in self._history.items()})
        if self._settings.privileged:
            num = self._task.privileged().shape[1]
            groups["privileged"] = gym.spaces.Box(-np.inf, np.inf, (num,), np.float32)
        return gym.spaces.Dict(groups)

    def look(self, ids: Ids, fresh: Ids, generators: Sequence[np.random.Generator]) -> None:
        """Take in what simulations `ids` look like now. For those of them in `fresh` it always looked so."""
        goes_on = len(ids) > len(fresh)
        for name, past in self._history.items():
            values = past.advance() if goes_on else np.empty_like(past.values[0])
            if name in self._settings.cameras:
                self._draw(self._settings.cameras[name], values, ids, generators)
            else:
                self._read(values, ids, generators)
            if len(fresh):
                past.fill(fresh, values[fresh])

    def observe(self, delays: Ids) -> Observations:
        """Return the observations; the group `policy` lags by `delays` [N] looks."""
        observations: Observations = {}
        if self._history:
            stack = self._settings.frame_stack
            observations["policy"] = {name: past.stacked(delays, stack) for name, past in self._history.items()}
        if self._settings.privileged:
            observations["privileged"] = self._task.privileged().astype(np.float32)
        return observations

    def snapshot(self) -> dict[str, NDArray[Any]]:
        """Return what was seen of late, by part."""
        return {name: past.snapshot() for name, past in self._history.items()}

    def restore(self, seen: dict[str, NDArray[Any]]) -> None:
        """Go on from a snapshot."""
        for name, past in self._history.items():
            past.restore(seen[name])

    def _box(self, past: History) -> gym.Space[Any]:
        *outer, last = past.values.shape[2:]
        low, high = (0, 255) if past.values.dtype == np.uint8 else (-np.inf, np.inf)
        return gym.spaces.Box(low, high, (*outer, last * self._settings.frame_stack), past.values.dtype.type)

    def _draw(
        self, camera: str, picture: NDArray[np.uint8], ids: Ids, generators: Sequence[np.random.Generator]
    ) -> None:
        assert self._renderer is not None
        self._renderer.render(camera, out=picture)
        if self._settings.camera_noise:
            for i in ids:
                noise = self._settings.camera_noise * generators[i].standard_normal(picture.shape[1:], np.float32)
                picture[i] = np.rint(picture[i] + noise).clip(0, 255)

    def _read(self, out: NDArray[np.float32], ids: Ids, generators: Sequence[np.random.Generator]) -> None:
        readings = self._task.proprioception()
        assert readings is not None
        if self._settings.reading_noise:
            for i in ids:
                readings[i] += self._settings.reading_noise * generators[i].standard_normal(readings.shape[1])
        out[:] = readings
