"""What can be set of LettuceClimate."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, field_validator

from envs.farm.climate.weather import STEPS_PER_DAY, Split, SyntheticWeather, WeatherSource
from envs.farm.climate.weather_file import WeatherFile
from envs.farm.settings import NotNegative, Settings
from rlplat.errors import ConfigError

GUILDERS_PER_EUR = 2.20371

_Temperature = Annotated[float, Field(ge=-60, le=60)]
_Range = tuple[_Temperature, _Temperature]


class Prices(Settings):
    """What growth earns and climate costs."""

    dry_weight_eur_per_kg: NotNegative
    heat_eur_per_j: NotNegative
    co2_eur_per_kg: NotNegative


PRICES = {
    # Van Henten 2003, in guilders: 16 per kg of dry weight (and 1.8 per m2, which no policy changes), 6.35e-9 per J,
    # 0.42 per kg.
    "1994": Prices(
        dry_weight_eur_per_kg=16 / GUILDERS_PER_EUR,
        heat_eur_per_j=6.35e-9 / GUILDERS_PER_EUR,
        co2_eur_per_kg=0.42 / GUILDERS_PER_EUR,
    ),
    # Heat at 0.09 EUR per kWh, CO2 at 0.3 EUR per kg, as in GreenLight-Gym (arXiv 2410.05336); the crop's price stays.
    "2025": Prices(dry_weight_eur_per_kg=16 / GUILDERS_PER_EUR, heat_eur_per_j=0.09 / 3.6e6, co2_eur_per_kg=0.3),
}


class Limits(Settings):
    """The climate that the crop shall have; excess is a cost."""

    day_c: _Range = (15.0, 20.0)
    """Air temperature while the sun shines (radiation of at least `night_w_per_m2`); van Henten 2003."""
    night_c: _Range = (10.0, 15.0)
    night_w_per_m2: NotNegative = 10.0
    max_humidity_percent: NotNegative = 90.0
    max_co2_ppm: NotNegative = 1600.0

    @field_validator("day_c", "night_c")
    @classmethod
    def _ascends(cls, value: _Range) -> _Range:
        if value[0] > value[1]:
            raise ValueError(f"it begins at {value[0]:g} C and ends at {value[1]:g} C; name the lower end first")
        return value


class Penalties(Settings):
    """What a unit of each cost takes off the reward, in EUR m-2; 0 leaves the cost out of the reward.

    A degree outside the limits in every hour of the crop costs about 0.5 EUR m-2, as much as a fifth of a good harvest.
    """

    temperature_eur_per_c_h: NotNegative = 5e-4
    humidity_eur_per_percent_h: NotNegative = 1e-4
    co2_eur_per_ppm_h: NotNegative = 2e-6


class Start(Settings):
    """The state at the first midnight, as in the literature on predictive control."""

    dry_weight_kg_per_m2: Annotated[float, Field(gt=0, le=10)] = 0.0035
    co2_kg_per_m3: Annotated[float, Field(gt=0, le=0.1)] = 1e-3
    temperature_c: Annotated[float, Field(ge=-20, le=50)] = 15.0
    vapour_kg_per_m3: Annotated[float, Field(ge=0, le=0.2)] = 0.008


class ClimateSettings(Settings):
    """Everything that can be set of LettuceClimate."""

    crop: str = "lettuce"
    """A shipped crop or a .yaml file."""
    greenhouse: str = "van_henten"
    """A shipped greenhouse or a .yaml file."""
    weather: str = "training"
    """`training`, `test`, or a .csv file (`weather_file.py`)."""
    prices: Literal["1994", "2025"] | Prices = "1994"
    num_days: Annotated[int, Field(ge=1, le=365)] = 40
    """From planting to harvest."""
    action: Literal["controls", "setpoints"] = "controls"
    """What a policy chooses: the controls themselves, or set-points that a climate computer holds."""
    steps_per_action: Annotated[int, Field(ge=1, le=96)] = 1
    """Steps of 15 minutes for which an action holds; a divisor of a day's 96."""
    forecast_h: Annotated[int, Field(ge=0, le=48)] = 0
    """Hours of weather to come, without error, that the policy sees; after the harvest that of the harvest."""
    critic_forecast_h: Annotated[int, Field(ge=0, le=48)] = 0
    """Hours of it that only the critic of an agent sees, in training: what a step earned is then told from luck with
    the weather (Mao et al., "Variance reduction for reinforcement learning in input-driven environments", 2019)."""
    limits: Limits = Limits()
    penalties: Penalties = Penalties()
    start: Start = Start()

    @field_validator("steps_per_action")
    @classmethod
    def _divides_a_day(cls, value: int) -> int:
        if STEPS_PER_DAY % value:
            raise ValueError(f"it must divide the {STEPS_PER_DAY} steps of a day")
        return value

    def price_set(self) -> Prices:
        """Return the prices themselves."""
        return PRICES[self.prices] if isinstance(self.prices, str) else self.prices

    def weather_source(self) -> WeatherSource:
        """Open the weather. Raises ConfigError: an unknown name, a file that cannot be used."""
        splits: dict[str, Split] = {"training": "training", "test": "test"}
        if self.weather in splits:
            return SyntheticWeather(splits[self.weather])
        if Path(self.weather).suffix != ".csv":
            raise ConfigError(f"weather is the text {self.weather!r}; it must be training, test or a .csv file")
        return WeatherFile(Path(self.weather))
