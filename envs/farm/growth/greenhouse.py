"""A greenhouse with a crop after Van Henten 2003 (Biosystems Engineering 85:355-364): four states each.

Axes: N greenhouses, which advance at once. All float64, per m2 of floor:

    state     [4, N]  crop dry weight kg m-2, CO2 kg m-3, air temperature C, vapour kg m-3
    controls  [3, N]  CO2 supply kg m-2 s-1, ventilation m s-1 (m3 m-2 s-1), heating W m-2
    weather   [4, N]  global radiation W m-2, CO2 kg m-3, temperature C, vapour kg m-3, all outside

Equations with their symbols: docs/farming.md, section "Greenhouse". tests/envs/farm/test_greenhouse.py pins them.
"""

from __future__ import annotations

import numpy as np

from envs.farm.growth.air import GAS_J_PER_K_MOL, KELVIN_C, PPM_PER_KG_K
from envs.farm.growth.greenhouse_kernel import GreenhouseKernel
from envs.farm.growth.integrator import Array, check_inputs, check_state, check_step
from envs.farm.growth.parameters import CanopyParameters, Greenhouse

_MODEL = "greenhouse model (Van Henten 2003)"
_TINY = 1e-30
STATES = ("dry weight", "CO2", "temperature", "vapour")


class GreenhouseModel:
    """Van Henten's greenhouse with the parameters of a greenhouse and of a crop."""

    def __init__(self, canopy: CanopyParameters, greenhouse: Greenhouse) -> None:
        self.canopy, self.greenhouse = canopy, greenhouse
        g, c = greenhouse, canopy
        self.max_controls = np.array([g.max_co2_kg_per_m2_s, g.max_ventilation_m_per_s, g.max_heating_w_per_m2])
        air = g.max_ventilation_m_per_s + g.leakage_m_per_s
        self.fastest_per_s = max(
            (air + max(c.best_conductance_m_per_s, 0)) / g.co2_capacity_m,
            (air + c.transpiration_m_per_s) / g.vapour_capacity_m,
            (g.ventilation_heat_j_per_m3_c * air + g.wall_heat_loss_w_per_m2_c) / g.heat_capacity_j_per_m2_c,
        )
        """The fastest rate of decay with the vents open and the canopy closed."""
        # For `outputs`; arrays of no dimension, which numpy takes faster than Python numbers.
        self._kelvin, self._grams, self._ppm = np.array(KELVIN_C), np.array(1e3), np.array(PPM_PER_KG_K)
        self._saturation_c = np.array(g.saturation_temperature_c)
        self._boiling = np.array(-g.saturation_exponent * g.saturation_temperature_c)
        self._percent = np.array(1e5 * GAS_J_PER_K_MOL / g.saturation_vapour_j_per_m3 / np.exp(g.saturation_exponent))
        self._kernel = GreenhouseKernel(canopy, greenhouse, 1)
        self._num_greenhouses = 1

    def check_step(self, step_s: float) -> None:
        """Raise EnvError if the integration is unstable with this step."""
        check_step(step_s, self.fastest_per_s, _MODEL)

    def step(self, state: Array, controls: Array, weather: Array, step_s: float) -> Array:
        """Return the state `[4, N]` after `step_s` seconds with controls and weather held.

        Raises EnvError: input out of range, a step too large for the integrator, a state that is not finite.
        """
        self.check_step(step_s)
        check_inputs(
            _MODEL,
            controls=(controls / np.maximum(self.max_controls, _TINY)[:, None], 0.0, 1.0),
            radiation_w_per_m2=(weather[0], 0, 1500),
            co2_outside_kg_per_m3=(weather[1], 0, 0.1),
            temperature_outside_c=(weather[2], -60, 60),
            vapour_outside_kg_per_m3=(weather[3], 0, 0.2),
        )
        return self.advance(state, controls, weather, step_s)

    def advance(self, state: Array, controls: Array, weather: Array, step_s: float) -> Array:
        """Do what `step` does for input that the caller has checked: only the result is checked."""
        kernel, after = self._kernel_for(state), state.copy()
        kernel.hold(controls, weather)
        kernel.advance(after, step_s)
        check_state(_MODEL, STATES, after)
        return after

    def derivative(self, state: Array, controls: Array, weather: Array) -> Array:
        """Return the change of the state `[4, N]` per second."""
        kernel, change = self._kernel_for(state), np.empty_like(state)
        kernel.hold(controls, weather)
        kernel.derivative(state, change)
        return change

    def outputs(self, state: Array) -> Array:
        """Return what sensors show, `[4, N]`: dry weight g m-2, CO2 ppm, temperature C, relative humidity %."""
        out, temperature, scratch = np.empty_like(state), state[2], np.empty(state.shape[1])
        kelvin = temperature + self._kelvin
        np.multiply(state[0], self._grams, out=out[0])
        np.multiply(state[1], kelvin, out=out[1])
        out[1] *= self._ppm
        out[2] = temperature
        np.add(temperature, self._saturation_c, out=scratch)
        np.divide(self._boiling, scratch, out=scratch)
        np.exp(scratch, out=scratch)
        np.multiply(state[3], kelvin, out=out[3])
        out[3] /= scratch
        out[3] *= self._percent
        return out

    def limits(self, state: Array, weather: Array) -> dict[str, Array]:
        """Return the factors that limit photosynthesis, each `[N]` from 0 (stops it) to 1 (does not limit it).

        `interception` is the canopy's share of light; `light` and `co2` are photosynthesis over its rate with light or
        conductance and CO2 without limit; `temperature` is the conductance over that at the best temperature.
        """
        conductance = self._conductance(state[2])
        supply = conductance * np.maximum(state[1] - self.canopy.compensation_kg_per_m3, 0.0)
        light = self.canopy.light_use_kg_per_j * weather[0]
        return {
            "interception": -np.expm1(-self.canopy.light_interception_m2_per_kg * state[0]),
            "light": light / (light + supply + _TINY),
            "co2": supply / (light + supply + _TINY),
            "temperature": conductance / self.canopy.best_conductance_m_per_s,
        }

    def _kernel_for(self, state: Array) -> GreenhouseKernel:
        num_greenhouses = state.shape[1]
        if num_greenhouses != self._num_greenhouses:
            self._kernel = GreenhouseKernel(self.canopy, self.greenhouse, num_greenhouses)
            self._num_greenhouses = num_greenhouses
        return self._kernel

    def _conductance(self, temperature_c: Array) -> Array:
        """Return the conductance for CO2 in m s-1, 0 where it is too cold or too hot."""
        c = self.canopy
        slope = c.conductance_m_per_s_c - c.conductance_m_per_s_c2 * temperature_c
        return np.maximum(slope * temperature_c - c.conductance_m_per_s, 0.0)
