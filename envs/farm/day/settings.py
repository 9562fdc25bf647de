"""What can be set of FarmDay, beside what GreenhouseSpacing has. Figures are round ones of ours, not of a real farm."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from envs.farm.settings import Fraction, NotNegative
from envs.farm.spacing.settings import Money, SpacingSettings, Stress


class FarmMoney(Money):
    """What a head earns and the farm costs."""

    robot_eur_per_h: NotNegative = 6.0
    """Of the robot that transplants: 10 s for a seedling cost about 0.02."""


class FarmStress(Stress):
    """What harm does to growth."""

    of_damage: Fraction = 0.5


class FarmDaySettings(SpacingSettings):
    """Everything that can be set of FarmDay."""

    executor: Literal["model", "mujoco"] = "model"
    """What transplants seedlings: recorded outcomes, or a robot in SeedlingTransplant."""
    outcomes: str = "vision"
    """For `model`: shipped outcomes or a .csv file of `python -m envs.farm.day.record_transplants`."""
    skill: str = "vision"
    """For `mujoco`: who moves the robot: one of `seedlings.players.PLAYERS`, or `checkpoint:RUN@latest`."""
    transplant: dict[str, Any] = Field(default_factory=dict)
    """For `mujoco`: parameters of SeedlingTransplant, beside those of a checkpoint's run."""
    money: FarmMoney = FarmMoney()
    stress: FarmStress = FarmStress()
