"""Begins the episodes of N simulations, and knows how far each one is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from envs.robots.history import History
from envs.robots.physics import Ids, Physics
from envs.robots.randomisation import Drawn, Randomiser
from envs.robots.settings import RobotSettings
from envs.robots.task import Task
from rlplat.data.generator_state import generators_from_array, generators_to_array
from rlplat.interfaces import Arrays


class Episodes:
    """What belongs to the episode of each simulation, beside the state of its physics and what was seen of it."""

    def __init__(self, physics: Physics, task: Task, settings: RobotSettings) -> None:
        num = physics.batch.nsim
        self._physics, self._task, self._settings = physics, task, settings
        self._randomiser = Randomiser(physics.batch, settings.randomisation, task.distractor_areas)
        self.num_steps = np.zeros(num, dtype=np.int64)
        """Control steps so far [N]."""
        self.over = np.ones(num, dtype=bool)
        """Where the episode is over, or none was begun [N]."""
        self.delays = {name: np.zeros(num, dtype=np.intp) for name in ("action", "observation")}
        """Of each simulation [N]: actions in control steps, observations in decisions."""
        longest = settings.action_delay_steps + settings.randomisation.action_delay_steps
        self.orders = History(num, longest + 1, (task.num_actions,), np.float64)
        """Actions that were given."""
        self.generators: list[np.random.Generator] | None = None
        """One for each simulation, which determines all that it lives through; None before the first reset."""

    def begin(self, ids: Ids) -> dict[str, Any]:
        """Put simulations to their start; return what was drawn for them, as Gymnasium's `infos`."""
        assert self.generators is not None
        self._physics.batch.reset(ids, stage=0)
        drawn = {i: self._draw(i, self.generators[i]) for i in ids}
        self._randomiser.finish(ids)
        self._physics.refresh(ids)
        self.orders.fill(ids, 0.0)
        self.num_steps[ids] = 0
        self.over[ids] = False
        return self._listed(ids, drawn)

    def ordered(self, actions: NDArray[np.float64]) -> NDArray[np.float64]:
        """Take orders [N, A], and return those [N, A] that act now."""
        if len(self.orders.values) == 1:
            return actions
        self.orders.push(actions)
        return self.orders.before(self.delays["action"])

    def snapshot(self) -> Arrays:
        """Return all of it, generators included, as arrays by name."""
        assert self.generators is not None
        delays = {f"delays/{name}": steps.copy() for name, steps in self.delays.items()}
        return (
            self._randomiser.snapshot()
            | delays
            | {
                "num_steps": self.num_steps.copy(),
                "over": self.over.copy(),
                "orders": self.orders.snapshot(),
                "generators": generators_to_array(self.generators),
            }
        )

    def restore(self, snapshot: Arrays) -> None:
        """Go on from a snapshot. The states of the physics must be restored after it: it derives fields from masses."""
        self._randomiser.restore(snapshot)
        for name, steps in self.delays.items():
            steps[:] = snapshot[f"delays/{name}"]
        self.num_steps[:], self.over[:] = snapshot["num_steps"], snapshot["over"]
        self.orders.restore(snapshot["orders"])
        self.generators = generators_from_array(snapshot["generators"])

    def _draw(self, i: int, generator: np.random.Generator) -> Drawn:
        """Draw the world, the delays and the start of one simulation, and return the first two."""
        drawn = self._randomiser.draw(i, generator)
        for name, delays in self.delays.items():
            delays[i] = getattr(self._settings, f"{name}_delay_steps")
            more = getattr(self._settings.randomisation, f"{name}_delay_steps")
            if more:
                delays[i] += generator.integers(more + 1)
                drawn[f"{name}_delay_steps"] = int(delays[i])
        self._task.place(i, generator)
        return drawn

    def _listed(self, ids: Sequence[int] | Ids, drawn: dict[int, Drawn]) -> dict[str, Any]:
        """Return what was drawn as arrays [N, ...]; zeros for simulations that go on."""
        if not len(ids) or not drawn[ids[0]]:
            return {}
        num = len(self.over)
        listed: dict[str, NDArray[Any]] = {}
        for name, value in drawn[ids[0]].items():
            listed[name] = np.zeros((num, *np.shape(value)), np.asarray(value).dtype)
            for i in ids:
                listed[name][i] = drawn[i][name]
        begun = np.zeros(num, dtype=bool)
        begun[ids] = True
        return {"randomisation": listed, "_randomisation": begun}
