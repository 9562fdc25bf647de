"""What a day on the bench earns, costs and breaks. Arrays `[N]`, EUR for the whole bench."""

from __future__ import annotations

import numpy as np

from envs.farm.integrator import Array
from envs.farm.plant_bench import Work
from envs.farm.spacing_settings import SpacingSettings

TERMS = ("sales", "rent", "light", "plugs", "operations")
COSTS = ("moves", "damaged", "refused", "below_spec")
AMOUNTS = ("planted", "harvested", "fresh_g", "full_heads")

_J_PER_KWH = 3.6e6


class SpacingAccounts:
    """The settings' prices, for a bench of `area_m2`."""

    def __init__(self, settings: SpacingSettings, area_m2: float) -> None:
        money, room = settings.money, settings.room
        self.light_mol_per_day = room.ppfd_umol_per_m2_s * 1e-6 * 3600 * room.light_h * area_m2
        """Of the lamps over a bench."""
        self.light_kwh_per_day = self.light_mol_per_day * 1e6 / money.lamp_umol_per_j / _J_PER_KWH
        self._money = money
        self._fixed = {
            "rent": -money.rent_eur_per_m2_day * area_m2,
            "light": -money.light_eur_per_kwh * self.light_kwh_per_day,
        }

    def terms(self, work: Work) -> dict[str, Array]:
        """Return the reward's terms."""
        operations = work.planted + work.moves + work.harvested
        fixed = {name: np.full(operations.shape, value) for name, value in self._fixed.items()}
        return {
            "sales": work.sales_eur,
            **fixed,
            "plugs": -self._money.plug_eur * work.planted,
            "operations": -self._money.operation_eur * operations,
        }
