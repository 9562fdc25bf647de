"""GreenhouseSpacing: how densely shall plants stand as they grow? A robot plants, moves, harvests; one step is a day.

    actions       `schedule`:   [N, 6] float32, how much room a plant of each age class shall have, from 0 (100 plants
                  m-2) to 1 (`least_density_per_m2`, 4); `schedule.py` makes the robot's day of it
                  `weight_schedule`: the same for six weights, from a seedling's to a head's in equal ratios
                  `operations`: [N, K, 2] integers, the robot's day itself: from slot 0..S-1, the nursery (S) or
                  nothing to do (S+1), to slot 0..S-1 or harvest (S); in this order, what is not possible is left out
    observations  `observations.py`
    reward        [N] EUR, for the whole bench: the sum of `info["reward_terms"]`

Reward terms are `sales`, and what is paid: `rent`, `light`, `plugs`, `operations`. `info["costs"]` counts `moves`,
`damaged` plants, `refused` operations and heads `below_spec`; `info["amounts"]` plants `planted` and `harvested`,
`fresh_g` sold, and `full_heads`: the same in heads of `harvest_g` and full quality. The farm goes on: nothing
terminates an episode, `num_days` truncate it; `info["measures"]` then says what the days after the first
`filling_days`, 40, brought (`Season` in `accounts.py`). docs/farming.md has model and figures.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import gymnasium as gym
import numpy as np
from gymnasium.utils.seeding import np_random
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from envs.farm.growth.integrator import Array
from envs.farm.growth.parameters import load_crop
from envs.farm.settings import read_settings
from envs.farm.spacing.accounts import AMOUNTS, COSTS, TERMS, SpacingAccounts, SpacingSums
from envs.farm.spacing.observations import Observations, Observer
from envs.farm.spacing.overhead_view import OverheadView, Pictures
from envs.farm.spacing.plant_bench import Operations, PlantBench, Work
from envs.farm.spacing.schedule import Schedule
from envs.farm.spacing.settings import NUM_CLASSES, SpacingSettings
from rlplat.data.generator_state import generators_from_array, generators_to_array
from rlplat.errors import ConfigError, EnvError
from rlplat.interfaces import Arrays

if TYPE_CHECKING:
    from envs.farm.spacing.policies import Policy

EXPERTS = {"schedule": "three_stages", "weight_schedule": "by_weight", "operations": "hold_lai"}
"""The best policies (`spacing.policies`) by the actions that they choose."""
_PRICE_MEMORY = 0.9
_FRAME_PIXELS_PER_PITCH = 41
"""Pixels of a frame to 0.1 m: 820 x 410 for the usual bench."""

Actions = NDArray[Any]


class GreenhouseSpacingVector(VectorEnv[Observations, Actions, NDArray[Any]]):
    """`num_envs` benches, whose episodes begin and end together; each has seedlings, prices and mishaps of its own.

    Bench i of a vector seeded with s lives through the same as a single one seeded with s + i. After the last day the
    next step clears the benches (`AutoresetMode.NEXT_STEP`).
    """

    metadata: dict[str, Any] = {  # noqa: RUF012  (Gymnasium's)
        "autoreset_mode": AutoresetMode.NEXT_STEP,
        "render_modes": ["rgb_array"],
        "render_fps": 10,
    }

    name: ClassVar[str] = "GreenhouseSpacing"
    Settings: ClassVar[type[SpacingSettings]] = SpacingSettings
    terms: ClassVar[tuple[str, ...]] = TERMS
    """Of the reward."""
    shows_vigour: ClassVar[bool] = False
    """Whether tables say which plants have been harmed."""

    def __init__(self, num_envs: int = 1, *, render_mode: str | None = None, **settings: Any) -> None:
        """Take settings by name (`Settings`). Raises ConfigError: a setting or a file that cannot be used."""
        self.settings = read_settings(self.Settings, self.name, settings)
        self.num_envs, self.render_mode = num_envs, render_mode
        self.metadata = self.metadata | {"step": (float(self.settings.days_per_action), "days")}
        self.bench = PlantBench(self.settings, load_crop(self.settings.crop).plant, num_envs)
        self.schedule = Schedule(self.bench)
        if self.settings.action == "weight_schedule" and self.schedule.weights_g[0] >= self.settings.harvest_g:
            raise ConfigError(
                f"{self.name}: harvest_g is {self.settings.harvest_g:g}; weight_schedule gives rooms to weights from a "
                f"seedling's, {self.schedule.weights_g[0]:g} g, to that: set it higher"
            )
        self.accounts = SpacingAccounts(self.settings, self.bench.lattice.area_m2)
        self.reward_area_m2 = 1.0
        """What the reward is divided by."""
        self._sums = SpacingSums(self.settings.filling_days)
        self._observer = Observer(self.bench, shows_vigour=self.shows_vigour)
        self.single_action_space = action_space(self.settings, self.bench.lattice.num_slots)
        self.single_observation_space = self._observer.space
        self.action_space = batch_space(self.single_action_space, num_envs)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self._view: OverheadView | None = None
        self._money: dict[str, Array] = {}
        self.day = self.settings.num_days
        """Days since the benches were cleared; `num_days`: the episode is over, or never began."""
        self._generators: list[np.random.Generator] | None = None
        self._expert: Policy | None = None
        self._price: Array = np.empty((0, num_envs))
        self._seedlings_g: Array = np.empty((0, num_envs, 0))
        self._breaks: NDArray[np.bool_] = np.empty((0, num_envs, 0), dtype=bool)

    def reset(
        self, *, seed: int | Sequence[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observations, dict[str, Any]]:
        """Clear the benches. A seed (or one for each) determines all that follows; without, the generators go on."""
        if options and "reset_mask" in options:
            raise EnvError(f"{self.name}: options.reset_mask is given; its benches are cleared together only")
        if seed is not None or self._generators is None:
            seeds = [None] * self.num_envs if seed is None else seed
            each = [seeds + i for i in range(self.num_envs)] if isinstance(seeds, int) else list(seeds)
            if len(each) != self.num_envs:
                raise EnvError(f"{self.name}: {len(each)} seeds are given; it has {self.num_envs} benches")
            self._generators = [np_random(one)[0] for one in each]
        return self.begin(self._generators), {}

    def begin(self, generators: list[np.random.Generator]) -> Observations:
        """Clear the benches and draw what chance will bring, with one generator for each."""
        settings, num_days = self.settings, self.settings.num_days
        nursery, robot = settings.seedlings, settings.robot
        self._generators = generators
        self._price = np.stack([_prices(one, num_days + 1, settings.money.price_sd) for one in generators], axis=1)
        normal = [one.standard_normal((num_days, nursery.num_per_day)) for one in generators]
        self._seedlings_g = nursery.dry_weight_g * np.exp(nursery.weight_sd * np.stack(normal, axis=1))
        uniform = [one.random((num_days, robot.num_operations)) for one in generators]
        self._breaks = np.stack(uniform, axis=1) < robot.damage_probability
        self.bench.clear()
        self.schedule.reset()
        self._sums = SpacingSums(self.settings.filling_days)
        self._money = {name: np.zeros(self.num_envs) for name in self.terms}
        self.day = 0
        return self._observe()

    def step(
        self, actions: Actions
    ) -> tuple[Observations, Array, NDArray[np.bool_], NDArray[np.bool_], dict[str, Any]]:
        """Let the robot work and an action's days pass.

        Raises EnvError: no reset yet; actions out of their space, not numbers.
        """
        never = np.zeros(self.num_envs, dtype=bool)
        if self._generators is None:
            raise EnvError(f"{self.name}: step() was called before reset()")
        if self.day == self.settings.num_days:
            return self.begin(self._generators), np.zeros(self.num_envs), never, never.copy(), {}
        check_actions(self.name, actions, self.single_action_space, (self.num_envs,))
        infos = self._pass_day(actions)
        for _ in range(self.settings.days_per_action - 1):
            for total, more in zip(infos.values(), self._pass_day(actions).values(), strict=True):
                for name, value in more.items():
                    total[name] = total[name] + value
        infos["reward_terms"] = {name: eur / self.reward_area_m2 for name, eur in infos["reward_terms"].items()}
        reward = np.add.reduce(list(infos["reward_terms"].values()))
        measures = self._measures() if self.day == self.settings.num_days else None
        if measures is not None:
            infos["measures"] = measures
        told: dict[str, Any] = {**infos, **{f"_{name}": ~never for name in infos}}
        truncated = np.full(self.num_envs, self.day == self.settings.num_days)
        return self._observe(), reward, never, truncated, told

    def _pass_day(self, actions: Actions) -> dict[str, dict[str, Array]]:
        """Let the robot work and the plants grow; return the day's reward terms, costs and amounts."""
        operations = actions if self.settings.action == "operations" else self.schedule.operations(actions)
        infos = self._work(operations)
        self.bench.grow()
        self.day += 1
        for name, value in infos["reward_terms"].items():
            self._money[name] = self._money[name] + value
        reward = np.add.reduce(list(infos["reward_terms"].values()))
        self._sums.add(self.day, {"reward": reward, **infos["costs"], **infos["amounts"]})
        return infos

    def snapshot(self) -> Arrays:
        """Return all that is needed to go on from here in another vector, generators included."""
        if self._generators is None:
            raise EnvError(f"{self.name}: snapshot() was called before reset()")
        state = {
            "day": np.array(self.day),
            "price": self._price,
            "seedlings_g": self._seedlings_g,
            "breaks": self._breaks,
            "generators": generators_to_array(self._generators),
        }
        for part, kept in self._parts().items():
            state |= {f"{part}/{name}": array for name, array in kept.snapshot().items()}
        state |= {f"money/{name}": eur for name, eur in self._money.items()}
        return {name: array.copy() for name, array in state.items()}

    def restore(self, snapshot: Arrays) -> None:
        """Go on from the snapshot of a vector of as many benches with the same settings."""
        self.day = int(snapshot["day"])
        self._price, self._seedlings_g = snapshot["price"].copy(), snapshot["seedlings_g"].copy()
        self._breaks = snapshot["breaks"].copy()
        self._generators = generators_from_array(snapshot["generators"])
        for part, kept in self._parts().items():
            kept.restore(_below(f"{part}/", snapshot))
        self._money = _below("money/", snapshot)

    def _parts(self) -> dict[str, PlantBench | Schedule | SpacingSums]:
        return {"bench": self.bench, "schedule": self.schedule, "sums": self._sums}

    def expert_actions(self) -> Actions:
        """Return what the best policy of `EXPERTS` for these actions would do now."""
        if self._expert is None:
            from envs.farm.spacing.policies import shipped  # it imports this module

            self._expert = shipped()[EXPERTS[self.settings.action]]
        return self._expert.act(self, {})

    def curves(self) -> dict[str, dict[str, Array]]:
        """Return what a grower would watch, numbers of now by panel and line."""
        names = class_names(self.settings)
        count, weight_g, light_share = self._observer.classes().transpose(2, 1, 0)
        there = np.where(count > 0, 1.0, np.nan)
        fresh_g = weight_g * there / self.bench.model.parameters.dry_matter_fraction
        return {
            "plants on the bench, by age": dict(zip(names, count, strict=True)),
            "fresh weight of a plant, g, by age": dict(zip(names, fresh_g, strict=True)),
            "share of the light that it would take alone, by age": dict(zip(names, light_share * there, strict=True)),
            "money so far, EUR": {**self._money, "profit": np.add.reduce(list(self._money.values()))},
        }

    def render(self) -> tuple[Pictures, ...] | None:
        """Return each bench from above, uint8 `[410, 820, 3]` for the usual one, without the camera's noise."""
        if self.render_mode is None:
            return None
        self._view = self._view or OverheadView(self.bench.lattice, _FRAME_PIXELS_PER_PITCH)
        return tuple(self._view.draw(self.bench))

    def _work(self, operations: Operations) -> dict[str, dict[str, Array]]:
        """Let the robot do its day's work; return its reward terms in EUR, costs and amounts."""
        day = self.day
        work = self.bench.work(operations, self._seedlings_g[day], self._breaks[day], self._price[day])
        return report(work, self.accounts.terms(work))

    def _measures(self) -> dict[str, Array] | None:
        """Return what the steady days of the episode brought; None if there were none."""
        season = self._sums.season(self.accounts)
        return None if season is None else vars(season)

    def _observe(self) -> Observations:
        assert self._generators is not None
        return self._observer.observe(self.day / self.settings.num_days, self._price[self.day], self._generators)


class GreenhouseSpacing(gym.Env[Observations, Actions]):
    """One bench: a vector of one. `info` has plain numbers. `render()` shows the bench from above."""

    metadata: dict[str, Any] = {"render_modes": ["rgb_array"], "render_fps": 10}  # noqa: RUF012

    Vector: ClassVar[type[GreenhouseSpacingVector]] = GreenhouseSpacingVector

    def __init__(self, *, render_mode: str | None = None, **settings: Any) -> None:
        """Take settings by name, see `GreenhouseSpacingVector`."""
        self.vector = self.Vector(1, render_mode=render_mode, **settings)
        self.render_mode = render_mode
        self.action_space = self.vector.single_action_space
        self.observation_space = self.vector.single_observation_space

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observations, dict[str, Any]]:
        """Clear the bench; a seed determines all that follows."""
        super().reset(seed=seed)
        return _first(self.vector.begin([self.np_random])), {}

    def step(self, action: Actions) -> tuple[Observations, float, bool, bool, dict[str, Any]]:
        """Let a day pass. Raises EnvError: see `GreenhouseSpacingVector.step`; also after the last day."""
        if self.vector.day == self.vector.settings.num_days:
            raise EnvError(f"{self.vector.name}: step() was called with no episode under way; call reset()")
        check_actions(self.vector.name, action, self.action_space, ())
        observations, reward, terminated, truncated, infos = self.vector.step(np.asarray(action)[None])
        info = {name: {key: float(value[0]) for key, value in infos[name].items()} for name in infos if name[0] != "_"}
        return _first(observations), float(reward[0]), bool(terminated[0]), bool(truncated[0]), info

    def render(self) -> Pictures | None:
        """Return the bench from above, uint8 `[410, 820, 3]` for the usual bench, without the camera's noise."""
        frames = self.vector.render()
        return None if frames is None else frames[0]


def class_names(settings: SpacingSettings) -> list[str]:
    """Return the ages of each class."""
    begins = [settings.class_days * number for number in range(NUM_CLASSES)]
    return [*(f"{day} to {day + settings.class_days - 1} d" for day in begins[:-1]), f"from {begins[-1]} d"]


def action_space(settings: SpacingSettings, num_slots: int) -> gym.spaces.Space[Any]:
    """Return the space of one bench's actions."""
    if settings.action == "operations":
        return gym.spaces.MultiDiscrete(np.tile((num_slots + 2, num_slots + 1), (settings.robot.num_operations, 1)))
    return gym.spaces.Box(0.0, 1.0, (NUM_CLASSES,), np.float32)


def report(work: Work, terms: dict[str, Array]) -> dict[str, dict[str, Array]]:
    """Return what `infos` say about a day's work."""
    return {
        "reward_terms": terms,
        "costs": {name: getattr(work, name) for name in COSTS},
        "amounts": {name: getattr(work, name) for name in AMOUNTS},
    }


def check_actions(name: str, actions: Any, space: gym.spaces.Space[Any], batched: tuple[int, ...]) -> None:
    """Raise EnvError for actions of another shape than `batched` and the space's, out of the space, not numbers."""
    assert space.shape is not None
    shape = (*batched, *space.shape)
    if not isinstance(actions, np.ndarray) or actions.shape != shape:
        found = f"shape {list(actions.shape)}" if isinstance(actions, np.ndarray) else f"a {type(actions).__name__}"
        raise EnvError(f"{name}: the action has {found}; it must be an array of shape {list(shape)}")
    if isinstance(space, gym.spaces.Box):
        highest, advice = np.ones(space.shape), "a number from 0 to 1; clip it to the action space"
    else:
        assert isinstance(space, gym.spaces.MultiDiscrete)
        highest, advice = space.nvec - 1, "a whole number from 0 to {}; see the observations' action_mask"
    whole = isinstance(space, gym.spaces.Box) or np.issubdtype(actions.dtype, np.integer)
    wrong = ~((actions >= 0) & (actions <= highest))  # true for NaN
    if not whole or wrong.any():
        place = np.argwhere(wrong | (not whole))[0].tolist()
        where = f" of bench {place[0]}" if batched else ""
        what = {1: "for class {}", 2: "of operation {}, part {},"}[len(space.shape)].format(*place[len(batched) :])
        raise EnvError(
            f"{name}: the action {what}{where} is {actions[tuple(place)]}; it must be "
            + advice.format(highest[tuple(place[len(batched) :])])
        )


def _prices(generator: np.random.Generator, num_days: int, sd: float) -> Array:
    """Return the day's prices over the usual one, `[num_days]`; their logarithm wanders around 0."""
    logarithm = sd * generator.standard_normal(num_days)
    for day in range(1, num_days):
        logarithm[day] = _PRICE_MEMORY * logarithm[day - 1] + np.sqrt(1 - _PRICE_MEMORY**2) * logarithm[day]
    return np.exp(logarithm)


def _first(groups: Observations) -> Observations:
    """Return the first bench's observations."""
    return {name: _first(group) if isinstance(group, dict) else group[0] for name, group in groups.items()}


def _below(begin: str, arrays: Arrays) -> Arrays:
    """Return copies of the arrays whose names begin so, by the rest of their names."""
    return {name.removeprefix(begin): array.copy() for name, array in arrays.items() if name.startswith(begin)}
