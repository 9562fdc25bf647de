"""What a transplanted seedling is worth, by the growth model: the one place where handling becomes money.

A plant grows in a stand of its like at the best fixed density until it is a head that is sold. What it is worth, EUR,
is what the head brings less the plug, and less rent and light of its floor for as long as that takes. A small or
harmed seedling takes longer. What can be won by handling seedlings well is the difference.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import RegularGridInterpolator  # type: ignore[import-untyped]

from envs.farm.day.settings import FarmDaySettings
from envs.farm.growth.integrator import Array
from envs.farm.growth.parameters import load_crop
from envs.farm.growth.plant import Climate, PlantModel, beer
from envs.farm.seedlings.seedling import GOOD_QUALITY
from envs.farm.spacing.accounts import SpacingAccounts
from envs.farm.spacing.plant_bench import PAR_W_PER_UMOL

Flags = NDArray[np.bool_]

DENSITY_PER_M2 = 30.0
"""The best fixed density of `schedules.yaml`."""
LONGEST_D = 200
"""Days after which a plant that is no head yet is given up."""
_WEIGHTS_G = np.geomspace(0.005, 1.0, 13)
_VIGOURS = np.linspace(0.0, 1.0, 11)


def weight_of_g(size: Array, usual_g: float) -> Array:
    """Return the dry weights `[...]` of seedlings by the length of their leaves over the usual: as leaf area grows."""
    return np.asarray(usual_g * np.square(size))


def size_of(weight_g: Array, usual_g: float) -> Array:
    """Return the sizes `[...]` of seedlings by their dry weights: the inverse of `weight_of_g`."""
    return np.asarray(np.sqrt(np.divide(weight_g, usual_g)))


def vigour_of(quality: Array, strain: Array) -> Array:
    """Return the part of the growth rate `[...]` that poor quality and strain leave to seedlings, 0 to 1."""
    return np.asarray(np.minimum(np.divide(quality, GOOD_QUALITY), 1) * (1 - np.clip(strain, 0, 1)))


class GrowthValue:
    """Days from planting to harvest, and EUR, by weight and vigour."""

    def __init__(self, settings: FarmDaySettings) -> None:
        self.settings = settings
        accounts = SpacingAccounts(settings, area_m2=1.0)
        self.floor_eur_per_m2_day = -sum(accounts.fixed.values())
        """Rent and light."""

    def days(self, dry_weight_g: Array, vigour: Array) -> Array:
        """Return days `[...]` from planting to `harvest_g`, at most `LONGEST_D`.

        Of seedlings of dry weight `[...]`, taken as within 0.005 to 1 g, and `vigour` `[...]` (see `PlantModel.step`).
        """
        weight_g = np.clip(dry_weight_g, _WEIGHTS_G[0], _WEIGHTS_G[-1])
        points = np.stack(np.broadcast_arrays(np.log(weight_g), vigour), axis=-1)
        return np.asarray(self._days(points).reshape(points.shape[:-1]))

    def worth_eur(self, dry_weight_g: Array, vigour: Array) -> Array:
        """Return what planted seedlings are worth `[...]`; one that is given up has cost its floor all the same."""
        money, days = self.settings.money, self.days(dry_weight_g, vigour)
        head_eur = np.interp(self.settings.harvest_g, money.weights_g, money.head_eur)
        sales_eur = np.where(days < LONGEST_D, head_eur, 0.0)
        return np.asarray(sales_eur - money.plug_eur - self.floor_eur_per_m2_day * days / DENSITY_PER_M2)

    def handling_eur(self, size: Array, quality: Array, strain: Array, *, planted: Flags, taken: Flags) -> Array:
        """Return what handling has made of seedlings so far, each `[...]`: 0 for one that was left in its cell.

        `taken` out of its cell and not planted it has cost a plug. Planted it is worth what it grows to; but a poor
        one stands where a good one would have stood, so it is worth so much less than the usual seedling.
        """
        usual_g = self.settings.seedlings.dry_weight_g
        worth = self.worth_eur(weight_of_g(size, usual_g), vigour_of(quality, strain))
        worth = np.where(np.asarray(quality) < GOOD_QUALITY, worth - self._usual_eur, worth)
        return np.where(planted, worth, np.where(taken, -self.settings.money.plug_eur, 0.0))

    @cached_property
    def _usual_eur(self) -> float:
        return float(self.worth_eur(np.array(self.settings.seedlings.dry_weight_g), np.array(1.0)))

    @cached_property
    def _days(self) -> RegularGridInterpolator:
        """The days on a grid of the logarithm of weight and of vigour; linear in between."""
        weight_g, vigour = (grid.ravel() for grid in np.meshgrid(_WEIGHTS_G, _VIGOURS, indexing="ij"))
        days = self._grow(weight_g, vigour).reshape(len(_WEIGHTS_G), len(_VIGOURS))
        return RegularGridInterpolator((np.log(_WEIGHTS_G), _VIGOURS), days)

    def _grow(self, dry_weight_g: Array, vigour: Array) -> Array:
        """Grow seedlings `[P]`, each in a stand of its like, and return the days that they take."""
        settings, crop = self.settings, load_crop(self.settings.crop).plant
        model, room = PlantModel(crop), settings.room
        canopy = beer(DENSITY_PER_M2, crop.light_extinction)
        share = settings.seedlings.reserve_fraction
        plants = np.stack([share * dry_weight_g, (1 - share) * dry_weight_g])
        lamps = Climate(room.temperature_c, PAR_W_PER_UMOL * room.ppfd_umol_per_m2_s, room.co2_ppm)
        night = Climate(room.temperature_c, 0.0, room.co2_ppm)
        days, before_g = np.full(len(dry_weight_g), float(LONGEST_D)), model.fresh_weight_g(plants)
        for day in range(LONGEST_D):
            for climate, hours in ((lamps, room.light_h), (night, 24 - room.light_h)):
                if hours:
                    plants = model.step(plants, climate, 3600 * hours, canopy, vigour)
            vigour = np.minimum(vigour + settings.stress.recovery_per_day, 1)
            now_g = model.fresh_weight_g(plants)
            reached = (before_g < settings.harvest_g) & (now_g >= settings.harvest_g)
            part = (settings.harvest_g - before_g) / np.maximum(now_g - before_g, 1e-12)
            days = np.where(reached, day + part, days)
            before_g = now_g
        return days
