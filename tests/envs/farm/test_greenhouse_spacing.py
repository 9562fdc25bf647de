"""GreenhouseSpacing: growth, the robot's work, the money, seeds, and words on wrong input."""

import gymnasium as gym
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import envs.farm  # noqa: F401  (registers the environment)
from envs.farm.growth.plant import Climate
from envs.farm.spacing.accounts import COSTS, TERMS
from envs.farm.spacing.greenhouse_spacing import GreenhouseSpacing, GreenhouseSpacingVector
from envs.farm.spacing.observations import sampling_mask
from envs.farm.spacing.overhead_view import OverheadView
from envs.farm.spacing.plant_bench import AGE, QUALITY, SHADE, STRUCTURE, VIGOUR
from envs.farm.spacing.policies import RandomOperations, shipped
from envs.farm.spacing.schedule import action_for, room_m2
from rlplat.errors import ConfigError, EnvError

ID = "rlplat/GreenhouseSpacing-v0"
HARVEST = NURSERY = 200
NOTHING = 201
SURE_ROBOT = {"num_operations": 30, "damage_probability": 0.0}


def by_hand(**options):
    """An environment whose days are given as operations, with a robot that breaks nothing."""
    env = GreenhouseSpacing(action="operations", **{"robot": SURE_ROBOT, **options})
    env.reset(seed=0)
    return env


def day(*operations, num_operations=30):
    actions = np.tile([NOTHING, 0], (num_operations, 1))
    actions[: len(operations)] = np.reshape(operations, (-1, 2))
    return actions


def densities(*per_class):
    return action_for(np.resize(per_class, 6), 4.0).astype(np.float32)


def test_a_vector_made_by_gymnasium_keeps_its_spaces_and_clears_its_benches_after_the_last_day():
    vector = gym.make_vec(ID, num_envs=3, num_days=4, observation="overhead")
    observations, _ = vector.reset(seed=0)
    assert observations["policy"]["overhead"].shape == (3, 50, 100, 3)
    for step in range(4):
        observations, rewards, terminated, truncated, _ = vector.step(np.tile(densities(50), (3, 1)))
        assert vector.observation_space.contains(observations) and rewards.shape == (3,)
        assert truncated.all() == (step == 3) and not terminated.any()
    assert (observations["policy"]["numbers"][:, 2] > 0).all()
    observations, rewards, _, truncated, _ = vector.step(np.tile(densities(50), (3, 1)))
    assert (rewards == 0).all() and not truncated.any() and (observations["policy"]["numbers"][:, 2] == 0).all()


@pytest.mark.parametrize("observation", ["table", "overhead"])
def test_a_bench_of_a_vector_lives_through_what_a_single_one_does(observation):
    options = {"observation": observation, "robot": {"damage_probability": 0.2}, "num_days": 40}
    vector = GreenhouseSpacingVector(3, **options)
    vector.reset(seed=7)
    singles = [GreenhouseSpacing(**options) for _ in range(3)]
    for i, single in enumerate(singles):
        single.reset(seed=7 + i)
    generator = np.random.default_rng(0)
    for _ in range(40):
        actions = generator.random((3, 6), dtype=np.float32)
        together, rewards, *_, infos = vector.step(actions)
        for i, single in enumerate(singles):
            observations, reward, *_, info = single.step(actions[i])
            assert reward == pytest.approx(rewards[i], rel=1e-12)
            assert info["costs"] == {name: infos["costs"][name][i] for name in COSTS}
            mine, theirs = observations["policy"], together["policy"]
            if observation == "overhead":
                mine, theirs = mine["overhead"], theirs["overhead"]
            assert (mine == theirs[i]).all()
    assert infos["costs"]["moves"].sum() > 0


def test_a_seed_determines_the_episode_and_another_one_changes_it():
    env = GreenhouseSpacing(num_days=30)
    episodes = []
    for seed in (3, 4, 3):
        first, _ = env.reset(seed=seed)
        assert (first["policy"][:800] == 0).all(), "a bench without plants"
        episodes.append(np.array([env.step(densities(80, 40, 20))[0]["policy"] for _ in range(30)]))
    assert (episodes[0] == episodes[2]).all() and (episodes[0] != episodes[1]).any()


def test_the_reward_is_the_sum_of_its_terms_and_they_are_prices_times_amounts():
    env = GreenhouseSpacing(money={"price_sd": 0.0}, robot=SURE_ROBOT, num_days=60)
    env.reset(seed=0)
    heads = 0.0
    for _ in range(60):
        _, reward, _, _, info = env.step(densities(30))
        terms, costs, amounts = info["reward_terms"], info["costs"], info["amounts"]
        assert tuple(terms) == TERMS and reward == pytest.approx(sum(terms.values()))
        assert terms["rent"] == pytest.approx(-0.3 * 2)
        assert terms["light"] == pytest.approx(-0.15 * 2 * 200 * 16 * 3600 / 3 / 3.6e6)
        assert terms["plugs"] == pytest.approx(-0.08 * amounts["planted"])
        work = amounts["planted"] + amounts["harvested"] + costs["moves"]
        assert terms["operations"] == pytest.approx(-0.01 * work)
        heads += amounts["harvested"]
        # A head of 250 g to 350 g earns 1 to 1.2 EUR.
        assert amounts["harvested"] <= terms["sales"] + 1e-9 <= 1.2 * amounts["harvested"] + 1e-9
    assert heads > 40


def test_a_plant_alone_grows_as_the_model_grows_it_in_small_steps():
    env = by_hand()
    env.step(day((NURSERY, 45)))
    bench, alone = env.vector.bench, env.vector.bench.plants[:2, 0, 45:46].copy()
    share = bench.canopy.light_area_m2(np.array([0]), np.array([0]), np.array([0.01])) / 0.01
    for _ in range(5):
        env.step(day())
        for light, hours in ((1, 16), (0, 8)):
            air = Climate(22.0, 0.217 * 200 * light, 1000.0)
            for _ in range(4 * hours):
                alone = bench.model.step(alone, air, 900.0, lambda leaves_m2: share * leaves_m2)
    assert bench.plants[:2, 0, 45] == pytest.approx(alone[:, 0], rel=1e-3)
    assert bench.plants[AGE, 0, 45] == 6 and bench.light_share[0, 45] == pytest.approx(1)


def test_crowded_plants_grow_less_and_a_move_sets_them_free():
    env = by_hand(seedlings={"weight_sd": 0.0, "dry_weight_g": 4.0})
    env.step(day((NURSERY, 0), (NURSERY, 1), (NURSERY, 20), (NURSERY, 110)))
    fresh_g = env.vector.bench.fresh_weight_g()[0]
    assert fresh_g[0] < fresh_g[110] and env.vector.bench.light_share[0, 0] < 0.9
    _, _, _, _, info = env.step(day((1, 5), (20, 105)))
    assert info["costs"]["moves"] == 2
    assert env.vector.bench.light_share[0, [0, 5, 105, 110]] == pytest.approx(1)


def grown_g(**room):
    """Dry weight of a plant alone after ten days in a room."""
    env = by_hand(room=room, seedlings={"weight_sd": 0.0})
    env.step(day((NURSERY, 0)))
    for _ in range(9):
        env.step(day())
    return env.vector.bench.plants[:2, 0, 0].sum()


def test_growth_answers_to_light_carbon_dioxide_and_temperature_of_the_room():
    usual = grown_g()
    assert grown_g(co2_ppm=400.0) < 0.9 * usual and grown_g(temperature_c=12.0) < 0.9 * usual
    assert grown_g(ppfd_umol_per_m2_s=100.0) < 0.9 * usual < 0.9 * grown_g(ppfd_umol_per_m2_s=400.0)
    for dark in ({"ppfd_umol_per_m2_s": 0.0}, {"light_h": 0.0}):
        assert 0 < grown_g(**dark) < 0.12


@given(st.integers(0, 1000), st.sampled_from([0.0, 0.5]), st.sampled_from([0.0, 24.0]))
@settings(max_examples=10, deadline=None)
def test_no_operations_lead_to_a_negative_or_undefined_state(seed, damage_probability, light_h):
    env = GreenhouseSpacingVector(
        2, action="operations", robot={"damage_probability": damage_probability}, room={"light_h": light_h}
    )
    observations, _ = env.reset(seed=seed)
    policy = RandomOperations(seed)
    for _ in range(25):
        observations, rewards, *_ = env.step(policy.act(env, observations))
        assert np.isfinite(env.bench.plants).all() and (env.bench.plants >= 0).all() and np.isfinite(rewards).all()
        assert (env.bench.light_share <= 1 + 1e-9).all()
        assert env.observation_space.contains(observations)


def test_operations_are_carried_out_in_order_and_impossible_ones_refused():
    env = by_hand(seedlings={"num_per_day": 2})
    observations, _, _, _, info = env.step(
        day(
            (NURSERY, 3), (3, 4), (NURSERY, 3),  # the slot is free again
            (NURSERY, 9),  # no third seedling
            (3, 4), (5, 6), (NURSERY, HARVEST),  # taken, empty, senseless
            (4, HARVEST),
        )
    )  # fmt: skip
    assert info["costs"] == {"moves": 1, "damaged": 0, "refused": 4, "below_spec": 1}
    assert info["amounts"] == {"planted": 2, "harvested": 1, "fresh_g": 0, "full_heads": 0}
    assert np.flatnonzero(env.vector.bench.present[0]).tolist() == [3]
    mask = observations["action_mask"]
    assert np.flatnonzero(mask[:202]).tolist() == [3, NURSERY, NOTHING]
    assert np.flatnonzero(mask[202:] == 0).tolist() == [3]


def test_what_the_mask_allows_is_never_refused_in_a_days_first_operation():
    env = GreenhouseSpacing(action="operations", robot={"num_operations": 1}, num_days=60)
    observations, _ = env.reset(seed=0)
    env.action_space.seed(0)
    harvested = 0
    for _ in range(60):
        action = env.action_space.sample(mask=sampling_mask(observations["action_mask"], 1))
        to_itself = action[0, 0] == NURSERY and action[0, 1] == HARVEST
        observations, _, _, _, info = env.step(action)
        assert info["costs"]["refused"] == to_itself
        harvested += info["amounts"]["harvested"]
    assert harvested > 0


def test_a_heavier_head_earns_more_up_to_350_g_and_a_light_one_nothing():
    env = by_hand(money={"price_sd": 0.0})
    bench = env.vector.bench
    for fresh_g, eur in ((149, 0), (200, 0.5), (250, 1), (300, 1.1), (350, 1.2), (900, 1.2)):
        bench.plants[:, 0, 7] = (0.0, fresh_g * 0.05 / 0.93, 20, 0, 1, 1)
        _, _, _, _, info = env.step(day((7, HARVEST)))
        assert info["reward_terms"]["sales"] == pytest.approx(eur), fresh_g
        assert info["costs"]["below_spec"] == (eur == 0)


def test_lasting_shade_costs_quality_and_a_day_of_light_stops_it():
    env = by_hand(quality={"light_share": 0.5, "num_days": 2, "loss_per_day": 0.25})
    bench = env.vector.bench
    bench.plants[:, 0, [0, 1, 2, 20, 21, 22, 40, 41, 42]] = np.array([[4.0], [8.0], [20], [0], [1], [1]])
    shades, qualities = [], []
    for _ in range(4):
        env.step(day())
        shades.append(bench.plants[SHADE, 0, 21])
        qualities.append(bench.plants[QUALITY, 0, 21])
    assert shades == [1, 2, 3, 4] and qualities == [1, 1, 0.75, 0.5]
    env.step(day((21, 115)))
    assert bench.plants[SHADE, 0, 115] == 0 and bench.plants[QUALITY, 0, 115] == 0.5
    sold = env.step(day((115, HARVEST)))[4]["amounts"]
    assert sold["full_heads"] == pytest.approx(0.5 * sold["fresh_g"] / 250)


def test_a_damaged_plant_loses_leaves_and_grows_less():
    weights = []
    for probability in (0.0, 1.0):
        env = by_hand(robot={"damage_probability": probability})
        _, _, _, _, info = env.step(day((NURSERY, 0)))
        assert info["costs"]["damaged"] == probability
        for _ in range(10):
            env.step(day())
        weights.append(env.vector.bench.plants[STRUCTURE, 0, 0])
    assert weights[1] == pytest.approx(0.7 * weights[0], rel=0.05)


def test_a_plant_whose_growth_is_harmed_recovers_day_by_day_and_takes_its_harm_along():
    env = by_hand(robot={"damage_probability": 1.0, "damage_fraction": 0.0}, stress={"of_damage": 0.3})
    env.step(day((NURSERY, 0)))
    bench = env.vector.bench
    assert bench.plants[VIGOUR, 0, 0] == pytest.approx(0.8), "0.7 when it was set down, 0.1 come back in a day"
    env.step(day((0, 50)))
    assert bench.plants[VIGOUR, 0, [0, 50]] == pytest.approx([0, 0.8 * 0.7 + 0.1]), "harmed again"
    for _ in range(10):
        env.step(day())
    assert bench.plants[VIGOUR, 0, 50] == 1


def test_harm_leaves_less_plant_and_the_more_the_less():
    weights_g = []
    for of_damage in (0.0, 0.5, 1.0):
        env = by_hand(robot={"damage_probability": 1.0, "damage_fraction": 0.0}, stress={"of_damage": of_damage})
        env.step(day((NURSERY, 0)))
        for _ in range(19):
            env.step(day())
        weights_g.append(env.vector.bench.plants[:2, 0, 0].sum())
    assert 0.5 * weights_g[0] < weights_g[2] < 0.9 * weights_g[1] and weights_g[1] < 0.95 * weights_g[0]


def test_plants_owed_are_planted_beside_those_that_are_due():
    planted = []
    for owed in (0.0, 3.0):
        env = GreenhouseSpacingVector(1, robot=SURE_ROBOT)
        env.reset(seed=0)
        env.schedule.owe(np.array([owed]))
        days = [env.step(densities(30)[None])[4]["amounts"]["planted"][0] for _ in range(4)]
        planted.append(sum(days))
    assert planted[1] == planted[0] + 3


def test_pale_leaves_show_harm_in_pictures():
    env = by_hand(observation="overhead")
    bench = env.vector.bench
    bench.plants[:, 0, 45] = (2.0, 6.0, 20, 0, 1, 1)
    view = OverheadView(bench.lattice, 5)
    healthy = view.draw(bench)[0].astype(int)
    bench.plants[VIGOUR, 0, 45] = 0.2
    harmed = view.draw(bench)[0].astype(int)
    leaves = healthy[..., 1] > healthy[..., 0] + 20
    assert (harmed[leaves][:, 0] > healthy[leaves][:, 0]).all() and (harmed[~leaves] == healthy[~leaves]).all()


def test_a_schedule_keeps_densities_and_moves_plants_once_a_class():
    env = GreenhouseSpacingVector(4, robot=SURE_ROBOT)
    env.reset(seed=0)
    moves = heads = 0
    for today in range(120):
        _, _, _, _, infos = env.step(np.tile(densities(60, 60, 60, 30, 30, 30), (4, 1)))
        if today >= 60:
            moves, heads = moves + infos["costs"]["moves"].sum(), heads + infos["amounts"]["harvested"].sum()
            age = env.bench.plants[AGE]
            asked_m2 = np.where(env.bench.present, np.where(age < 12, 1 / 60, 1 / 30), 0).sum(axis=1)
            assert (asked_m2 < 1.15 * env.bench.lattice.area_m2).all()
        assert infos["costs"]["refused"].sum() == 0
    assert heads > 4 * 100 and 0.2 < moves / heads <= 1


def test_a_schedule_by_weight_gives_room_between_its_weights_in_equal_ratios_and_moves_on_any_day():
    env = GreenhouseSpacingVector(2, action="weight_schedule", robot=SURE_ROBOT)
    env.reset(seed=0)
    schedule, plants = env.schedule, env.bench.plants
    assert schedule.weights_g[[0, -1]] == pytest.approx([2.4, 250])
    rooms_m2 = room_m2(densities(100, 80, 60, 40, 20, 10), 4.0)[None].repeat(2, axis=0)
    asked_g = [1.0, *schedule.weights_g, 400.0, np.sqrt(schedule.weights_g[2] * schedule.weights_g[3])]
    plants[STRUCTURE, 1, : len(asked_g)] = [g * 0.05 / 0.93 for g in asked_g]
    found = schedule._of_weight(rooms_m2)[1, : len(asked_g)]
    assert 1 / found == pytest.approx([100, 100, 80, 60, 40, 20, 10, 10, np.sqrt(60 * 40)])
    moves = {}
    for action in ("schedule", "weight_schedule"):
        env = GreenhouseSpacingVector(1, action=action, robot=SURE_ROBOT)
        env.reset(seed=0)
        of_days = [env.step(densities(100, 100, 100, 90, 30, 10)[None])[4] for _ in range(60)]
        assert not any(infos["costs"]["refused"].any() for infos in of_days)
        moves[action] = sum(infos["costs"]["moves"].sum() for infos in of_days)
    assert moves["weight_schedule"] > 2 * moves["schedule"] > 0


def test_seedlings_heavier_than_heads_leave_no_schedule_by_weight():
    with pytest.raises(ConfigError, match=r"harvest_g is 2; weight_schedule .* a seedling's, 2\.4 g"):
        GreenhouseSpacing(action="weight_schedule", harvest_g=2)


def test_densities_and_actions_are_each_others_inverse():
    for least_per_m2 in (4.0, 16.0):
        assert room_m2(np.array([0.0, 1.0]), least_per_m2) == pytest.approx([0.01, 1 / least_per_m2])
        rooms_m2 = room_m2(np.array([0.0, 0.3, 1.0]), least_per_m2)
        assert action_for(1 / rooms_m2, least_per_m2) == pytest.approx([0, 0.3, 1], abs=1e-12)


def test_a_schedule_asks_for_the_least_density_that_is_set_and_baselines_for_what_they_always_do():
    env = GreenhouseSpacingVector(1, least_density_per_m2=20.0, num_days=60)
    env.reset(seed=0)
    assert 1 / room_m2(env.expert_actions()[0], 20.0) == pytest.approx(shipped()["three_stages"].per_m2, rel=1e-5)
    few, many = (GreenhouseSpacingVector(1, least_density_per_m2=least, robot=SURE_ROBOT) for least in (4.0, 20.0))
    for one in (few, many):
        one.reset(seed=0)
        for _ in range(20):
            one.step(np.ones((1, 6), np.float32))
    assert many.bench.present.sum() > 2 * few.bench.present.sum() > 0
    with pytest.raises(ConfigError, match="least_density_per_m2 is 3"):
        GreenhouseSpacing(least_density_per_m2=3)


def test_the_classes_are_sums_of_the_table():
    envs = {kind: GreenhouseSpacingVector(2, observation=kind) for kind in ("table", "classes", "overhead")}
    for env in envs.values():
        env.reset(seed=1)
    for _ in range(25):
        shown = {kind: env.step(np.tile(densities(50), (2, 1)))[0] for kind, env in envs.items()}
    policy = {kind: groups["policy"] for kind, groups in shown.items()}
    table, classes = policy["table"][:, :800].reshape(2, 200, 4), policy["classes"][:, :18].reshape(2, 6, 3)
    for number in range(6):
        ages = (4 * number, 4 * number + 4 if number < 5 else np.inf)
        inside = (table[..., 0] > 0) & (table[..., 1] >= ages[0]) & (table[..., 1] < ages[1])
        assert (classes[:, number, 0] == inside.sum(axis=1)).all()
        mean_g = (table[..., 0] * inside).sum(axis=1) / np.maximum(inside.sum(axis=1), 1)
        assert classes[:, number, 1] == pytest.approx(mean_g, rel=1e-5)
    assert (policy["table"][:, 800:] == policy["classes"][:, 18:]).all()
    assert (shown["overhead"]["privileged"] == policy["classes"][:, :18]).all(), "for a critic beside pictures"


def test_the_picture_shows_leaves_where_plants_stand_and_nothing_of_reserves():
    env = by_hand(observation="overhead")
    bench = env.vector.bench
    bench.plants[:, 0, 45] = (2.0, 6.0, 20, 0, 1, 1)
    view = OverheadView(bench.lattice, 5)
    picture = view.draw(bench)[0].astype(int)
    green = picture[..., 1] > picture[..., 0] + 20
    radius_m = np.sqrt(bench.leaf_area_m2()[0, 45] / 3 / np.pi)
    assert green.sum() * 0.02**2 == pytest.approx(np.pi * radius_m**2, rel=0.03)
    row, column = np.argwhere(green).mean(axis=0)
    assert (row, column) == pytest.approx((5 * 2 + 2, 5 * 5 + 2), abs=0.2)
    bench.plants[0, 0, 45] = 0.5
    assert (view.draw(bench)[0] == picture).all()


def test_frames_are_large_pictures_of_the_bench():
    env = GreenhouseSpacing(render_mode="rgb_array", num_days=20)
    env.reset(seed=0)
    empty = env.render()
    for _ in range(15):
        env.step(densities(60))
    assert empty.shape == (410, 820, 3) and empty.dtype == np.uint8
    assert (env.render() != empty).any(axis=2).mean() > 0.1


def test_a_schedule_that_holds_for_days_is_the_same_one_day_by_day():
    long, short = (GreenhouseSpacingVector(2, num_days=48, days_per_action=n, observation="classes") for n in (4, 1))
    long.reset(seed=1)
    short.reset(seed=1)
    for action in np.random.default_rng(0).random((12, 2, 6), dtype=np.float32) / 3:
        seen, reward, _, over, infos = long.step(action)
        days = [short.step(action) for _ in range(4)]
        assert (seen["policy"] == days[-1][0]["policy"]).all()
        assert reward == pytest.approx(sum(day[1] for day in days)) and over.tolist() == days[-1][3].tolist()
        for kind in ("reward_terms", "costs", "amounts"):
            for name, total in infos[kind].items():
                assert total == pytest.approx(sum(day[4][kind][name] for day in days))
    for name, values in infos["measures"].items():
        assert values == pytest.approx(days[-1][4]["measures"][name])


def test_wrong_actions_are_named():
    env = GreenhouseSpacing(num_days=2)
    with pytest.raises(EnvError, match=r"step\(\) was called with no episode under way; call reset\(\)"):
        env.step(densities(50))
    env.reset(seed=0)
    with pytest.raises(EnvError, match="the action for class 3 is nan; it must be a number from 0 to 1"):
        env.step(np.array([0, 0, 0, np.nan, 0, 0], np.float32))
    with pytest.raises(EnvError, match=r"the action has shape \[5\]; it must be an array of shape \[6\]"):
        env.step(np.zeros(5, np.float32))
    hands = by_hand()
    with pytest.raises(EnvError, match="of operation 0, part 0, is 202; it must be a whole number from 0 to 201"):
        hands.step(day((202, 0)))
    with pytest.raises(EnvError, match=r"of operation 0, part 0, is 201\.0; it must be a whole number"):
        hands.step(day().astype(float))
    vector = GreenhouseSpacingVector(2)
    vector.reset(seed=0)
    with pytest.raises(EnvError, match=r"for class 0 of bench 1 is -0\.5"):
        vector.step(np.array([[0.0] * 6, [-0.5] + [0.0] * 5], np.float32))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"harvest": 3}, r"GreenhouseSpacing: unknown key harvest; did you mean harvest_g\?"),
        ({"robot": {"damage_probability": 2}}, r"robot.damage_probability is 2; it must be <= 1"),
        ({"money": {"weights_g": (200.0, 100.0, 300.0)}}, "weights_g must ascend and be as many as head_eur"),
        ({"observation": "pixels"}, "observation is the text 'pixels'; it must be"),
        ({"crop": "letuce"}, r"did you mean lettuce\?"),
    ],
)
def test_wrong_settings_are_named(given, message):
    with pytest.raises(ConfigError, match=message):
        GreenhouseSpacing(**given)
