"""What can be set of GreenhouseSpacing. Prices and thresholds are round figures of ours, not of a real farm."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Literal

from pydantic import Field, model_validator

from envs.farm.settings import Fraction, NotNegative, Positive, Settings
from rlplat.errors import ConfigError

NUM_CLASSES = 6
"""Numbers of a schedule: classes of age, or weights."""


class Money(Settings):
    """What a head earns and the farm costs."""

    weights_g: tuple[Positive, ...] = (150.0, 250.0, 350.0)
    """Fresh weights at which `head_eur` are paid; in between in proportion, beyond the ends as at them."""
    head_eur: tuple[NotNegative, ...] = (0.0, 1.0, 1.2)
    price_sd: Annotated[float, Field(ge=0, le=0.5)] = 0.05
    """Of the logarithm of the day's price over the usual one, which wanders (AR(1), 0.9 from day to day)."""
    rent_eur_per_m2_day: NotNegative = 0.3
    light_eur_per_kwh: NotNegative = 0.15
    lamp_umol_per_j: Positive = 3.0
    plug_eur: NotNegative = 0.08
    operation_eur: NotNegative = 0.01
    """A move, a planting or a harvest by the robot."""

    @model_validator(mode="after")
    def _price_is_a_function(self) -> Money:
        if len(self.weights_g) != len(self.head_eur) or any(b <= a for a, b in pairwise(self.weights_g)):
            raise ValueError("weights_g must ascend and be as many as head_eur")
        return self


class GrowingRoom(Settings):
    """Air and light of the growing room, the same every day."""

    temperature_c: Annotated[float, Field(ge=5, le=40)] = 22.0
    co2_ppm: Annotated[float, Field(ge=0, le=5000)] = 1000.0
    ppfd_umol_per_m2_s: Annotated[float, Field(ge=0, le=2000)] = 200.0
    light_h: Annotated[float, Field(ge=0, le=24)] = 16.0


class Seedlings(Settings):
    """What the nursery brings."""

    num_per_day: Annotated[int, Field(ge=0, le=200)] = 20
    """As many as can be planted in a day; those not wanted stay in the nursery and cost nothing."""
    dry_weight_g: Positive = 0.12
    weight_sd: Annotated[float, Field(ge=0, le=1)] = 0.15
    """Of the logarithm of their weights."""
    reserve_fraction: Fraction = 0.3
    """Non-structural part of dry weight."""


class Robot(Settings):
    """What moves plants."""

    num_operations: Annotated[int, Field(ge=1, le=200)] = 30
    """A day."""
    damage_probability: Fraction = 0.01
    """That setting a plant down, planting included, breaks leaves."""
    damage_fraction: Fraction = 0.3
    """Of its weight that a damaged plant loses."""


class Quality(Settings):
    """What shade does: a plant that long gets too little light stretches, and buyers pay less."""

    light_share: Fraction = 0.3
    """Of the light that the plant would take alone; below is shade: by Beer's law, a leaf area index above 11."""
    num_days: Annotated[int, Field(ge=0)] = 5
    """In a row, that do no harm."""
    loss_per_day: Fraction = 0.1
    """Of the price, for every further day in a row."""


class Stress(Settings):
    """What harm does to growth: it multiplies the growth rate by a factor, which comes back to 1 day by day."""

    of_damage: Fraction = 0.0
    """Part of its growth rate that a plant loses whose leaves break when it is set down."""
    recovery_per_day: Fraction = 0.1
    """Added to the factor."""


class SpacingSettings(Settings):
    """Everything that can be set of GreenhouseSpacing."""

    crop: str = "lettuce"
    """A shipped crop or a .yaml file."""
    action: Literal["schedule", "weight_schedule", "operations"] = "schedule"
    """How much room plants of each age class, or of each weight, shall have, or the robot's day itself."""
    observation: Literal["table", "classes", "overhead"] = "table"
    num_days: Annotated[int, Field(ge=1, le=3650)] = 120
    filling_days: Annotated[int, Field(ge=0)] = 40
    """Days that a bench takes to fill; measures tell what the days after them brought."""
    days_per_action: Annotated[int, Field(ge=1, le=30)] = 1
    """Days for which a schedule holds; a divisor of `num_days`."""
    least_density_per_m2: Annotated[float, Field(ge=4, le=50)] = 4.0
    """Which an action of 1 asks for; one of 0 asks for 100 plants m-2. The closer, the finer schedules are explored."""
    num_rows: Annotated[int, Field(ge=2, le=30)] = 10
    """Of slots, 0.1 m apart."""
    num_columns: Annotated[int, Field(ge=2, le=30)] = 20
    leaf_layers: Positive = 3.0
    """L0: layers of leaf in a plant's disc."""
    class_days: Annotated[int, Field(ge=1)] = 4
    """Of each age class; the last is open."""
    harvest_g: Positive = 250.0
    """Fresh weight at which schedules harvest."""
    money: Money = Money()
    room: GrowingRoom = GrowingRoom()
    seedlings: Seedlings = Seedlings()
    robot: Robot = Robot()
    quality: Quality = Quality()
    stress: Stress = Stress()

    @model_validator(mode="after")
    def _actions_fill_the_days(self) -> SpacingSettings:
        if self.num_days % self.days_per_action:
            raise ValueError(f"days_per_action is {self.days_per_action}; it must divide num_days, {self.num_days}")
        if self.days_per_action > 1 and self.action == "operations":
            raise ValueError(f"days_per_action is {self.days_per_action}; operations are those of one day: set it to 1")
        return self

    def check_is_measured(self, environment: str) -> None:
        """Raise ConfigError if the days in which benches fill leave none to measure."""
        if self.num_days <= self.filling_days:
            raise ConfigError(
                f"{environment}: num_days is {self.num_days}; it must be above filling_days, {self.filling_days}, by "
                "when benches are full"
            )
