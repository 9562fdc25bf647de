"""FarmDay: what a robot's handling does to plants and money, seeds, and words on wrong input."""

import math

import numpy as np
import pytest

from envs.farm.day.farm_day import FarmDay, FarmDayVector
from envs.farm.day.transplants import Transplanted
from envs.farm.seedlings.seedling import GOOD_QUALITY
from envs.farm.seedlings.settings import SeedlingSettings
from envs.farm.spacing.greenhouse_spacing import GreenhouseSpacingVector
from envs.farm.spacing.plant_bench import VIGOUR
from envs.farm.spacing.schedule import action_for
from rlplat.errors import ConfigError, EnvError

THIRTY = action_for(np.full(6, 30.0), 4.0).astype(np.float32)
STANDS = Transplanted(planted=True, lost=None, strain=0.0, offset_mm=1.0, seconds=5.0)
DROPPED = Transplanted(planted=False, lost="dropped", strain=0.0, offset_mm=math.nan, seconds=5.0)
LEFT = Transplanted(planted=False, lost=None, strain=0.0, offset_mm=math.nan, seconds=0.0)


class ByHand:
    """An executor that does the same with every good seedling, and the same with every poor one."""

    def __init__(self, good, poor=LEFT, **settings):
        self.settings = SeedlingSettings(level=4, **settings)
        self._good, self._poor = good, poor
        self.trays = []

    def transplant(self, trays):
        self.trays += trays
        return [[self._good if one.is_good else self._poor for one in tray.seedlings] for tray in trays]


def farm(executor, num_envs=1, **settings):
    env = FarmDayVector(num_envs, observation="table", **settings)
    env.nursery.executor = executor
    env.reset(seed=0)
    return env


def run(env, num_days):
    """Act the same every day; return the sums of all terms, costs and amounts `[N]`, and of rewards."""
    sums = {"reward": 0.0}
    for _ in range(num_days):
        _, reward, _, _, infos = env.step(np.tile(THIRTY, (env.num_envs, 1)))
        sums["reward"] = sums["reward"] + reward
        for group in ("reward_terms", "costs", "amounts"):
            for name, value in infos[group].items():
                sums[name] = sums.get(name, 0) + value
    return sums


def test_a_vector_equals_single_farms_and_a_seed_repeats_everything():
    vector = FarmDayVector(3, observation="overhead", num_days=12)
    single = FarmDay(observation="overhead", num_days=12)
    of_all, _ = vector.reset(seed=4)
    alone, _ = single.reset(seed=6)
    for _ in range(12):
        assert (of_all["policy"]["overhead"][2] == alone["policy"]["overhead"]).all()
        of_all, rewards, *_ = vector.step(np.tile(THIRTY, (3, 1)))
        alone, reward, *_ = single.step(THIRTY)
        assert rewards[2] == reward


def test_with_a_perfect_robot_plants_are_those_of_greenhouse_spacing():
    """The same seedlings, but for sizes beyond those that trays know, stand in the same slots."""
    day = farm(ByHand(STANDS), stress={"of_damage": 0.0}, seedlings={"weight_sd": 0.05})
    spacing = GreenhouseSpacingVector(1, seedlings={"weight_sd": 0.05}, robot={"damage_probability": 0.0})
    day.reset(seed=9)
    spacing.reset(seed=9)
    day._seedlings_g = spacing._seedlings_g  # what chance brings is drawn in another order
    day._breaks[:] = False
    run(day, 30)
    for _ in range(30):
        spacing.step(THIRTY[None])
    assert (day.bench.present == spacing.bench.present).all() and day.bench.present.sum() > 30
    assert day.bench.plants == pytest.approx(spacing.bench.plants, rel=1e-9)


def test_rewards_are_the_profit_per_square_metre_and_sum_of_their_terms():
    env = farm(ByHand(STANDS))
    sums = run(env, 50)
    terms = ("sales", "rent", "light", "plugs", "operations", "robot")
    assert sums["reward"] == pytest.approx(sum(sums[name] for name in terms))
    money = env.settings.money
    assert sums["rent"] == pytest.approx(-50 * 0.3) and sums["light"] == pytest.approx(-50 * 0.16)
    assert sums["plugs"] == pytest.approx(-money.plug_eur * sums["planted"] / 2), "of 2 m2"
    assert sums["robot"] == pytest.approx(-money.robot_eur_per_h * sums["planted"] * 5.0 / 3600 / 2)
    assert sums["operations"] == pytest.approx(-0.01 * (sums["moves"] + sums["harvested"]) / 2)
    assert sums["sales"] > 0 and sums["robot_s"] == 5 * sums["planted"]


def test_dropped_seedlings_cost_plugs_leave_gaps_and_are_asked_for_again():
    lossless, lossy = farm(ByHand(STANDS)), farm(ByHand(DROPPED))
    kept, lost = run(lossless, 10), run(lossy, 10)
    assert lost["planted"] == 0 and lossy.bench.present.sum() == 0
    assert lost["lost"] == lost["missing"] > kept["planted"], "what is missing is owed the next day"
    assert lost["plugs"] == pytest.approx(-0.08 * lost["lost"] / 2)


def test_squeezed_seedlings_grow_less_and_recover():
    weights_g, profits = [], []
    for strain in (0.0, 0.5, 0.9):
        env = farm(ByHand(Transplanted(True, None, strain, 1.0, 5.0)))
        run(env, 1)
        one = np.flatnonzero(env.bench.present[0])[0]
        assert env.bench.plants[VIGOUR, 0, one] == pytest.approx(min(1 - strain + 0.1, 1)), "0.1 come back in a day"
        profits.append(run(env, 79)["reward"][0])
        env = farm(ByHand(Transplanted(True, None, strain, 1.0, 5.0)))
        run(env, 20)
        weights_g.append(np.sort(env.bench.fresh_weight_g()[0])[-3:].mean())
        assert (env.bench.plants[VIGOUR, 0][env.bench.plants[2, 0] > 10] == 1).all()
    assert weights_g[0] > 1.05 * weights_g[1] > 1.05 * 1.05 * weights_g[2]
    assert profits[0] > profits[1] > profits[2]


def test_poor_seedlings_that_are_planted_take_places_and_grow_slowly():
    one_each = {"num_plugs": 1, "num_poor": 1}
    wise = run(farm(ByHand(STANDS, LEFT, **one_each)), 90)
    wrong = run(farm(ByHand(LEFT, STANDS, **one_each)), 90)
    assert wise["poor"] == 0 and wrong["poor"] == wrong["planted"] > 100
    assert wrong["reward"] < wise["reward"] and wrong["harvested"] < wise["harvested"]


def test_what_is_planted_beyond_what_was_asked_for_is_thrown_away_and_has_cost_its_plug():
    greedy = run(farm(ByHand(STANDS, STANDS, num_plugs=1, num_poor=1)), 5)
    assert 0 < greedy["poor"] < greedy["planted"], "they go to the bench tray by tray, as they come"
    assert greedy["missing"] == 0 and greedy["plugs"] == pytest.approx(-0.08 * 2 * greedy["planted"] / 2)


def test_seedlings_beyond_those_of_the_nursery_are_refused_as_on_any_bench():
    settings = {"seedlings": {"num_per_day": 2}, "robot": {"num_operations": 4}, "action": "operations"}
    actions = np.array([[[200, 0], [200, 1], [200, 2], [201, 0]]])
    env, spacing = farm(ByHand(STANDS), **settings), GreenhouseSpacingVector(1, observation="table", **settings)
    spacing.reset(seed=0)
    for bench in (env, spacing):
        *_, infos = bench.step(actions)
        assert infos["amounts"]["planted"] == 2 and infos["costs"]["refused"] == 1


def test_trays_hold_what_the_executor_is_made_for_and_no_more_good_seedlings_than_asked_for():
    executor = ByHand(STANDS, num_plugs=3, num_poor=2)
    env = farm(executor)
    asked = []
    for _ in range(15):
        asked.append(env.step(THIRTY[None])[4]["amounts"]["planted"][0])
    good = [sum(one.is_good for one in tray.seedlings) for tray in executor.trays]
    assert sum(good) == sum(asked) and max(good) <= 3
    assert all(len(tray.seedlings) - number == 2 for tray, number in zip(executor.trays, good, strict=True))
    for tray in executor.trays:
        assert len({(one.row, one.column) for one in tray.seedlings}) == len(tray.seedlings)
        assert all(one.quality < GOOD_QUALITY for one in tray.seedlings if not one.is_good)
    assert len({tray.seed for tray in executor.trays}) == len(executor.trays)


def test_seedlings_come_to_the_bench_with_the_weight_that_their_size_shows():
    executor = ByHand(STANDS)
    env = farm(executor)
    env.step(THIRTY[None])
    sizes = [one.size for tray in executor.trays for one in tray.seedlings if one.is_good]
    planted_g = 0.12 * np.square(sizes)
    grown_g = env.bench.plants[:2, 0][:, env.bench.present[0]].sum(axis=0)
    assert len(sizes) == len(grown_g) > 0 and np.corrcoef(np.sort(planted_g), np.sort(grown_g))[0, 1] > 0.99
    assert (np.sort(grown_g) / np.sort(planted_g) < 1.5).all()


def test_tables_show_the_vigour_of_every_plant():
    env = farm(ByHand(Transplanted(True, None, 0.6, 1.0, 5.0)))
    policy = env.step(THIRTY[None])[0]["policy"]
    table = policy[:, :1000].reshape(200, 5)
    there = table[:, 0] > 0
    assert there.any() and table[there, 4] == pytest.approx(0.5) and (table[~there] == 0).all()


def test_the_expert_plants_by_three_stages_and_sells_heads():
    env = FarmDay(observation="classes")
    env.reset(seed=0)
    sold = 0
    for _ in range(60):
        action = env.vector.expert_actions()[0]
        assert env.action_space.contains(action)
        sold += env.step(action)[4]["amounts"]["harvested"]
    assert sold > 30


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"executer": "model"}, r"FarmDay: unknown key executer; did you mean executor\?"),
        ({"executor": "robot"}, r"FarmDay: executor is the text 'robot'; it must be"),
        ({"outcomes": "visions"}, r"'visions' is none of the outcomes; did you mean vision\?"),
        ({"executor": "mujoco", "transplant": {"level": 1}}, "where nothing is planted; it must be 2 or above"),
        ({"stress": {"of_damage": 1.5}}, r"stress.of_damage is 1.5; it must be <= 1"),
    ],
)
def test_wrong_settings_are_named(given, message):
    with pytest.raises(ConfigError, match=message):
        FarmDay(**given)


def test_wrong_actions_name_the_farm():
    env = FarmDay()
    env.reset(seed=0)
    with pytest.raises(EnvError, match=r"FarmDay: the action has shape \[5\]"):
        env.step(np.zeros(5, np.float32))
