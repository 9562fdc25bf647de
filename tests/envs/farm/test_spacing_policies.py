"""Policies of GreenhouseSpacing: they do what they say, and rank as they should; the search and its file."""

import numpy as np
import pytest
from PIL import Image

from envs.farm.scores import main
from envs.farm.spacing import pictures
from envs.farm.spacing.greenhouse_spacing import GreenhouseSpacingVector
from envs.farm.spacing.policies import (
    SHIPPED,
    Densities,
    HoldLeafArea,
    Nothing,
    RandomOperations,
    RandomSchedule,
    play,
    shipped,
)  # fmt: skip
from envs.farm.spacing.scores import row_of_equal_moves
from envs.farm.spacing.search import FINAL_SEEDS, EqualMoves, as_yaml, by_power_of_weight, search, staged
from rlplat.errors import ConfigError
from rlplat.yaml_files import read_yaml


def test_nothing_pays_rent_and_light_and_sells_nothing():
    season = play(Nothing(), [0, 1], num_days=45)
    assert season.profit_eur_per_m2_day == pytest.approx(-0.3 - 0.15 * 200 * 16 * 3600 / 3 / 3.6e6)
    assert np.isinf(season.area_days_per_head).all() and (season.heads_per_m2_year == 0).all()


def test_schedules_beat_chance_and_the_rule_beats_one_density():
    policies = shipped()
    profit = {name: play(policies[name], range(5, 9)).profit_eur_per_m2_day for name in policies}
    assert (profit["random_operations"] < profit["nothing"]).all(), "moving at random costs money"
    assert (profit["random_schedule"] < profit["fixed"]).all()
    for better in ("two_stages", "three_stages", "by_weight", "hold_lai"):
        assert profit[better].mean() > profit["fixed"].mean(), better


def test_a_seasons_figures_agree_with_each_other():
    season = play(Densities(np.full(6, 30.0)), [3])
    sold_g = 1000 * season.kg_per_m2_year / season.heads_per_m2_year
    assert 250 <= sold_g < 300, "harvested from 250 g on"
    assert season.g_per_mol == pytest.approx(1000 * season.kg_per_m2_year / (365 * 200e-6 * 16 * 3600))
    assert season.kwh_per_kg * season.g_per_mol == pytest.approx(1e6 / 3 / 3.6e6 * 1000)
    assert season.area_days_per_head >= 365 / season.heads_per_m2_year * 250 / sold_g * 0.999
    assert season.moves_per_head == 0


def test_a_season_from_the_first_day_has_the_heads_of_the_filling_days_and_of_those_after_them():
    sure = {"robot": {"damage_probability": 0}, "seedlings": {"weight_sd": 0}}
    policy = shipped()["two_stages"]
    whole, filling, rest = (
        2 * (days - first) / play(policy, [3], num_days=days, filling_days=first, **sure).area_days_per_head
        for days, first in ((60, 0), (40, 0), (60, 40))
    )
    assert filling > 10 and rest > 10 and whole == pytest.approx(filling + rest)


def test_a_season_needs_steady_days():
    with pytest.raises(ConfigError, match="GreenhouseSpacing: num_days is 40; it must be above filling_days, 40"):
        play(Nothing(), [0], num_days=40)
    with pytest.raises(SystemExit, match="num_days is 40; it must be above filling_days, 40"):
        main(["spacing", "--policies", "nothing", "--days", "40"])


@pytest.mark.parametrize("policy", [RandomOperations(3), HoldLeafArea(4.0, 2.5), HoldLeafArea(9.0, 20.0)])
def test_operations_are_in_the_action_space_and_possible(policy):
    env = GreenhouseSpacingVector(2, action="operations", observation="classes")
    observations, _ = env.reset(seed=0)
    refused = 0
    for _ in range(30):
        actions = policy.act(env, observations)
        assert env.action_space.contains(actions)
        observations, _, _, _, infos = env.step(actions)
        refused += infos["costs"]["refused"].sum()
    assert refused == 0 or isinstance(policy, RandomOperations)


def test_holding_leaf_area_holds_it():
    env = GreenhouseSpacingVector(2, action="operations", observation="classes")
    observations, _ = env.reset(seed=0)
    policy, index = HoldLeafArea(4.0, 2.5), []
    for _ in range(80):
        observations, *_ = env.step(policy.act(env, observations))
        index.append(env.bench.leaf_area_m2().sum(axis=1) / env.bench.lattice.area_m2)
    assert 3.0 < np.mean(index[40:]) < 5.5


def test_the_expert_can_be_asked_for_the_first_time_on_any_day():
    env = GreenhouseSpacingVector(3, action="operations", observation="classes")
    observations, _ = env.reset(seed=0)
    env.step(RandomOperations(0).act(env, observations))
    assert env.action_space.contains(env.expert_actions())


def test_random_schedules_fill_their_box():
    env = GreenhouseSpacingVector(50)
    actions = np.concatenate([RandomSchedule(seed).act(env, {}) for seed in range(10)])
    assert env.single_action_space.contains(actions[0]) and actions.min() < 0.01 and actions.max() > 0.99


def test_stages_fall_and_every_boundary_is_tried():
    assert staged(1, (40.0, 20.0)).tolist() == [[40.0] * 6, [20.0] * 6]
    assert staged(2, (40.0, 20.0)).tolist() == [[40.0] * n + [20.0] * (6 - n) for n in range(1, 6)]
    assert len(staged(3, (60.0, 40.0, 20.0))) == 10 and len(staged(3)) == 200
    assert (np.diff(staged(3), axis=1) <= 0).all()


def test_the_search_finds_the_best_of_its_grid():
    rows = np.array([[100.0] * 6, [30.0] * 6, [8.0] * 6])
    winner = search(rows, Densities, first_seeds=[0], final_seeds=[1, 2])
    assert (winner.row == 30).all() and winner.num_tried == 3
    assert winner.area_days == pytest.approx(play(Densities(rows[1]), [1, 2]).area_days_per_head.mean())


def test_the_best_three_stages_at_equal_moves_are_the_best_of_those_that_make_no_more():
    small = {"num_rows": 4, "num_columns": 5, "num_days": 60}
    rows, seeds = staged(3), [7, 8]
    first = play(Densities(rows.repeat(4, axis=0)), [*range(4)] * len(rows), **small)
    area_days, moves = (of.reshape(-1, 4).mean(axis=1) for of in (first.area_days_per_head, first.moves_per_head))
    every = EqualMoves(**small)
    for most in (0.3, 9.0):
        row, season = every.best(most, seeds)
        assert season.moves_per_head.mean() <= most
        assert (vars(play(Densities(row), seeds, **small))["area_days_per_head"] == season.area_days_per_head).all()
        rivals = [play(Densities(rows[one]), seeds, **small) for one in np.argsort(area_days + (moves > most))[:10]]
        able = [of.area_days_per_head.mean() for of in rivals if of.moves_per_head.mean() <= most]
        assert len(able) > 1 and season.area_days_per_head.mean() <= min(able)
        name = "three stages of " + ", ".join(f"{per_m2:g}" for per_m2 in row)
        assert row_of_equal_moves((row, season)).startswith(f"| {name} | {season.area_days_per_head.mean():.3f} [")
    assert every.best(-1.0, seeds) is None
    assert row_of_equal_moves(None).count("|") == row_of_equal_moves((row, season)).count("|")
    with pytest.raises(SystemExit, match="no run is named; add --runs RUN"):
        main(["spacing", "--equal-moves"])


def test_the_file_of_winners_is_what_the_search_writes_and_its_scores_are_met():
    found = read_yaml(SHIPPED)
    assert [found[name]["num_tried"] for name in found] == [6, 75, 200, 30, 25]
    for name in ("fixed", "by_weight"):
        season = play(shipped()[name], FINAL_SEEDS)
        assert season.area_days_per_head.mean() == pytest.approx(found[name]["area_days"], abs=2e-3), name
    assert found["by_weight"]["per_m2"] in by_power_of_weight().tolist()
    assert as_yaml({}).splitlines() == SHIPPED.read_text("utf-8").splitlines()[:2]


def test_scores_come_as_a_table_that_says_who_knew_more(capsys):
    main(["spacing", "--policies", "nothing", "hold_lai", "--seeds", "2"])
    title, columns, _, nothing, rule = capsys.readouterr().out.splitlines()
    assert title == "2 seeds, days 40 to 120, 0.01 EUR an operation, 95 % intervals"
    assert columns.startswith("| policy | area-days per head")
    assert nothing.startswith("| nothing | inf | -0.") and rule.startswith("| hold_lai (privileged) | ")
    assert len({line.count("|") for line in (columns, nothing, rule)}) == 1
    main(["spacing", "--policies", "nothing", "--seeds", "2", "--days", "5", "--from-day", "2"])
    assert capsys.readouterr().out.startswith("2 seeds, days 2 to 5, ")


def test_scores_are_at_the_price_of_operations_that_is_asked_for(capsys):
    profit_eur = {}
    for price in ("0", "1"):
        main(["spacing", "--policies", "two_stages", "--seeds", "1", "--operation-eur", price])
        title, *_, row = capsys.readouterr().out.splitlines()
        assert f", {price} EUR an operation," in title
        profit_eur[price], moves, heads_per_year = (float(row.split("|")[at].split()[0]) for at in (3, 4, 5))
    operations_per_day = (moves + 2) * heads_per_year / 365  # each head is planted and harvested
    assert profit_eur["0"] - profit_eur["1"] == pytest.approx(operations_per_day, rel=0.1)
    with pytest.raises(SystemExit, match="operation_eur"):
        main(["spacing", "--policies", "two_stages", "--seeds", "1", "--operation-eur", "-1"])


def test_pictures_of_a_policys_days_are_written(tmp_path):
    pictures.main(["fixed", "--out", str(tmp_path / "bench"), "--days", "12", "--pixels", "9"])
    files = sorted(file.name for file in (tmp_path / "bench").iterdir())
    assert files == [f"day-{number:03}.png" for number in range(1, 13)] + ["days.gif"]
    first, last = (np.asarray(Image.open(tmp_path / "bench" / name)).astype(int) for name in (files[0], files[11]))
    assert first.shape == (90, 180, 3)
    green = [((picture[..., 1] - picture[..., 0]) > 20).mean() for picture in (first, last)]
    assert 0 < green[0] < green[1]
    with pytest.raises(SystemExit):
        pictures.main(["fixed", "--out", str(tmp_path), "--pixels", "8"])
