"""Growth of lettuce plants after Van Henten 1994 (Agricultural Systems 45:55-72): two states each, many at once.

A plant has non-structural dry weight `x_n` (reserves: sugar and starch) and structural dry weight `x_s`. A state is
float64 `[2, N]`: rows x_n and x_s in g per plant, N plants. With a density of 1 m-2 they are the g m-2 of the paper.
Equations with their symbols: docs/farming.md, "Plant". tests/envs/farm/test_plant.py pins them to published values.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from envs.farm.growth.integrator import Array, check_inputs, check_state, check_step, rk4_step
from envs.farm.growth.parameters import PlantParameters

_MODEL = "plant model (Van Henten 1994)"
_TINY = 1e-30
"""Added where 0/0 could arise (a dead plant, a dark and cold hour), far below any flux."""

HOTTEST_C = 45.0
"""The step is checked for this temperature."""

LightArea = Callable[[Array], Array]
"""From leaf areas `[N]` in m2 per plant to the floor area `[N]` in m2 whose light each plant takes."""


@dataclass(frozen=True)
class Climate:
    """Air around the plants; each a number or `[N]`."""

    temperature_c: Array | float
    par_w_per_m2: Array | float
    """Photosynthetically active radiation above the canopy; 0.217 W m-2 per umol m-2 s-1."""
    co2_ppm: Array | float


@dataclass(frozen=True)
class PlantRates:
    """What happens in the plants at one moment, each `[N]`; masses in g per plant and s."""

    photosynthesis: Array
    """Sugar gained."""
    respiration: Array
    """Sugar spent on maintenance."""
    growth: Array
    """Structure formed."""
    growth_loss: Array
    """Sugar spent on forming it."""
    light_area_m2: Array
    """Floor area whose light the plant takes."""
    light_limit: Array
    """Photosynthesis over its rate in saturating light, 0 (dark) to 1 (light does not limit)."""
    co2_limit: Array
    """Photosynthesis over its rate in saturating CO2, 0 (at the compensation point) to 1."""
    temperature_limit: Array
    """Conductance for CO2 over its value at the best temperature, 0 to 1."""
    reserve_limit: Array
    """Growth over its rate with reserves without limit, 0 (starving) to 1."""


def beer(density_per_m2: float, extinction: float) -> LightArea:
    """Return the light of a closed, even canopy by Beer's law, shared equally."""

    def light_area_m2(leaf_area_m2: Array) -> Array:
        return np.asarray(-np.expm1(-extinction * density_per_m2 * leaf_area_m2) / density_per_m2)

    return light_area_m2


class PlantModel:
    """Van Henten's plant with the parameters of a crop."""

    def __init__(self, parameters: PlantParameters) -> None:
        self.parameters = p = parameters
        hot = p.growth_q10 ** ((HOTTEST_C - 20) / 10)
        # The fastest decay is that of reserves into structure: d(r_gr x_s)/dx_n <= c_gr / c_gamma, over c_beta.
        self.fastest_per_s = p.growth_rate_per_s * max(hot, 1.0) / (p.growth_yield * p.growth_saturation)
        temperatures_c = np.linspace(0, HOTTEST_C, 451)
        self._best_conductance = float(self._conductance(temperatures_c).max())

    def leaf_area_m2(self, state: Array) -> Array:
        """Return leaf area `[N]` in m2 per plant."""
        p = self.parameters
        return np.asarray(p.leaf_area_m2_per_g * (1 - p.root_fraction) * state[1])

    def shoot_dry_weight_g(self, state: Array) -> Array:
        """Return shoot dry weight `[N]` in g per plant: reserves and the shoot's part of the structure."""
        return np.asarray(state[0] + (1 - self.parameters.root_fraction) * state[1])

    def fresh_weight_g(self, state: Array) -> Array:
        """Return shoot fresh weight `[N]` in g per plant."""
        return self.shoot_dry_weight_g(state) / self.parameters.dry_matter_fraction

    def rates(self, state: Array, climate: Climate, light_area: LightArea, vigour: Array | float = 1.0) -> PlantRates:
        """Return fluxes and limiting factors of plants `[2, N]`; `vigour` as in `step`.

        Raises EnvError for input out of range.
        """
        _check(state, climate, vigour)
        return self._rates(state, climate, light_area, vigour)

    def _rates(self, state: Array, climate: Climate, light_area: LightArea, vigour: Array | float) -> PlantRates:
        p = self.parameters
        reserves, structure = np.maximum(state[0], 0.0), np.maximum(state[1], 0.0)
        temperature_c = np.asarray(climate.temperature_c, dtype=np.float64)
        co2_ppm = np.asarray(climate.co2_ppm, dtype=np.float64)

        compensation_ppm = p.compensation_ppm * p.compensation_q10 ** ((temperature_c - 20) / 10)
        surplus_ppm = np.maximum(co2_ppm - compensation_ppm, 0.0)
        light_share = surplus_ppm / (co2_ppm + 2 * compensation_ppm + _TINY)
        conductance = self._conductance(temperature_c)
        supply = conductance * p.co2_density_g_per_m3_ppm * surplus_ppm
        unlimited = p.light_use_g_per_j * np.asarray(climate.par_w_per_m2, dtype=np.float64)
        light_limit = light_share * unlimited / (light_share * unlimited + supply + _TINY)
        light_area_m2 = light_area(self.leaf_area_m2(np.stack([reserves, structure])))
        photosynthesis = light_limit * supply * light_area_m2

        reserve_limit = reserves / (p.growth_saturation * structure + reserves + _TINY)
        growth = vigour * p.growth_rate_per_s * reserve_limit * p.growth_q10 ** ((temperature_c - 20) / 10) * structure
        organs = p.shoot_respiration_per_s * (1 - p.root_fraction) + p.root_respiration_per_s * p.root_fraction
        one = np.ones_like(structure)
        return PlantRates(
            photosynthesis=p.sugar_per_co2 * photosynthesis,
            respiration=organs * structure * p.respiration_q10 ** ((temperature_c - 25) / 10),
            growth=growth,
            growth_loss=(1 - p.growth_yield) / p.growth_yield * growth,
            light_area_m2=light_area_m2,
            light_limit=light_limit * one,
            co2_limit=light_share * supply / (light_share * unlimited + supply + _TINY) * one,
            temperature_limit=conductance / self._best_conductance * one,
            reserve_limit=reserve_limit,
        )

    def derivative(self, state: Array, climate: Climate, light_area: LightArea, vigour: Array | float = 1.0) -> Array:
        """Return the change of plants `[2, N]` in g per plant and s, as published; of unchecked input."""
        now = self._rates(state, climate, light_area, vigour)
        return np.stack([now.photosynthesis - now.growth - now.respiration - now.growth_loss, now.growth])

    def check_step(self, step_s: float) -> None:
        """Raise EnvError if the integration is unstable with this step."""
        check_step(step_s, self.fastest_per_s, _MODEL)

    def step(
        self,
        state: Array,
        climate: Climate,
        step_s: float,
        light_area: LightArea,
        vigour: Array | float = 1.0,
    ) -> Array:
        """Return plants `[2, N]` after `step_s` seconds in a constant climate.

        `vigour`, a number or `[N]`, multiplies the growth rate c_gr: 1 for a plant that nothing has harmed, 0 for one
        that forms no structure.

        The published model lets maintenance drive reserves below 0 in long darkness. Here the plant then starves: what
        is lacking is taken from its structure, so total weight is lost as published and no state is negative.

        Raises EnvError: input out of range, a step too large for the integrator, a state that is not finite.
        """
        self.check_step(step_s)
        _check(state, climate, vigour)
        after = rk4_step(lambda inner: self.derivative(inner, climate, light_area, vigour), state, step_s)
        check_state(_MODEL, ("x_n", "x_s"), after)
        lacking = np.minimum(after[0], 0.0)
        return np.stack([after[0] - lacking, np.maximum(after[1] + lacking, 0.0)])

    def _conductance(self, temperature_c: Array) -> Array:
        """Return the canopy's conductance for CO2 in m s-1; 0 where carboxylation has stopped (below 5, above 40 C)."""
        p = self.parameters
        still = p.boundary_conductance_m_per_s, p.stomatal_conductance_m_per_s
        passage = still[0] * still[1] / (still[0] + still[1])
        polynomial = (p.carboxylation_m_per_s_c2 * temperature_c + p.carboxylation_m_per_s_c) * temperature_c
        carboxylation = np.maximum(polynomial + p.carboxylation_m_per_s, 0.0)
        return np.asarray(carboxylation * passage / (carboxylation + passage))


def _check(state: Array, climate: Climate, vigour: Array | float) -> None:
    check_inputs(
        _MODEL,
        state=(state, -1e3, 1e6),
        temperature_c=(climate.temperature_c, -40, 60),
        par_w_per_m2=(climate.par_w_per_m2, 0, 1000),
        co2_ppm=(climate.co2_ppm, 0, 1e5),
        vigour=(vigour, 0, 1),
    )
