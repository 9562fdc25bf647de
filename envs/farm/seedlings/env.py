"""SeedlingTransplant as Gymnasium environments, a vector and a single one, and what became of each seedling.

A farm that has seedlings of its own puts them into trays by `reset(options={"trays": ...})`, lets any policy act (the
`expert_actions()` here, a script, a checkpoint), and reads `outcomes()`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from envs.farm.seedlings.damage import REASONS
from envs.farm.seedlings.layout import COLUMNS, ROWS
from envs.farm.seedlings.seedling import Seedling
from envs.farm.seedlings.seedling_transplant import SeedlingTransplant
from envs.farm.seedlings.settings import SeedlingSettings
from envs.farm.seedlings.trays import ADHESION, COLUMN, LIFTED, LOST, PLANTED, QUALITY, ROW, SIZE, STRAIN
from envs.robots.observing import Observations
from envs.robots.single import RobotEnv
from envs.robots.vector import RobotVectorEnv
from rlplat.errors import EnvError


@dataclass(frozen=True)
class Outcome:
    """What became of a seedling so far."""

    seedling: Seedling
    """As it was given or drawn."""
    planted_in: int | None
    """Number of its hole; None: it is not planted."""
    off_m: float | None
    """How far from the hole's middle its plug stands."""
    lifted: bool
    """Whether it was lifted clear of the tray."""
    strain: float
    """Damage by forces, from 0 to 1, at which a plant is lost."""
    lost: str | None
    """Why it will not live: `crushed`, `dropped`, `tipped` or `broken`."""

    @property
    def damage(self) -> float:
        """What is lost of the plant, 0 to 1."""
        return 1.0 if self.lost else self.strain


class SeedlingVector(RobotVectorEnv):
    """`num_envs` benches, see `RobotVectorEnv`; settings are those of `SeedlingSettings`."""

    task: SeedlingTransplant
    settings: SeedlingSettings

    def __init__(self, num_envs: int = 1, **settings: Any) -> None:
        """Raises ConfigError, SceneError as `RobotVectorEnv` does."""
        super().__init__(num_envs, task=SeedlingTransplant, **settings)

    def reset(
        self, *, seed: int | Sequence[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observations, dict[str, Any]]:
        """Start episodes, see `RobotVectorEnv.reset`.

        `options["trays"]`: for each bench the seedlings of its tray, or None for drawn ones. Raises EnvError: too many
        seedlings, two in a cell, cells that the tray does not have.
        """
        trays = (options or {}).get("trays")
        if trays is not None:
            if len(trays) != self.num_envs:
                raise EnvError(f"{self._name}: {len(trays)} trays are given; it has {self.num_envs} benches")
            for number, tray in enumerate(trays):
                self._check(number, tray or ())
            self.task.set_trays(trays)
        return super().reset(seed=seed, options=options)

    def outcomes(self) -> list[list[Outcome]]:
        """Return what became of the seedlings of each bench, in the order in which its tray was given or drawn."""
        values, off = self.task.trays.values, self.task.off_hole()
        return [
            [
                Outcome(
                    seedling=Seedling(int(each[ROW]), int(each[COLUMN]), *map(float, each[[SIZE, QUALITY, ADHESION]])),
                    planted_in=int(each[PLANTED]) - 1 if each[PLANTED] else None,
                    off_m=float(off[i, number]) if each[PLANTED] else None,
                    lifted=bool(each[LIFTED]),
                    strain=float(min(each[STRAIN], 1.0)),
                    lost=REASONS[int(each[LOST])],
                )
                for number, each in enumerate(values[i])
                if self.task.trays.is_present()[i, number]
            ]
            for i in range(self.num_envs)
        ]

    def _check(self, number: int, tray: Sequence[Seedling]) -> None:
        """Raise EnvError: a tray that cannot be."""
        cells = [(each.row, each.column) for each in tray]
        problem = None
        if len(tray) > self.task.num_plugs:
            problem = f"has {len(tray)} seedlings; num_plugs and num_poor make room for {self.task.num_plugs}"
        elif len(set(cells)) < len(cells):
            problem = f"has two seedlings in cell {max(cells, key=cells.count)}"
        elif not all(0 <= row < ROWS and 0 <= column < COLUMNS for row, column in cells):
            problem = f"has seedlings in cells {cells}; rows are 0 to {ROWS - 1}, columns 0 to {COLUMNS - 1}"
        if problem:
            raise EnvError(f"{self._name}: tray {number} {problem}")


class SeedlingEnv(RobotEnv):
    """One bench, see `SeedlingVector`, which is at `vector`."""

    Vector = SeedlingVector
