"""CartpoleSwingup: bring a hanging pole upright and keep it there, as in dm_control's `swingup`."""

from __future__ import annotations

import numpy as np

from envs.robots.cartpole import Cartpole


class CartpoleSwingup(Cartpole):
    """See `Cartpole`."""

    def place(self, simulation: int, generator: np.random.Generator) -> None:
        self._qpos[simulation] = np.array([0, np.pi]) + 0.01 * generator.standard_normal(2)
        self._qvel[simulation] = 0.01 * generator.standard_normal(2)
