"""What forces do to seedlings. Thresholds are engineering estimates, not measurements.

Strain of a plant grows with what pulls or bends it too hard, d += dt max(0, F - F_1) / F_2, for the force in the stem
and for that of the fingers on stem and leaves; at 1 the plant is lost. It is also lost when its plug is crushed,
dropped, or let go tilted.
"""

from __future__ import annotations

import numpy as np
from mujoco.batch import Batch

from envs.farm.seedlings.trays import LIFTED, LOST, PRESENT, PRESSED, RELEASED, SEAT_M, STRAIN, TORN, Trays, tilt
from envs.robots.task import Array, Flags, Ids

TENDER_N = 0.5
"""F_1: what stem and leaves bear."""
STRAIN_N_S = 0.5
"""F_2: so much force for so long beyond it, and the plant is lost."""
CRUSH_N, CRUSH_STEPS = 10.0, 2
"""A plug crumbles if one finger presses with more at the end of so many control steps in a row."""
DROP_M = 0.05
MAX_TILT_RAD = np.deg2rad(30.0)
TORN_M = 0.0015
"""A plug that has moved so far in its cell is torn off."""
TOUCH_N = 0.02
"""Force of one finger from which on it holds."""
REASONS = (None, "crushed", "dropped", "tipped", "broken")
"""Why a seedling is lost, by what `LOST` holds."""
CRUSHED, DROPPED, TIPPED, BROKEN = range(1, 5)


class Damage:
    """Reads the forces on the seedlings of a batch, and keeps in the trays what they do."""

    def __init__(self, batch: Batch, trays: Trays, step_s: float) -> None:
        self._trays, self._step_s = trays, step_s
        model, numbers = batch.model, range(trays.num)
        self._sensed = batch.bind("sensordata")
        places = {
            name: np.array(
                [
                    [model.sensor(f"{name}{number}_{side}").adr[0] + np.arange(3) for side in ("left", "right")]
                    for number in numbers
                ]
            )
            for name in ("squeeze", "touch")
        }
        self._squeeze, self._touch = places["squeeze"], places["touch"]
        self._stem = np.array([model.sensor(f"stem{number}").adr[0] + np.arange(3) for number in numbers])

    def squeeze(self) -> Array:
        """Return the force of each finger on each plug [N, P, 2] (N)."""
        return _length(self._sensed[:, self._squeeze])

    def touch(self) -> Array:
        """Return the force of each finger on stem and leaves [N, P, 2] (N)."""
        return _length(self._sensed[:, self._touch])

    def stem(self) -> Array:
        """Return the force between stem and plug [N, P] (N)."""
        return _length(self._sensed[:, self._stem])

    def gripped(self) -> Flags:
        """Return which plugs both fingers hold [N, P]."""
        return np.asarray((self.squeeze() > TOUCH_N).all(axis=2))

    def note(self, ids: Ids, clear_m: float) -> None:
        """Keep what the last control step did to the seedlings of these simulations; `clear_m`: above it, lifted."""
        values = self._trays.values[ids]
        there = values[..., PRESENT] > 0
        position, squeeze = self._trays.positions()[ids], self.squeeze()[ids]
        beyond = (self.stem()[ids] - TENDER_N).clip(0) + (self.touch()[ids] - TENDER_N).clip(0).sum(axis=2)
        values[..., STRAIN] += there * beyond * (self._step_s / STRAIN_N_S)

        values[..., PRESSED] = np.where(squeeze.max(axis=2) > CRUSH_N, values[..., PRESSED] + 1, 0)
        held = (squeeze > TOUCH_N).all(axis=2)
        moved = np.linalg.norm(position[..., :2] - self._trays.cells()[ids], axis=2)
        torn = np.maximum(moved, np.abs(position[..., 2] - SEAT_M)) > TORN_M
        values[..., TORN] = np.maximum(values[..., TORN], there & torn)
        values[..., LIFTED] = np.maximum(values[..., LIFTED], there & (position[..., 2] > clear_m))

        tilted = tilt(self._trays.quaternions()[ids]) > MAX_TILT_RAD
        reasons = {
            CRUSHED: values[..., PRESSED] >= CRUSH_STEPS,
            DROPPED: ~held & (position[..., 2] < values[..., RELEASED] - DROP_M),
            TIPPED: ~held & tilted,
            BROKEN: values[..., STRAIN] >= 1,
        }
        for reason, found in reasons.items():
            values[..., LOST] = np.where(there & (values[..., LOST] == 0) & found, reason, values[..., LOST])
        values[..., RELEASED] = np.where(held, position[..., 2], values[..., RELEASED])
        self._trays.values[ids] = values


def _length(vectors: Array) -> Array:
    lengths: Array = np.sqrt((vectors**2).sum(axis=-1))
    return lengths
