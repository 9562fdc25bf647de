"""What can be set of SeedlingTransplant, and its levels."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from envs.farm.seedlings.layout import cells
from envs.robots.arm.positions import Positions
from envs.robots.settings import RobotSettings

REACH, LIFT, PLANT, TRAY, SORT = range(5)
"""Levels: bring the hand around a plug; lift one that does not stick; plant one that does; plant all of a tray; the
same among poor seedlings, in worlds that differ."""
MAX_PLUGS = 12
LIGHT_AND_LOOK = {
    "colour": 0.06,
    "light": 0.3,
    "light_direction": 0.3,
    "camera_position_m": 0.005,
    "camera_angle_deg": 0.5,
    "friction": 0.1,
}
"""What level 4 draws for each episode unless `randomisation` says otherwise."""


class SeedlingSettings(RobotSettings):
    """Everything that can be set of SeedlingTransplant."""

    camera: str | Annotated[tuple[str, ...], Field(min_length=1)] = ("front", "wrist")
    level: Annotated[int, Field(ge=REACH, le=SORT)] = PLANT
    robot: Literal["gantry", "arm"] = "gantry"
    """`arm` is that of the robots' tasks: its fingers are too thick for full trays, so it works up to level 2."""
    num_plugs: Annotated[int, Field(ge=1, le=MAX_PLUGS)] | None = None
    """Good seedlings in the tray; null: 1 up to level 2, 4 above."""
    num_poor: Annotated[int, Field(ge=0, le=MAX_PLUGS)] | None = None
    """Poor seedlings, which must be left; null: 2 at level 4, none below."""
    reward: Literal["placement", "growth"] = "placement"
    """For seedlings put where they belong, or for what becomes of them by harvest; see `growth_reward`."""
    positions: Positions = "all"
    """Which cells of the tray hold seedlings: all, or those over fields of one colour of a chess board of 10 cm."""
    adhesion_n: tuple[Annotated[float, Field(gt=0)], Annotated[float, Field(gt=0)]] = (1.5, 8.0)
    """Least and largest force by which a cell holds its plug, drawn by its logarithm, from level 2 on."""

    @model_validator(mode="before")
    @classmethod
    def _sorting_is_done_in_different_worlds(cls, given: dict[str, Any]) -> dict[str, Any]:
        if given.get("level") == SORT and "randomisation" not in given:
            return {**given, "randomisation": LIGHT_AND_LOOK}
        return given

    @model_validator(mode="after")
    def _fits_the_level(self) -> SeedlingSettings:
        if self.level < TRAY and (self.num_good, self.num_bad) != (1, 0):
            raise ValueError(
                f"level {self.level} has one seedling, a good one; num_plugs and num_poor are for levels 3 and 4"
            )
        if self.robot == "arm" and self.level >= TRAY:
            raise ValueError(f"the arm's fingers do not fit between plugs; level {self.level} needs robot: gantry")
        if self.reward == "growth" and self.level < PLANT:
            raise ValueError(f"reward is 'growth', and at level {self.level} nothing is planted; it needs level 2")
        num_seedlings, num_cells = self.num_good + self.num_bad, len(cells(self.positions))
        if num_seedlings > num_cells:
            raise ValueError(
                f"num_plugs and num_poor are {num_seedlings} seedlings, and positions: {self.positions} leaves the "
                f"tray {num_cells} cells; lower them"
            )
        if self.adhesion_n[0] > self.adhesion_n[1]:
            raise ValueError(f"adhesion_n is {list(self.adhesion_n)}; the least force comes first")
        return self

    @property
    def num_good(self) -> int:
        """Good seedlings in the tray."""
        return self.num_plugs if self.num_plugs is not None else (1 if self.level < TRAY else 4)

    @property
    def num_bad(self) -> int:
        """Poor seedlings in the tray."""
        return self.num_poor if self.num_poor is not None else (2 if self.level == SORT else 0)
