"""Arms of FarmDay: farms are compared on the same seeds, and the tables say who wins only where that is shown."""

from dataclasses import fields

import numpy as np
import pytest

from envs.farm.day.accounts import FarmSeason
from envs.farm.day.scores import SHIPPED, contests, gaps, read_arms
from envs.farm.day.season import play
from envs.farm.day.transplant_table import Recording, save_outcomes
from envs.farm.scores import main
from rlplat.errors import ConfigError, RegistryError


def season(profit):
    return FarmSeason(**{field.name: np.asarray(profit, float) for field in fields(FarmSeason)})


def test_a_season_counts_the_days_after_the_fortieth_and_repeats():
    one, again = (play("three_stages", [5, 6], num_days=50) for _ in range(2))
    assert (one.profit_eur_per_m2_day == again.profit_eur_per_m2_day).all() and one.profit_eur_per_m2_day[
        0
    ] != one.profit_eur_per_m2_day[1]
    assert (one.planted > 0.4).all() and (one.lost > 0.1).all() and (one.robot_s > 1).all()
    assert play("three_stages", [6], num_days=50).profit_eur_per_m2_day == pytest.approx(
        one.profit_eur_per_m2_day[1], rel=1e-12
    )
    with pytest.raises(ConfigError, match="FarmDay: num_days is 40; it must be above filling_days, 40"):
        play("three_stages", [5], num_days=40)


def test_baselines_of_the_engine_choose_days_too_and_worse_ones_earn_less():
    settings = {"observation": "classes", "num_days": 70}
    by_chance = play("random", [1, 2, 3], **settings)
    by_rule = play("three_stages", [1, 2, 3], **settings)
    assert (by_chance.profit_eur_per_m2_day < by_rule.profit_eur_per_m2_day).all()
    with pytest.raises(RegistryError, match="thre_stages"):
        play("thre_stages", [1])


def test_the_gap_is_the_difference_on_the_same_farms():
    seasons = {("a", "model"): season([1.0, 2.0, 3.0]), ("a", "mujoco"): season([0.9, 1.9, 2.9])}
    assert list(gaps(seasons))[2:] == ["| a | 0.100 [0.100, 0.100] |"]
    assert list(gaps({("a", "model"): season([1.0, 2.0])}))[2:] == []


def test_a_win_is_a_difference_whose_interval_lacks_zero():
    farms = np.array([1.0, 5.0, 9.0, 13.0])
    seasons = {
        ("a", "model"): season(farms),
        ("b", "model"): season(farms + np.array([0.10, 0.12, 0.09, 0.11])),
        ("c", "model"): season(farms + np.array([0.3, -0.2, 0.1, -0.25])),
        ("a", "mujoco"): season(farms),
    }
    winners = [line.split("|")[4].strip() for line in list(contests(seasons))[2:]]
    assert winners == ["b", "neither", "neither"], "farms differ far more than arms, but all arms have the same"


def test_arms_are_run_by_model_and_robot_and_recordings_are_kept(tmp_path, capsys):
    (tmp_path / "arms.yaml").write_text("one: {skill: script, transplant: {level: 2, pixels: null}}\n")
    words = ["farm_day", "--arms", str(tmp_path / "arms.yaml"), "--seeds", "2", "--days", "48", "--trays", "2"]
    words += ["--settings", "{num_rows: 4, num_columns: 5}", "--outcomes", str(tmp_path / "seen")]
    main(words)
    title, columns, _, model, mujoco, _, gap, _, row = capsys.readouterr().out.splitlines()
    assert title == "2 farms, days 41 to 48 by three_stages, 95 % intervals" and columns.startswith("| arm | executor")
    assert model.startswith("| one | model | ") and mujoco.startswith("| one | mujoco | ")
    assert model.split("|")[5] == mujoco.split("|")[5] == " 100.0 % " and gap.startswith("| arm | gap")
    assert row.startswith("| one | ")
    recorded = (tmp_path / "seen" / "one.csv").read_text()
    assert len(recorded.splitlines()) == 4
    main([*words, "--executors", "model"])
    assert capsys.readouterr().out.splitlines()[3] == model and recorded == (tmp_path / "seen" / "one.csv").read_text()


def test_outcomes_of_another_arm_are_not_taken_for_those_of_this_one(tmp_path):
    (tmp_path / "arms.yaml").write_text("one: {skill: script, transplant: {level: 2, pixels: null}}\n")
    words = ["farm_day", "--arms", str(tmp_path / "arms.yaml"), "--executors", "model", "--outcomes", str(tmp_path)]
    for skill, level in (("vision", 2), ("script", 4)):
        save_outcomes(tmp_path / "one.csv", Recording(skill, {"level": level, "pixels": None}, ()))
        with pytest.raises(SystemExit, match=rf"one.csv was recorded of skill {skill} with .*: remove the file, or"):
            main(words)


def test_the_shipped_arms_are_a_script_and_skills():
    arms = read_arms(SHIPPED)
    assert list(arms) == ["modular", "placement", "placement_longer", "growth"]
    assert arms["growth"].skill == "checkpoint:runs/seedling_growth@latest"


def test_what_is_wrong_with_arms_is_named(tmp_path):
    with pytest.raises(ConfigError, match="has no arm modula; it has modular, placement, placement_longer, growth"):
        read_arms(SHIPPED, ["modula"])
    (tmp_path / "arms.yaml").write_text("one: {skil: script}\n")
    with pytest.raises(ConfigError, match=r"arms.yaml: one: unknown key skil; did you mean skill\?"):
        read_arms(tmp_path / "arms.yaml")
    with pytest.raises(SystemExit, match="has no arm two"):
        main(["farm_day", "--only", "two"])
