"""The reward `growth` of SeedlingTransplant: what handling makes of seedlings until harvest, in EUR.

What is done to a plant counts by what the growth model lets it become (`growth_value`), and the robot's time by what it
costs, both at FarmDay's prices. There is no term for anything on the way.
"""

from __future__ import annotations

import numpy as np

from envs.farm.day.growth_value import GrowthValue
from envs.farm.day.settings import FarmDaySettings
from envs.farm.seedlings.trays import LIFTED, LOST, PLANTED, PRESENT, QUALITY, SIZE, STRAIN
from envs.robots.task import Array, Terms


class GrowthReward:
    """Terms by what is kept of seedlings (`Trays.values`, `[N, P, V]`)."""

    def __init__(self, step_s: float) -> None:
        """`step_s` is that of a control step."""
        settings = FarmDaySettings()
        self.value = GrowthValue(settings)
        self.step_eur = settings.money.robot_eur_per_h / 3600 * step_s

    def terms(self, before: Array, now: Array) -> Terms:
        """Return the terms `[N]` of a control step that changed the values so."""
        made_eur = (self._made_eur(now) - self._made_eur(before)).sum(axis=1)
        return {"growth": made_eur, "robot": np.full(len(now), -self.step_eur)}

    def _made_eur(self, values: Array) -> Array:
        lost = values[..., LOST] > 0
        planted = (values[..., PLANTED] > 0) & ~lost
        taken = planted | lost | (values[..., LIFTED] > 0)
        made_eur = self.value.handling_eur(
            values[..., SIZE], values[..., QUALITY], values[..., STRAIN], planted=planted, taken=taken
        )
        return np.where(values[..., PRESENT] > 0, made_eur, 0.0)
