"""CartpoleBalance: keep a pole upright that starts so, rewarded and started as in dm_control's `balance`."""

from __future__ import annotations

import numpy as np

from envs.robots.cartpole import Cartpole


class CartpoleBalance(Cartpole):
    """See `Cartpole`."""

    def place(self, simulation: int, generator: np.random.Generator) -> None:
        self._qpos[simulation] = generator.uniform([-0.1, -0.034], [0.1, 0.034])
        self._qvel[simulation] = 0.01 * generator.standard_normal(2)
