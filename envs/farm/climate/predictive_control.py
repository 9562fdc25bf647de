"""Model-predictive control with the simulator's own model, state and weather: about the best that can be done.

Every `replan_h` hours it chooses controls, constant within each hour, for the `horizon_h` hours to come, by L-BFGS-B
from the last plan, and carries out the beginning. Gradients are finite differences: one batch of the
greenhouse model for all of them.

What dry weight is worth at the horizon's end is more than its price, since leaves catch light: the price times what a
little more of it then becomes by harvest, under `SetPoints` in the same weather.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize  # type: ignore[import-untyped]

from envs.farm.climate.accounts import Accounts
from envs.farm.climate.controllers import Actions, SetPoints
from envs.farm.climate.lettuce_climate import LettuceClimateVector
from envs.farm.climate.weather import STEP_S, STEPS_PER_DAY
from envs.farm.growth.greenhouse_kernel import GreenhouseKernel
from envs.farm.growth.integrator import Array

_STEPS_PER_H = STEPS_PER_DAY // 24
_NUDGE = 1e-4
"""Of a control, for its derivative; of dry weight, for its worth."""


class PredictiveControl:
    """Plans for a vector of one greenhouse."""

    privileged = True

    def __init__(
        self, horizon_h: int = 6, replan_h: int = 1, max_iterations: int = 8, nominal: SetPoints | None = None
    ) -> None:
        self.horizon_h, self.replan_h, self.max_iterations = horizon_h, replan_h, max_iterations
        self.nominal = nominal or SetPoints()
        self._plan: Array = np.empty((0, 3))
        self._worth: Array = np.empty(0)

    def act(self, env: LettuceClimateVector, observations: NDArray[np.float32]) -> Actions:
        """Return actions `[1, 3]`."""
        if env.clock == 0:
            self._worth = worth_of_dry_weight(env, self.nominal)
            self._plan = np.full((self.horizon_h, 3), 0.1)
        if env.clock % (self.replan_h * _STEPS_PER_H) == 0:
            self._replan(env)
        hour = env.clock // _STEPS_PER_H % self.replan_h
        return self._plan[hour : hour + 1].astype(np.float32)

    def _replan(self, env: LettuceClimateVector) -> None:
        if env.clock:
            ahead = np.minimum(np.arange(self.horizon_h) + self.replan_h, self.horizon_h - 1)
            self._plan = self._plan[ahead]
        weather = env.weather_ahead(min(self.horizon_h * _STEPS_PER_H, env.num_steps - env.clock))
        hours = -(-len(weather) // _STEPS_PER_H)
        scale = 1e3  # EUR m-2 to thousandths: the optimiser's tolerances are for numbers about 1
        planner = _Planner(env, weather, float(self._worth[env.clock + len(weather)]))

        def loss(plan: Array) -> tuple[float, Array]:
            nudged = np.tile(plan, (len(plan) + 1, 1))
            inward = np.where(plan > 0.5, -_NUDGE, _NUDGE)
            nudged[np.arange(1, len(plan) + 1), np.arange(len(plan))] += inward
            values = planner.values(nudged.reshape(-1, hours, 3))
            return -scale * float(values[0]), -scale * (values[1:] - values[0]) / inward

        found = minimize(
            loss,
            self._plan[:hours].ravel(),
            jac=True,
            method="L-BFGS-B",
            bounds=[(0, 1)] * (3 * hours),
            options={"maxiter": self.max_iterations},
        )
        self._plan[:hours] = np.clip(found.x.reshape(hours, 3), 0, 1)


class _Planner:
    """Values of plans from one state on."""

    def __init__(self, env: LettuceClimateVector, weather: Array, worth_eur_per_kg: float) -> None:
        self._env, self._weather, self._worth = env, weather, worth_eur_per_kg
        self._accounts = Accounts(env.settings)

    def values(self, plans: Array) -> Array:
        """Return what plans `[P, hours, 3]` are worth, `[P]` in EUR m-2."""
        model, num_plans = self._env.model, len(plans)
        kernel = GreenhouseKernel(model.canopy, model.greenhouse, num_plans)
        state = np.repeat(self._env.state, num_plans, axis=1)
        total = np.zeros(num_plans)
        for step, outside in enumerate(self._weather):
            controls = np.ascontiguousarray((plans[:, step // _STEPS_PER_H] * model.max_controls).T)
            weather = np.repeat(outside, num_plans, axis=1)
            kernel.hold(controls, weather)
            kernel.advance(state, STEP_S)
            costs = self._accounts.violations(model.outputs(state), weather[0])
            money = self._accounts.money(state[0], controls)
            total += money["heat"] + money["co2"]
            for penalty in self._accounts.penalties(costs).values():
                total += penalty
        return np.asarray(total + self._worth * state[0])


def worth_of_dry_weight(env: LettuceClimateVector, nominal: SetPoints) -> Array:
    """Return what dry weight is worth at every step to harvest, `[num_steps + 1]` in EUR kg-1; see the module.

    `env` holds one greenhouse that was just planted; it is left as it is.
    """
    twins = LettuceClimateVector(2, **env.settings.model_dump())
    observations = twins.replant(np.repeat(env.weather_ahead(env.num_steps + 1), 2, axis=2))
    twins.state[0, 1] *= 1 + _NUDGE
    difference = np.empty(env.num_steps + 1)
    for step in range(env.num_steps):
        difference[step] = twins.state[0, 1] - twins.state[0, 0]
        # Both get the actions for the first: what differs is the crop alone.
        actions = nominal.act(twins, observations["policy"])
        observations, *_ = twins.step(actions[[0, 0]])
    difference[env.num_steps] = twins.state[0, 1] - twins.state[0, 0]
    return np.asarray(env.settings.price_set().dry_weight_eur_per_kg * difference[-1] / difference)
