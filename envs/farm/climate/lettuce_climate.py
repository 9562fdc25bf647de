"""LettuceClimate: heat, air and feed a greenhouse of lettuce from planting to harvest, for profit.

One step is 15 minutes, or as many of them as `steps_per_action` says; a crop takes 40 days. The physics is
`greenhouse.py`; docs/farming.md has the figures.

    actions       `controls`:  [N, 3]  CO2 supply, ventilation, heating, each from 0 (off) to 1 (the most that the
                  greenhouse can do)
                  `setpoints`: [N, 4]  what a climate computer holds, from 0 (the lowest) to 1 (`climate_computer.py`)
    observations  {"policy": [N, 11 + 4 forecast_h]} float32, in this order:
        dry weight g m-2, CO2 ppm, temperature C, relative humidity %            inside
        radiation W m-2, CO2 ppm, temperature C, relative humidity %             outside
        sine and cosine of the time of day, share of the crop's days that are over
        the four outside again in 1, 2, ... forecast_h hours
    and, if critic_forecast_h is set, {"privileged": [N, 4 critic_forecast_h]}: the four in that many hours
    reward        [N]     EUR m-2: the sum of `info["reward_terms"]`

Reward terms are `growth` (what the new dry weight is worth), `heat` and `co2` (paid), which make the profit, and the
penalties `temperature`, `humidity` and `co2_excess`. `info["costs"]` holds what was violated in its own units, C h, % h
and ppm h. The harvest ends the episode (terminated); nothing truncates it. `info["measures"]` then has the whole crop's
profit, dry weight and violations.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.utils.seeding import np_random
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from envs.farm.climate.accounts import Accounts, Season
from envs.farm.climate.climate_computer import SET_POINTS, ClimateComputer
from envs.farm.climate.greenhouse_view import Moment, draw_greenhouse
from envs.farm.climate.settings import ClimateSettings
from envs.farm.climate.weather import STEP_S, STEPS_PER_DAY
from envs.farm.growth.air import co2_ppm, saturation_kg_per_m3
from envs.farm.growth.greenhouse import STATES, GreenhouseModel
from envs.farm.growth.greenhouse_kernel import GreenhouseKernel
from envs.farm.growth.integrator import Array, check_state
from envs.farm.growth.parameters import load_crop, load_greenhouse
from envs.farm.settings import read_settings
from rlplat.data.generator_state import generators_from_array, generators_to_array
from rlplat.errors import EnvError
from rlplat.interfaces import Arrays

CONTROLS = ("CO2 supply", "ventilation", "heating")

_STEPS_PER_H = STEPS_PER_DAY // 24
_STEP_H = 1 / _STEPS_PER_H

_FRAMES_PER_S = 30

Observations = dict[str, NDArray[np.float32]]


class LettuceClimateVector(VectorEnv[Observations, NDArray[np.float32], NDArray[Any]]):
    """`num_envs` greenhouses that are planted and harvested together; each has weather of its own.

    Greenhouse i of a vector seeded with s lives through the same as a single one seeded with s + i. After the harvest
    the next step plants anew (`AutoresetMode.NEXT_STEP`).
    """

    metadata: dict[str, Any] = {  # noqa: RUF012  (Gymnasium's)
        "autoreset_mode": AutoresetMode.NEXT_STEP,
        "render_modes": ["rgb_array"],
        "render_fps": _FRAMES_PER_S,
    }

    def __init__(self, num_envs: int = 1, *, render_mode: str | None = None, **settings: Any) -> None:
        """Take settings by name (`ClimateSettings`). Raises ConfigError: a setting or a file that cannot be used."""
        self.settings = read_settings(ClimateSettings, "LettuceClimate", settings)
        self.num_envs, self.render_mode = num_envs, render_mode
        self.metadata = self.metadata | {"step": (self.settings.steps_per_action / STEPS_PER_DAY, "days")}
        self.model = GreenhouseModel(load_crop(self.settings.crop).canopy, load_greenhouse(self.settings.greenhouse))
        self.model.check_step(STEP_S)
        self.num_steps = self.settings.num_days * STEPS_PER_DAY
        self.computer = ClimateComputer(self.settings, self.model)
        self.num_actions = len(CONTROLS if self.settings.action == "controls" else SET_POINTS)
        self.single_action_space = gym.spaces.Box(0.0, 1.0, (self.num_actions,), np.float32)
        self.single_observation_space = observation_space(self.settings)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self.observation_space = batch_space(self.single_observation_space, num_envs)

        self.state: Array = np.empty((4, num_envs))
        """Of the greenhouses, as in `greenhouse.py`."""
        self.clock = self.num_steps
        """Steps since planting; `num_steps`: harvested, or never planted."""
        self._weather: Array = np.empty((0, 4, num_envs))
        self._outside = np.empty((0, num_envs, 4), np.float32)
        self._accounts = Accounts(self.settings)
        self._season = Season(num_envs)
        self._source = self.settings.weather_source()
        self._generators: list[np.random.Generator] | None = None
        self._kernel = GreenhouseKernel(self.model.canopy, self.model.greenhouse, num_envs)
        self._max_controls = self.model.max_controls[:, None]
        self._controls = np.empty((3, num_envs))
        self._before = np.empty(num_envs)
        self._outputs = np.empty((4, num_envs))
        self._everyone = np.ones(num_envs, dtype=bool)

    def reset(
        self, *, seed: int | Sequence[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observations, dict[str, Any]]:
        """Plant anew. A seed (or one for each) determines all that follows; without, the generators go on."""
        if options and "reset_mask" in options:
            raise EnvError("LettuceClimate: options.reset_mask is given; its greenhouses are planted together only")
        if seed is not None or self._generators is None:
            seeds = [None] * self.num_envs if seed is None else seed
            each = [seeds + i for i in range(self.num_envs)] if isinstance(seeds, int) else list(seeds)
            if len(each) != self.num_envs:
                raise EnvError(f"LettuceClimate: {len(each)} seeds are given; it has {self.num_envs} greenhouses")
            self._generators = [np_random(one)[0] for one in each]
        return self.plant(self._generators), {}

    def plant(self, generators: Sequence[np.random.Generator]) -> Observations:
        """Draw weather from one generator for each greenhouse, and put in seedlings."""
        # One step more than the crop lasts: the last observation shows the weather at harvest. No forecast reaches
        # farther, so that none changes the weather.
        return self.replant(self._source.draw(generators, self.num_steps + 1))

    def replant(self, weather: Array) -> Observations:
        """Put in seedlings under this weather: `[num_steps + 1, 4, N]` (`weather.py`)."""
        start = self.settings.start
        first = (start.dry_weight_kg_per_m2, start.co2_kg_per_m3, start.temperature_c, start.vapour_kg_per_m3)
        self._weather = weather
        self._outside = _as_sensed(self._weather)
        self.state[:] = np.array(first)[:, None]
        self.clock = 0
        self._season = Season(self.num_envs)
        self._controls[:] = 0
        self._outputs = self.model.outputs(self.state)
        return self._observe()

    def step(
        self, actions: NDArray[np.float32]
    ) -> tuple[Observations, Array, NDArray[np.bool_], NDArray[np.bool_], dict[str, Any]]:
        """Move on by an action's time. Raises EnvError: no reset yet; actions out of their box, not numbers."""
        never = np.zeros(self.num_envs, dtype=bool)
        if self._weather.shape[0] == 0:
            raise EnvError("LettuceClimate: step() was called before reset()")
        if self.clock == self.num_steps:
            observations, infos = self.reset()
            return observations, np.zeros(self.num_envs), never, never.copy(), infos
        check_actions(actions, (self.num_envs, self.num_actions), self.settings.action)
        terms, costs = self._hold(actions)
        for _ in range(self.settings.steps_per_action - 1):
            for total, more in zip((terms, costs), self._hold(actions), strict=True):
                for name, value in more.items():
                    total[name] += value
        infos = {
            "reward_terms": terms,
            "_reward_terms": self._everyone,
            "costs": costs,
            "_costs": self._everyone,
        }
        terminated = never if self.clock < self.num_steps else np.ones(self.num_envs, dtype=bool)
        self._season.add(terms, costs)
        if self.clock == self.num_steps:
            infos |= {"measures": self._season.measures(self.state[0]), "_measures": self._everyone}
        return (
            self._observe(),
            np.add.reduce(list(terms.values())),
            terminated,
            np.zeros(self.num_envs, dtype=bool),
            infos,
        )

    def _hold(self, actions: NDArray[np.float32]) -> tuple[dict[str, Array], dict[str, Array]]:
        """Let 15 minutes pass; return their reward terms and costs."""
        weather = self._weather[self.clock]
        if self.settings.action == "controls":
            np.multiply(actions.T, self._max_controls, out=self._controls)
        else:
            outside = self._outside[self.clock].T
            set_points = self.computer.set_points(actions, outside[0])
            self._controls[:] = self.computer.controls(set_points, self._outputs, outside)
        self._before[:] = self.state[0]
        self._kernel.hold(self._controls, weather)
        self._kernel.advance(self.state, STEP_S)
        if not np.isfinite(self.state.sum()):
            check_state("LettuceClimate", STATES, self.state)
        self.clock += 1
        self._outputs = self.model.outputs(self.state)
        costs = self._accounts.violations(self._outputs, weather[0])
        terms = self._accounts.money(self.state[0] - self._before, self._controls) | self._accounts.penalties(costs)
        return terms, costs

    def expert_actions(self) -> NDArray[np.float32]:
        """Return what the set-points that were searched for would do now, `[N, ...]`."""
        from envs.farm.climate.controllers import SetPoints  # it imports this module

        return SetPoints().act(self, self._observe()["policy"])

    def snapshot(self) -> Arrays:
        """Return all that is needed to go on from here in another vector, generators included."""
        if self._generators is None:
            raise EnvError("LettuceClimate: snapshot() was called before reset()")
        return {
            "state": self.state.copy(),
            "clock": np.array(self.clock),
            "weather": self._weather.copy(),
            "season": self._season.sums.copy(),
            "generators": generators_to_array(self._generators),
        }

    def restore(self, snapshot: Arrays) -> None:
        """Go on from the snapshot of a vector of as many greenhouses with the same settings."""
        self._generators = generators_from_array(snapshot["generators"])
        self.replant(snapshot["weather"].copy())
        self.state[:] = snapshot["state"]
        self.clock = int(snapshot["clock"])
        self._season.sums[:] = snapshot["season"]
        self._outputs = self.model.outputs(self.state)

    def limits(self) -> dict[str, Array]:
        """Return what limits photosynthesis now, see `GreenhouseModel.limits`."""
        return self.model.limits(self.state, self._weather[self.clock])

    def curves(self) -> dict[str, dict[str, Array]]:
        """Return what a grower would watch, numbers of now by panel and line."""
        outside = self._outside[self.clock].T
        growth, heat, co2, *violations = self._season.sums
        both = {
            title: {"inside": self._outputs[row], "outside": outside[row]}
            for row, title in ((2, "temperature, C"), (3, "relative humidity, %"), (1, "CO2, ppm"))
        }
        return {
            "dry weight, g m-2": {"crop": self._outputs[0]},
            **both,
            "sun, W m-2": {"outside": outside[0]},
            "what limits photosynthesis: 0 stops it, 1 does not limit it": self.limits(),
            "money so far, EUR m-2": {"growth": growth, "heat": heat, "CO2": co2, "profit": growth + heat + co2},
            "out of limits so far": {"temperature, C h": violations[0], "humidity, % h": violations[1]},
        }

    def render(self) -> tuple[NDArray[np.uint8], ...] | None:
        """Return each greenhouse from the side, uint8 `[256, 512, 3]`."""
        if self.render_mode is None:
            return None
        controls = self._controls / self._max_controls
        return tuple(
            draw_greenhouse(Moment(self._outputs[:, i], self._outside[self.clock, i], controls[:, i]))
            for i in range(self.num_envs)
        )

    def weather_ahead(self, num_steps: int) -> Array:
        """Return the weather `[<= num_steps, 4, N]` to come, which no policy may see in earnest: for planners."""
        return self._weather[self.clock : self.clock + num_steps]

    def _observe(self) -> Observations:
        out = np.empty((self.num_envs, 11 + 4 * self.settings.forecast_h), np.float32)
        out[:, :4] = self._outputs.T
        out[:, 4:8] = self._outside[self.clock]
        angle = 2 * np.pi * (self.clock % STEPS_PER_DAY) / STEPS_PER_DAY
        out[:, 8:11] = (np.sin(angle), np.cos(angle), self.clock / self.num_steps)
        self._forecast(self.settings.forecast_h, out[:, 11:])
        if not self.settings.critic_forecast_h:
            return {"policy": out}
        privileged = np.empty((self.num_envs, 4 * self.settings.critic_forecast_h), np.float32)
        self._forecast(self.settings.critic_forecast_h, privileged)
        return {"policy": out, "privileged": privileged}

    def _forecast(self, hours: int, out: NDArray[np.float32]) -> None:
        """Write the weather of the hours to come to `[N, 4 hours]`."""
        for hour in range(hours):
            step = min(self.clock + (hour + 1) * _STEPS_PER_H, self.num_steps)
            out[:, 4 * hour : 4 * hour + 4] = self._outside[step]


class LettuceClimate(gym.Env[Observations, NDArray[np.float32]]):
    """One greenhouse: a vector of one. `info` has plain numbers, and `limits`: what limits photosynthesis."""

    metadata: dict[str, Any] = {"render_modes": ["rgb_array"], "render_fps": _FRAMES_PER_S}  # noqa: RUF012

    def __init__(self, *, render_mode: str | None = None, **settings: Any) -> None:
        """Take settings by name, see `LettuceClimateVector`."""
        self.vector = LettuceClimateVector(1, render_mode=render_mode, **settings)
        self.render_mode = render_mode
        self.action_space = self.vector.single_action_space
        self.observation_space = self.vector.single_observation_space

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observations, dict[str, Any]]:
        """Plant anew; a seed determines all that follows."""
        super().reset(seed=seed)
        return _first(self.vector.plant([self.np_random])), {"limits": _first(self.vector.limits())}

    def step(self, action: NDArray[np.float32]) -> tuple[Observations, float, bool, bool, dict[str, Any]]:
        """Move on by an action's time. Raises EnvError: see `LettuceClimateVector.step`; also after the harvest."""
        if self.vector.clock == self.vector.num_steps:
            raise EnvError("LettuceClimate: step() was called with no crop in the greenhouse; call reset()")
        check_actions(action, (self.vector.num_actions,), self.vector.settings.action)
        observations, reward, terminated, truncated, infos = self.vector.step(action[None])
        told = ("reward_terms", "costs", "measures")
        info: dict[str, Any] = {name: _first(infos[name]) for name in told if name in infos}
        info["limits"] = _first(self.vector.limits())
        return _first(observations), float(reward[0]), bool(terminated[0]), bool(truncated[0]), info

    def render(self) -> NDArray[np.uint8] | None:
        """Return the greenhouse from the side, uint8 `[256, 512, 3]`."""
        frames = self.vector.render()
        return None if frames is None else frames[0]


def observation_space(settings: ClimateSettings) -> gym.spaces.Dict:
    """Return the space of one greenhouse's observations."""
    inside = [(0, np.inf), (0, np.inf), (-100, 100), (0, np.inf)]
    outside = [(0, 1500), (0, np.inf), (-100, 100), (0, 101)]
    groups: dict[str, gym.Space[Any]] = {
        "policy": _box([*inside, *outside, (-1, 1), (-1, 1), (0, 1), *outside * settings.forecast_h])
    }
    if settings.critic_forecast_h:
        groups["privileged"] = _box(outside * settings.critic_forecast_h)
    return gym.spaces.Dict(groups)


def _box(limits: Sequence[tuple[float, float]]) -> gym.spaces.Box:
    low, high = np.array(limits, np.float32).T
    return gym.spaces.Box(low, high, dtype=np.float32)


def check_actions(actions: NDArray[Any], shape: tuple[int, ...], kind: str) -> None:
    """Raise EnvError for actions of another shape, out of the box [0, 1] or not numbers."""
    if not isinstance(actions, np.ndarray) or actions.shape != shape:
        found = f"shape {list(actions.shape)}" if isinstance(actions, np.ndarray) else f"a {type(actions).__name__}"
        raise EnvError(f"LettuceClimate: the action has {found}; it must be an array of shape {list(shape)}")
    if not (actions.min() >= 0 and actions.max() <= 1):  # false for NaN
        place = np.argwhere(~((actions >= 0) & (actions <= 1)))[0].tolist()
        where = f" of greenhouse {place[0]}" if len(place) == 2 else ""
        names = CONTROLS if kind == "controls" else SET_POINTS
        raise EnvError(
            f"LettuceClimate: the action for {names[place[-1]]}{where} is {actions[tuple(place)]:g}; it must be "
            f"from 0 to 1; clip it to the action space"
        )


def _as_sensed(weather: Array) -> NDArray[np.float32]:
    """Return a weather `[T, 4, N]` in the units of sensors, `[T, N, 4]`."""
    num_steps, _, num_envs = weather.shape
    sensed = np.empty((num_steps, num_envs, 4), np.float32)
    for begin in range(0, num_steps, STEPS_PER_DAY):  # a day fits into the processor's cache
        day = slice(begin, begin + STEPS_PER_DAY)
        rows: NDArray[Any] = weather[day].transpose(1, 0, 2).astype(np.float32)  # before the exponentials: faster
        radiation, co2, temperature_c, vapour = rows
        sensed[day, :, 0] = radiation
        sensed[day, :, 1] = co2_ppm(co2, temperature_c)
        sensed[day, :, 2] = temperature_c
        sensed[day, :, 3] = 100 * vapour / saturation_kg_per_m3(temperature_c)
    return sensed


def _first(values: dict[str, NDArray[Any]]) -> dict[str, Any]:
    """Return the first greenhouse's part of arrays."""
    return {name: array[0] if array.ndim > 1 else float(array[0]) for name, array in values.items()}
