"""What a robot is given to transplant, what comes of it, and what kind of thing does it: an executor.

Trays of seedlings go in, what became of each seedling comes out. FarmDay knows no more of its robot than this, so a
table of recorded outcomes (`transplant_table`) and a robot in MuJoCo (`transplant_skill`) can stand in for each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from envs.farm.seedlings.seedling import Seedling
from envs.farm.seedlings.settings import SeedlingSettings


@dataclass(frozen=True)
class Tray:
    """Seedlings in different cells: the good ones are to be planted, the poor ones left."""

    seedlings: tuple[Seedling, ...]
    seed: int
    """Of all else that chance brings to this tray; the same tray with the same seed comes out the same."""


@dataclass(frozen=True)
class Transplanted:
    """What became of a seedling."""

    planted: bool
    """It stands in a hole and lives. Neither planted nor lost: it was left in its cell."""
    lost: str | None
    """Why it will not live: `crushed`, `dropped`, `tipped`, `broken`, or `astray`: taken out and not planted."""
    strain: float
    """Damage by forces, 0 to 1; see `envs.farm.seedlings.damage`."""
    offset_mm: float
    """From the middle of its hole; nan where it is not planted."""
    seconds: float
    """Its part of the robot's time for the tray: an equal one for each good seedling, none for a poor one."""


class Executor(Protocol):
    """Transplants seedlings."""

    @property
    def settings(self) -> SeedlingSettings:
        """Those of the trays that it is made for: how many good and poor seedlings one holds, and which."""
        ...

    def transplant(self, trays: Sequence[Tray]) -> list[list[Transplanted]]:
        """Return what became of each seedling of each tray. A tray may hold fewer than the settings say, never more."""
        ...
