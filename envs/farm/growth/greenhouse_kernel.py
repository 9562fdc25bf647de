"""The equations of `greenhouse.py` and their integration, written for speed: in place, with constants folded.

A numpy operation on 256 greenhouses costs little more than its call, so what counts is the number of calls: about
thirty for a derivative, one of them for its three exponentials. The equations in their plain form stand in
tests/envs/farm/van_henten_2003.py, symbol by symbol, and a test holds both equal.
"""

from __future__ import annotations

import numpy as np

from envs.farm.growth.air import GAS_J_PER_K_MOL, KELVIN_C
from envs.farm.growth.integrator import Array
from envs.farm.growth.parameters import CanopyParameters, Greenhouse

_TINY = 1e-30
"""The least photosynthesis in place of 0, where 0/0 could arise: night at the compensation point."""


class GreenhouseKernel:
    """Steps of `num_greenhouses` greenhouses; states, controls and weather as in `greenhouse.py`. For one thread."""

    def __init__(self, canopy: CanopyParameters, greenhouse: Greenhouse, num_greenhouses: int) -> None:
        c, g = canopy, greenhouse
        self._canopy, self._greenhouse = c, g
        # Arrays of no dimension: numpy takes 0.6 us longer to take a Python number.
        self._interception = np.array(-c.light_interception_m2_per_kg)
        self._respiration_per_c = np.array(np.log(2.0) / 10)  # it doubles every 10 C
        self._boiling = np.array(-g.saturation_exponent * g.saturation_temperature_c)
        self._saturation_temperature_c = np.array(g.saturation_temperature_c)
        self._middle_c = np.array(c.conductance_m_per_s_c / c.conductance_m_per_s_c2)
        self._margin_c2 = np.array(c.conductance_m_per_s / c.conductance_m_per_s_c2)
        self._compensation = np.array(c.compensation_kg_per_m3)
        at_0_c = 2.0**-2.5
        self._respiration = np.array(c.respiration_per_s * at_0_c)
        self._respired = np.array(c.respired_co2_per_s * c.dry_weight_per_co2 * at_0_c)
        self._uptake = np.array(1 / (c.dry_weight_per_co2 * g.co2_capacity_m))
        self._leaf = np.array(np.exp(g.saturation_exponent) * g.leaf_vapour_j_per_m3 / (1e3 * GAS_J_PER_K_MOL))
        self._transpiration = np.array(c.transpiration_m_per_s / g.vapour_capacity_m)
        self._kelvin = np.array(KELVIN_C)
        self._zero, self._one, self._two, self._tiny = (np.array(x) for x in (0.0, 1.0, 2.0, _TINY))

        rows, n = np.empty, num_greenhouses
        self._exponents = rows((3, n))
        self._closed, self._supply, self._gain, self._loss, self._scratch = (rows(n) for _ in range(5))
        self._light, self._light_per_conductance = rows(n), rows(n)
        self._exchange, self._inflow, self._outflow = rows((3, n)), rows((3, n)), rows((3, n))
        self._slopes = [rows((4, n)) for _ in range(4)]
        self._stage = rows((4, n))

    def hold(self, controls: Array, weather: Array) -> None:
        """Take controls `[3, N]` and weather `[4, N]` for the derivatives and steps that follow."""
        c, g = self._canopy, self._greenhouse
        exchange, inflow, air = self._exchange, self._inflow, self._scratch
        np.multiply(weather[0], c.light_use_kg_per_j * c.dry_weight_per_co2, out=self._light)
        np.multiply(weather[0], c.light_use_kg_per_j / c.conductance_m_per_s_c2, out=self._light_per_conductance)
        np.add(controls[1], g.leakage_m_per_s, out=air)
        np.multiply(air, 1 / g.co2_capacity_m, out=exchange[0])
        np.multiply(controls[1], g.ventilation_heat_j_per_m3_c / g.heat_capacity_j_per_m2_c, out=exchange[1])
        exchange[1] += g.wall_heat_loss_w_per_m2_c / g.heat_capacity_j_per_m2_c
        np.multiply(air, 1 / g.vapour_capacity_m, out=exchange[2])
        np.multiply(exchange, weather[1:], out=inflow)
        np.multiply(controls[0], 1 / g.co2_capacity_m, out=air)
        inflow[0] += air
        np.multiply(weather[0], g.solar_heat_fraction, out=air)
        air += controls[2]
        air *= 1 / g.heat_capacity_j_per_m2_c
        inflow[1] += air

    def derivative(self, state: Array, out: Array) -> None:
        """Write the change of `state` `[4, N]` per second to `out`."""
        dry_weight, co2, temperature, vapour = state
        closed, supply, gain, loss, scratch = self._closed, self._supply, self._gain, self._loss, self._scratch

        exponents = self._exponents
        np.multiply(dry_weight, self._interception, out=exponents[0])
        np.multiply(temperature, self._respiration_per_c, out=exponents[1])
        np.add(temperature, self._saturation_temperature_c, out=scratch)
        np.divide(self._boiling, scratch, out=exponents[2])
        np.exp(exponents, out=exponents)
        np.subtract(self._one, exponents[0], out=closed)

        np.subtract(self._middle_c, temperature, out=supply)
        supply *= temperature
        supply -= self._margin_c2
        np.maximum(supply, self._zero, out=supply)
        np.subtract(co2, self._compensation, out=scratch)
        supply *= scratch
        np.maximum(supply, self._tiny, out=supply)
        np.multiply(closed, supply, out=gain)
        gain *= self._light
        supply += self._light_per_conductance
        gain /= supply
        np.multiply(dry_weight, exponents[1], out=loss)
        np.multiply(loss, self._respiration, out=scratch)
        np.subtract(gain, scratch, out=out[0])
        loss *= self._respired
        gain -= loss

        # CO2, temperature and vapour: exchange with outside, then what the crop takes and gives.
        np.multiply(self._exchange, state[1:], out=self._outflow)
        np.subtract(self._inflow, self._outflow, out=out[1:])
        gain *= self._uptake
        out[1] -= gain
        np.add(temperature, self._kelvin, out=scratch)
        np.divide(exponents[2], scratch, out=scratch)
        scratch *= self._leaf
        scratch -= vapour
        closed *= self._transpiration
        scratch *= closed
        out[3] += scratch

    def advance(self, state: Array, step_s: float) -> None:
        """Move `state` `[4, N]` on by one step of the classical Runge-Kutta method, in place."""
        k1, k2, k3, k4 = self._slopes
        stage, whole, half = self._stage, np.array(step_s), np.array(step_s / 2)
        self.derivative(state, k1)
        for before, part, after in ((k1, half, k2), (k2, half, k3), (k3, whole, k4)):
            np.multiply(before, part, out=stage)
            stage += state
            self.derivative(stage, after)
        k2 += k3
        k2 *= self._two
        k1 += k2
        k1 += k4
        k1 *= np.array(step_s / 6)
        state += k1
