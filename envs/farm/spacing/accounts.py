"""What a day on the bench earns, costs and breaks. Arrays `[N]`, EUR for the whole bench."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from envs.farm.growth.integrator import Array
from envs.farm.spacing.plant_bench import Work
from envs.farm.spacing.settings import SpacingSettings
from rlplat.interfaces import Arrays

TERMS = ("sales", "rent", "light", "plugs", "operations")
COSTS = ("moves", "damaged", "refused", "below_spec")
AMOUNTS = ("planted", "harvested", "fresh_g", "full_heads")

_J_PER_KWH = 3.6e6


class SpacingAccounts:
    """The settings' prices, for a bench of `area_m2`."""

    def __init__(self, settings: SpacingSettings, area_m2: float) -> None:
        money, room = settings.money, settings.room
        self.area_m2 = area_m2
        self.light_mol_per_day = room.ppfd_umol_per_m2_s * 1e-6 * 3600 * room.light_h * area_m2
        """Of the lamps over a bench."""
        self.light_kwh_per_day = self.light_mol_per_day * 1e6 / money.lamp_umol_per_j / _J_PER_KWH
        self._money = money
        self.fixed = {
            "rent": -money.rent_eur_per_m2_day * area_m2,
            "light": -money.light_eur_per_kwh * self.light_kwh_per_day,
        }

    def terms(self, work: Work) -> dict[str, Array]:
        """Return the reward's terms."""
        operations = work.planted + work.moves + work.harvested
        fixed = {name: np.full(operations.shape, value) for name, value in self.fixed.items()}
        return {
            "sales": work.sales_eur,
            **fixed,
            "plugs": -self._money.plug_eur * work.planted,
            "operations": -self._money.operation_eur * operations,
        }


@dataclass(frozen=True)
class Season:
    """What benches brought after the days in which they filled, each `[N]`."""

    profit_eur_per_m2_day: Array
    """The reward."""
    area_days_per_head: Array
    """Bench area times days for a head of 250 g and full quality, m2 d; infinite where nothing was sold."""
    heads_per_m2_year: Array
    """Sold."""
    kg_per_m2_year: Array
    """Fresh weight sold."""
    g_per_mol: Array
    """Fresh weight sold by light of the lamps."""
    kwh_per_kg: Array
    """Electricity of the lamps by fresh weight sold."""
    moves_per_head: Array
    """By heads harvested."""
    below_spec: Array
    """Share of the heads harvested."""
    damaged_per_head: Array
    """Plants by heads harvested."""


class SpacingSums:
    """Sums over the days of an episode after those in which benches fill."""

    def __init__(self, filling_days: int) -> None:
        self._filling_days = filling_days
        self.totals: dict[str, Array] = {}
        """By name."""
        self._num_days = 0

    def add(self, day: int, values: dict[str, Array]) -> None:
        """Take in the costs, amounts and `reward` of a day, counted from 1."""
        if day <= self._filling_days:
            return
        self._num_days += 1
        for name, value in values.items():
            self.totals[name] = self.totals.get(name, 0) + value

    def snapshot(self) -> Arrays:
        """Return the sums so far."""
        return {"num_days": np.array(self._num_days), **self.totals}

    def restore(self, snapshot: Arrays) -> None:
        """Go on from a snapshot."""
        self.totals = {name: total for name, total in snapshot.items() if name != "num_days"}
        self._num_days = int(snapshot["num_days"])

    def season(self, accounts: SpacingAccounts) -> Season | None:
        """Return what all these days brought; None if there were none."""
        sums, num_days = self.totals, self._num_days
        if not num_days:
            return None
        area_days, years = accounts.area_m2 * num_days, num_days / 365
        kg, harvested = sums["fresh_g"] / 1000, np.maximum(sums["harvested"], 1)
        with np.errstate(divide="ignore"):  # where nothing was sold, a head takes for ever
            return Season(
                profit_eur_per_m2_day=sums["reward"] / area_days,
                area_days_per_head=area_days / sums["full_heads"],
                heads_per_m2_year=(sums["harvested"] - sums["below_spec"]) / accounts.area_m2 / years,
                kg_per_m2_year=kg / accounts.area_m2 / years,
                g_per_mol=1000 * kg / (accounts.light_mol_per_day * num_days),
                kwh_per_kg=accounts.light_kwh_per_day * num_days / kg,
                moves_per_head=sums["moves"] / harvested,
                below_spec=sums["below_spec"] / harvested,
                damaged_per_head=sums["damaged"] / harvested,
            )
