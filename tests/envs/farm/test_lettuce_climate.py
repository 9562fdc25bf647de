"""LettuceClimate: Gymnasium's contract, the money, seeds, and what it says of wrong input."""

import warnings

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from hypothesis import given, settings
from hypothesis import strategies as st

import envs.farm  # noqa: F401  (registers the environment)
from envs.farm.climate.accounts import PENALTIES, PROFIT, Accounts
from envs.farm.climate.lettuce_climate import LettuceClimate, LettuceClimateVector
from envs.farm.climate.settings import ClimateSettings
from rlplat.errors import ConfigError, EnvError

ID = "rlplat/LettuceClimate-v0"


def half(num_envs=1):
    return np.full((num_envs, 3), 0.5, np.float32)


def test_gymnasiums_checker_passes():
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        warnings.filterwarnings("ignore", message=".*maximum value is infinity.*")
        for options in ({}, {"forecast_h": 5, "weather": "test", "prices": "2025"}):
            check_env(gym.make(ID, num_days=2, **options).unwrapped, skip_render_check=True)


def test_a_vector_made_by_gymnasium_keeps_its_spaces_and_plants_anew_after_the_harvest():
    vector = gym.make_vec(ID, num_envs=3, num_days=1, forecast_h=2)
    observations, _ = vector.reset(seed=0)
    assert vector.observation_space.contains(observations) and observations["policy"].shape == (3, 19)
    for step in range(96):
        observations, rewards, terminated, truncated, _ = vector.step(half(3))
        assert vector.observation_space.contains(observations) and rewards.shape == (3,)
        assert terminated.all() == (step == 95) and not truncated.any()
    grown = observations["policy"][:, 0]
    observations, rewards, terminated, _, _ = vector.step(half(3))
    assert (rewards == 0).all() and not terminated.any()
    assert (observations["policy"][:, 0] == pytest.approx(3.5)) and (grown != pytest.approx(3.5))


@pytest.mark.parametrize("weather", ["training", "test"])
def test_a_greenhouse_of_a_vector_lives_through_what_a_single_one_does(weather):
    vector = LettuceClimateVector(3, weather=weather, num_days=1)
    together, _ = vector.reset(seed=7)
    singles = [LettuceClimate(weather=weather, num_days=1) for _ in range(3)]
    for i, single in enumerate(singles):
        assert (single.reset(seed=7 + i)[0]["policy"] == together["policy"][i]).all()
    generator = np.random.default_rng(0)
    for _ in range(96):
        actions = generator.random((3, 3), dtype=np.float32)
        together, rewards, *_ = vector.step(actions)
        for i, single in enumerate(singles):
            observations, reward, *_ = single.step(actions[i])
            assert observations["policy"] == pytest.approx(together["policy"][i], rel=1e-6)
            assert reward == pytest.approx(rewards[i], rel=1e-9, abs=1e-15)


def test_a_reset_returns_to_the_seedling_and_a_seed_to_the_same_episode():
    """In one public copy the reset returned the grown crop."""
    env = LettuceClimate(num_days=2)
    episodes = []
    for seed in (3, 4, 3):
        first, _ = env.reset(seed=seed)
        assert first["policy"][0] == pytest.approx(3.5)
        episodes.append(np.array([env.step(half()[0])[0]["policy"] for _ in range(100)]))
    assert (episodes[0] == episodes[2]).all()
    assert (episodes[0] != episodes[1]).any()


def test_training_and_test_weather_differ_and_both_have_days_and_nights():
    skies = {}
    for split in ("training", "test"):
        vector = LettuceClimateVector(8, weather=split)
        vector.reset(seed=0)
        radiation = vector.weather_ahead(3840)[:, 0].reshape(40, 96, 8)
        assert (radiation[:, :8] == 0).all() and (radiation[:, 46:50] > 0).all()
        assert radiation.min() >= 0 and radiation.max() < 1000
        skies[split] = radiation
    assert (skies["training"] != skies["test"]).any()


def test_the_reward_is_the_sum_of_its_terms_and_they_are_prices_times_amounts():
    env = LettuceClimate(num_days=2, prices="1994")
    env.reset(seed=0)
    action = np.array([1.0, 0.0, 0.5], np.float32)
    for _ in range(50):
        before = env.vector.state[0, 0]
        _, reward, _, _, info = env.step(action)
        terms = info["reward_terms"]
        assert reward == pytest.approx(sum(terms.values()), rel=1e-9)
        assert tuple(terms) == (*PROFIT, *PENALTIES)
        assert terms["growth"] == pytest.approx(16 / 2.20371 * (env.vector.state[0, 0] - before))
        assert terms["heat"] == pytest.approx(-900 * 75 * 6.35e-9 / 2.20371)
        assert terms["co2"] == pytest.approx(-900 * 1.2e-6 * 0.42 / 2.20371)
        assert terms["temperature"] == pytest.approx(-5e-4 * info["costs"]["temperature"])
        assert all(0 <= limit <= 1 for limit in info["limits"].values())


def test_todays_heat_costs_nine_times_that_of_1994():
    heat = {}
    for prices in ("1994", "2025"):
        env = LettuceClimate(prices=prices, num_days=1)
        env.reset(seed=0)
        heat[prices] = env.step(np.array([0, 0, 1], np.float32))[4]["reward_terms"]["heat"]
    assert heat["2025"] / heat["1994"] == pytest.approx(8.676, abs=1e-3)


def test_costs_are_the_excess_over_the_limits_of_day_and_night():
    accounts = Accounts(ClimateSettings())
    outputs = np.array([[0.0] * 4, [1700, 400, 400, 400], [12.0, 12.0, 22.0, 9.0], [50, 50, 94, 50]])
    costs = accounts.violations(outputs, np.array([200.0, 0.0, 200.0, 0.0]))
    assert costs["temperature"] == pytest.approx([0.75, 0, 0.5, 0.25])
    assert costs["humidity"] == pytest.approx([0, 0, 1, 0])
    assert costs["co2_excess"] == pytest.approx([25, 0, 0, 0])


def test_every_control_changes_the_crop_and_none_is_for_free():
    totals = []
    for action in ([0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]):
        vector = LettuceClimateVector(1, num_days=3, prices="2025")
        vector.reset(seed=5)
        rewards = [vector.step(np.array([action], np.float32))[1][0] for _ in range(288)]
        totals.append((vector.state[0, 0], sum(rewards)))
    weights = [weight for weight, _ in totals]
    assert len(set(weights)) == 4
    assert totals[1][0] > totals[0][0], "CO2 feeds"
    assert totals[3][1] < totals[0][1], "full heat for three days does not pay"


@given(st.integers(0, 1000), st.lists(st.tuples(*[st.sampled_from([0.0, 0.5, 1.0])] * 3), min_size=1, max_size=5))
@settings(max_examples=15, deadline=None)
def test_no_actions_lead_to_a_negative_or_undefined_state(seed, actions):
    vector = LettuceClimateVector(4, num_days=3)
    vector.reset(seed=seed)
    for step in range(96):
        vector.step(np.tile(np.array(actions[step % len(actions)], np.float32), (4, 1)))
        assert (vector.state[[0, 1, 3]] > 0).all()


def test_wrong_actions_are_named():
    env = LettuceClimate(num_days=1)
    with pytest.raises(EnvError, match=r"step\(\) was called with no crop in the greenhouse; call reset\(\)"):
        env.step(half()[0])
    env.reset(seed=0)
    with pytest.raises(EnvError, match="the action for heating is nan; it must be from 0 to 1"):
        env.step(np.array([0, 0, np.nan], np.float32))
    with pytest.raises(EnvError, match=r"the action for ventilation is -0\.1"):
        env.step(np.array([0, -0.1, 0], np.float32))
    with pytest.raises(EnvError, match=r"the action has shape \[2\]; it must be an array of shape \[3\]"):
        env.step(np.zeros(2, np.float32))
    vector = LettuceClimateVector(2, num_days=1)
    vector.reset(seed=0)
    with pytest.raises(EnvError, match="CO2 supply of greenhouse 1 is 2;"):
        vector.step(np.array([[0, 0, 0], [2, 0, 0]], np.float32))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"num_day": 3}, r"LettuceClimate: unknown key num_day; did you mean num_days\?"),
        ({"num_days": 0}, r"num_days is 0; it must be >= 1"),
        ({"weather": "rainy"}, r"weather is the text 'rainy'; it must be training, test or a .csv file"),
        ({"steps_per_action": 7}, r"steps_per_action.* must divide the 96 steps of a day"),
        (
            {"limits": {"day_c": (20, 15)}},
            r"limits.day_c.* it begins at 20 C and ends at 15 C; name the lower end first",
        ),
        ({"limits": {"night_c": (float("nan"), 15)}}, r"limits.night_c.* is nan; it must be"),
        ({"start": {"co2_kg_per_m3": 420}}, r"start.co2_kg_per_m3 is 420; it must be <= 0.1"),
        ({"crop": "letuce"}, r"did you mean lettuce\?"),
        ({"penalties": {"temperature_eur_per_c_h": -1}}, r"penalties.temperature_eur_per_c_h is -1"),
    ],
)
def test_wrong_settings_are_named(given, message):
    with pytest.raises(ConfigError, match=message):
        LettuceClimate(**given)


def test_a_greenhouse_too_swift_for_the_step_is_refused(tmp_path):
    from envs.farm.growth.parameters import FOLDER

    path = tmp_path / "tiny.yaml"
    text = (FOLDER / "greenhouses" / "van_henten.yaml").read_text()
    path.write_text(text.replace("co2_capacity_m: 4.1", "co2_capacity_m: 1.1"))
    with pytest.raises(EnvError, match=r"the step is 900 s; it must be > 0 and at most \d+ s"):
        LettuceClimate(greenhouse=str(path))


def test_a_vector_goes_on_from_a_snapshot_bit_by_bit_into_the_next_crop():
    one, two = (LettuceClimateVector(2, num_days=1, forecast_h=1) for _ in range(2))
    one.reset(seed=3)
    for _ in range(40):
        one.step(half(2))
    two.restore(one.snapshot())
    for _ in range(70):  # the harvest comes after 56 of these steps
        (seen, rewards, over, *_), (seen_too, rewards_too, over_too, *_) = one.step(half(2)), two.step(half(2))
        assert seen["policy"].tobytes() == seen_too["policy"].tobytes()
        assert rewards.tolist() == rewards_too.tolist() and over.tolist() == over_too.tolist()


def test_the_crops_measures_go_on_from_a_snapshot():
    one, two = (LettuceClimateVector(2, num_days=1, weather="test") for _ in range(2))
    one.reset(seed=3)
    for _ in range(40):
        one.step(half(2))
    two.restore(one.snapshot())
    for _ in range(56):
        infos = [vector.step(half(2))[4] for vector in (one, two)]
    for name, values in infos[0]["measures"].items():
        assert values.tolist() == infos[1]["measures"][name].tolist()


def test_an_action_that_holds_for_hours_is_the_same_one_step_by_step():
    long, short = (LettuceClimateVector(2, num_days=1, steps_per_action=n) for n in (8, 1))
    long.reset(seed=1)
    short.reset(seed=1)
    for action in np.random.default_rng(0).random((12, 2, 3), dtype=np.float32):
        seen, reward, over, _, infos = long.step(action)
        steps = [short.step(action) for _ in range(8)]
        assert seen["policy"].tobytes() == steps[-1][0]["policy"].tobytes()
        assert reward == pytest.approx(sum(step[1] for step in steps)) and over.tolist() == steps[-1][2].tolist()
        for kind in ("reward_terms", "costs"):
            for name, total in infos[kind].items():
                assert total == pytest.approx(sum(step[4][kind][name] for step in steps))
    assert over.all()


def test_set_points_as_actions_do_what_the_controls_do_that_hold_them():
    env, controls = (LettuceClimateVector(3, num_days=2, action=kind) for kind in ("setpoints", "controls"))
    seen, _ = env.reset(seed=0)
    seen_too, _ = controls.reset(seed=0)
    assert env.single_action_space.shape == (4,)
    for _ in range(192):
        seen, *_ = env.step(env.expert_actions())
        seen_too, *_ = controls.step(controls.expert_actions())
        assert seen["policy"] == pytest.approx(seen_too["policy"], rel=1e-3, abs=1e-3)


def test_the_critics_forecast_is_the_weather_that_comes_and_not_for_the_policy():
    vector = LettuceClimateVector(2, num_days=2, critic_forecast_h=3, weather="test")
    plain = LettuceClimateVector(2, num_days=2, weather="test")
    seen, _ = vector.reset(seed=4)
    assert (plain.reset(seed=4)[0]["policy"] == seen["policy"]).all()
    assert vector.observation_space.contains(seen)
    for _ in range(44):
        promised = seen["privileged"]
        for _ in range(4):
            seen, *_ = vector.step(half(2))
        assert (seen["policy"][:, 4:8] == promised[:, :4]).all()
        assert (seen["privileged"][:, :8] == promised[:, 4:]).all()
    for _ in range(15):
        seen, *_ = vector.step(half(2))
    last = seen["privileged"]
    seen, *_ = vector.step(half(2))
    assert (last[:, 8:] == seen["policy"][:, 4:8]).all(), "after the harvest it is that of the harvest"
    assert LettuceClimateVector(1).reset(seed=0)[0].keys() == {"policy"}


def test_wrong_set_points_are_named():
    vector = LettuceClimateVector(2, num_days=1, action="setpoints")
    vector.reset(seed=0)
    with pytest.raises(EnvError, match="the action for CO2 of greenhouse 1 is nan; it must be from 0 to 1"):
        vector.step(np.array([[0, 0, 0, 0], [0, 0, 0, np.nan]], np.float32))


def test_the_expert_earns_more_than_doing_nothing():
    earned = {}
    for name in ("expert", "nothing"):
        vector = LettuceClimateVector(2, num_days=3)
        vector.reset(seed=0)
        actions = np.zeros((2, 3), np.float32)
        steps = [vector.step(vector.expert_actions() if name == "expert" else actions)[1] for _ in range(3 * 96)]
        earned[name] = np.sum(steps)
    assert earned["expert"] > earned["nothing"]
