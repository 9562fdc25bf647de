"""Controllers of LettuceClimate: they keep the box, do what they say, and rank as they should."""

import numpy as np
import pytest

from envs.farm.climate.accounts import PENALTIES, PROFIT
from envs.farm.climate.controllers import GRID, Nothing, Rule, SetPoints, play, search_set_points
from envs.farm.climate.lettuce_climate import LettuceClimateVector
from envs.farm.climate.predictive_control import PredictiveControl, worth_of_dry_weight
from envs.farm.score_tables import interval
from envs.farm.scores import main

DRY_WEIGHT = "dry_weight_g_per_m2"


def vector(num_envs, **settings):
    return LettuceClimateVector(num_envs, **{"weather": "test", "num_days": 3, **settings})


def test_the_rule_and_set_points_earn_more_than_nothing():
    nothing, rule, set_points = (play(vector(4), one, range(4)) for one in (Nothing(), Rule(), SetPoints()))
    assert (rule.reward > nothing.reward).all() and (set_points.reward > nothing.reward).all()
    assert (rule.measures[DRY_WEIGHT] > nothing.measures[DRY_WEIGHT]).all()


def test_what_a_crop_came_to_is_the_sum_of_its_steps():
    outcome = play(vector(2, num_days=1), Rule(), [5, 6])
    env = vector(2, num_days=1)
    observations, _ = env.reset(seed=5)
    profit, costs = np.zeros(2), {name: np.zeros(2) for name in PENALTIES}
    for step in range(96):
        observations, _, _, _, infos = env.step(Rule().act(env, observations["policy"]))
        assert ("measures" in infos) == (step == 95), "only the harvest tells"
        profit += sum(infos["reward_terms"][name] for name in PROFIT)
        for name in PENALTIES:
            costs[name] += infos["costs"][name]
    assert outcome.measures["profit_eur_per_m2"] == pytest.approx(profit)
    told = ("temperature_c_h", "humidity_percent_h", "co2_excess_ppm_h")
    for name, measure in zip(PENALTIES, told, strict=True):
        assert outcome.measures[measure] == pytest.approx(costs[name])
    assert outcome.measures["dry_weight_g_per_m2"] == pytest.approx(1e3 * env.state[0])


def test_set_points_keep_nights_warm():
    env = vector(3)
    observations, _ = env.reset(seed=0)
    nights_c = []
    for _ in range(288):
        observations, *_ = env.step(SetPoints(heat_night_c=14.0).act(env, observations["policy"]))
        if env.clock % 96 == 16:  # 4 o'clock
            nights_c.append(env.state[2].copy())
    assert np.min(nights_c[1:]) > 13.3, "warm nights may be warmer"


def test_set_points_may_differ_from_greenhouse_to_greenhouse():
    poor_and_rich = SetPoints(co2_ppm=np.array([400.0, 1500.0]))
    together = play(vector(2), poor_and_rich, [3, 3])
    alone = play(vector(1), SetPoints(co2_ppm=1500.0), [3])
    assert together.reward[1] == pytest.approx(alone.reward[0], rel=1e-6) and together.reward[0] != together.reward[1]


def test_the_search_finds_the_best_of_its_grid():
    grid = SetPoints(np.array([14.0, 18.0]), np.array([8.0, 12.0]), np.array([85.0]), np.array([400.0, 1000.0]))
    settings = {"num_days": 2, "prices": "2025"}
    best, mean = search_set_points([0, 1], settings, grid=grid, chunk=3)
    every = [
        play(LettuceClimateVector(2, **settings), SetPoints(day, night, 85.0, ppm), [0, 1]).reward.mean()
        for day in (14.0, 18.0) for night in (8.0, 12.0) for ppm in (400.0, 1000.0)
    ]  # fmt: skip
    assert mean == pytest.approx(max(every), rel=1e-6)
    assert play(LettuceClimateVector(2, **settings), best, [0, 1]).reward.mean() == pytest.approx(mean, rel=1e-6)


def test_the_shipped_grid_has_four_parameters_of_five_levels():
    assert [len(levels) for levels in vars(GRID).values()] == [5, 5, 5, 5]


def test_young_leaves_are_worth_more_than_their_price():
    env = vector(1, num_days=10)
    env.reset(seed=0)
    worth = worth_of_dry_weight(env, SetPoints())
    price = env.settings.price_set().dry_weight_eur_per_kg
    assert worth[-1] == pytest.approx(price) and worth[0] > 1.5 * price
    assert env.clock == 0


def test_predictive_control_beats_the_rule_and_set_points_where_it_knows_the_weather():
    plans = PredictiveControl(horizon_h=4, replan_h=2, max_iterations=5)
    best, rule, set_points = (play(vector(1, num_days=1), one, [0]).reward[0] for one in (plans, Rule(), SetPoints()))
    assert best > max(rule, set_points)


def test_scores_come_as_a_table_that_says_who_knew_more(capsys):
    main(["climate", "--controllers", "nothing", "--seeds", "2"])
    header, *_, line = capsys.readouterr().out.splitlines()
    assert header == "2 seeds of test weather, prices of 1994, 95 % intervals"
    assert line.startswith("| nothing | -") and "privileged" not in line
    assert interval(np.array([1.0, 3.0])) == "2.000 [-10.706, 14.706]"
