"""Benches of plants: what stands where, how it grows in the light it gets, and what the robot does to it.

Axes: N houses with a bench each, S slots, K operations a day. All float64. A slot without a plant is zeros.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from envs.farm.growth.integrator import Array
from envs.farm.growth.parameters import PlantParameters
from envs.farm.growth.plant import Climate, PlantModel
from envs.farm.spacing.canopy import Canopy
from envs.farm.spacing.lattice import Lattice
from envs.farm.spacing.settings import SpacingSettings
from rlplat.interfaces import Arrays

RESERVES, STRUCTURE, AGE, SHADE, QUALITY, VIGOUR = range(6)
"""Rows of `PlantBench.plants`: g, g, days since planting, days of shade in a row, part of the price that is paid, part
of its growth rate that harm has left to the plant."""

PAR_W_PER_UMOL = 0.217
"""W m-2 per umol m-2 s-1 of white light."""

Operations = NDArray[np.int64]
"""`[N, K, 2]`: from where and to where. From a slot, from the nursery (S), or nothing to do (S + 1); to an empty slot,
or to harvest (S). Where there is nothing to do, the second number does not count."""


@dataclass
class Work:
    """What a day's operations came to, each `[N]`."""

    planted: Array
    moves: Array
    harvested: Array
    damaged: Array
    refused: Array
    """Operations that were not possible: nothing there to take, no room there to put it, no seedling left."""
    below_spec: Array
    """Harvested heads that are too light to be sold."""
    fresh_g: Array
    """Fresh weight sold."""
    full_heads: Array
    """What was sold, in heads of `harvest_g` and full quality."""
    sales_eur: Array


class PlantBench:
    """`num_houses` benches."""

    def __init__(self, settings: SpacingSettings, parameters: PlantParameters, num_houses: int) -> None:
        self.settings, self.num_houses = settings, num_houses
        self.lattice = Lattice(settings.num_rows, settings.num_columns)
        self.model = PlantModel(parameters)
        for hours in (settings.room.light_h, 24 - settings.room.light_h):
            if hours:
                self.model.check_step(3600 * hours)
        self.canopy = Canopy(self.lattice, num_houses, parameters.light_extinction, settings.leaf_layers)
        self.plants: Array = np.zeros((6, num_houses, self.lattice.num_slots))
        self.light_share: Array = np.zeros((num_houses, self.lattice.num_slots))
        """Light that plants took at the end of the day, of what each would take alone."""

    @property
    def present(self) -> NDArray[np.bool_]:
        """Where plants stand, `[N, S]`."""
        return np.asarray(self.plants[STRUCTURE] > 0)

    def leaf_area_m2(self) -> Array:
        """Return leaf areas, `[N, S]`."""
        return self.model.leaf_area_m2(self.plants[: STRUCTURE + 1])

    def fresh_weight_g(self) -> Array:
        """Return fresh weights, `[N, S]`."""
        return self.model.fresh_weight_g(self.plants[: STRUCTURE + 1])

    def clear(self) -> None:
        """Empty all benches."""
        self.plants[:] = 0
        self.light_share[:] = 0

    def snapshot(self) -> Arrays:
        """Return the plants, and the light that they took last."""
        return {"plants": self.plants, "light_share": self.light_share}

    def restore(self, snapshot: Arrays) -> None:
        """Go on from a snapshot."""
        self.plants[:], self.light_share[:] = snapshot["plants"], snapshot["light_share"]

    def work(
        self,
        operations: Operations,
        seedlings_g: Array,
        breaks: NDArray[np.bool_],
        price: Array,
        vigour: Array | None = None,
    ) -> Work:
        """Carry out a day's operations, one after the other.

        `seedlings_g` `[N, D]` are the dry weights of the nursery's plants in the order in which they are taken, and
        `vigour` `[N, D]` theirs (1 by default), `breaks` `[N, K]` says which operations damage the plant they set down,
        `price` `[N]` is the day's over the usual.
        """
        num_slots, num_houses = self.lattice.num_slots, self.num_houses
        done = Work(*(np.zeros(num_houses) for _ in range(9)))
        houses = np.arange(num_houses)
        vigour = np.ones_like(seedlings_g) if vigour is None else vigour
        for turn in range(operations.shape[1]):
            source, target = operations[:, turn].T
            if (source > num_slots).all():
                continue
            from_slot, to_slot = np.minimum(source, num_slots - 1), np.minimum(target, num_slots - 1)
            taken = (source < num_slots) & (self.plants[STRUCTURE, houses, from_slot] > 0)
            free = (target < num_slots) & (self.plants[STRUCTURE, houses, to_slot] == 0)
            new = (source == num_slots) & free & (done.planted < seedlings_g.shape[1])
            moved, cut = taken & free, taken & (target == num_slots)
            broken = (moved | new) & breaks[:, turn]
            done.refused += (source <= num_slots) & ~(new | moved | cut)
            self._harvest(houses[cut], source[cut], price, done)
            self._move(houses[moved], source[moved], target[moved])
            taken_new = houses[new], done.planted[new].astype(np.intp)
            self._plant(houses[new], target[new], seedlings_g[taken_new], vigour[taken_new])
            self._damage(houses[broken], target[broken])
            done.planted += new
            done.moves += moved
            done.damaged += broken
        return done

    def _harvest(self, houses: NDArray[np.intp], slots: Operations, price: Array, done: Work) -> None:
        money = self.settings.money
        heads = self.plants[:, houses, slots]
        fresh_g = self.model.fresh_weight_g(heads)
        sold = fresh_g > money.weights_g[0]
        paid_eur = np.interp(fresh_g, money.weights_g, money.head_eur)
        done.harvested[houses] += 1
        done.below_spec[houses] += ~sold
        done.fresh_g[houses] += fresh_g * sold
        done.full_heads[houses] += fresh_g * sold * heads[QUALITY] / self.settings.harvest_g
        done.sales_eur[houses] += paid_eur * heads[QUALITY] * price[houses]
        self.plants[:, houses, slots] = 0

    def _move(self, houses: NDArray[np.intp], source: Operations, target: Operations) -> None:
        self.plants[:, houses, target] = self.plants[:, houses, source]
        self.plants[:, houses, source] = 0

    def _plant(self, houses: NDArray[np.intp], slots: Operations, dry_weight_g: Array, vigour: Array) -> None:
        reserves = self.settings.seedlings.reserve_fraction
        zero, one = np.zeros_like(dry_weight_g), np.ones_like(dry_weight_g)
        rows = (reserves * dry_weight_g, (1 - reserves) * dry_weight_g, zero, zero, one, vigour)
        self.plants[:, houses, slots] = np.stack(rows)

    def _damage(self, houses: NDArray[np.intp], slots: Operations) -> None:
        self.plants[: STRUCTURE + 1, houses, slots] *= 1 - self.settings.robot.damage_fraction
        self.plants[VIGOUR, houses, slots] *= 1 - self.settings.stress.of_damage

    def grow(self) -> None:
        """Let a day pass: light, then darkness. Raises EnvError: see `PlantModel.step`."""
        room, quality = self.settings.room, self.settings.quality
        houses, slots = np.nonzero(self.present)
        plants = self.plants[:, houses, slots]
        state, vigour = plants[: STRUCTURE + 1], plants[VIGOUR]
        light, dark = 3600 * room.light_h, 3600 * (24 - room.light_h)
        if light:
            lamps = Climate(room.temperature_c, PAR_W_PER_UMOL * room.ppfd_umol_per_m2_s, room.co2_ppm)
            state = self.model.step(
                state, lamps, light, lambda area: self.canopy.light_area_m2(houses, slots, area), vigour
            )
        if dark:
            state = self.model.step(state, Climate(room.temperature_c, 0.0, room.co2_ppm), dark, np.zeros_like, vigour)
        share = self.canopy.light_share(houses, slots, self.model.leaf_area_m2(state))
        shade = np.where(share < quality.light_share, plants[SHADE] + 1, 0)
        lost = np.where(shade > quality.num_days, quality.loss_per_day, 0.0)
        quality_left = np.maximum(plants[QUALITY] - lost, 0)
        recovered = np.minimum(vigour + self.settings.stress.recovery_per_day, 1)
        plants = np.stack([*state, plants[AGE] + 1, shade, quality_left, recovered])
        self.plants[:, houses, slots] = plants
        self.light_share[:] = 0
        self.light_share[houses, slots] = share
