import sys

import pytest

from rlplat.config import load_config
from rlplat.errors import ConfigError, RegistryError
from rlplat.training.check import check
from rlplat.training.forecast import Forecast
from rlplat.training.session import train


def make_forecast(**changes):
    values = {
        "collect_s": 0.01,
        "update_s": 0.1,
        "free_amount": 1000.0,
        "updates_per_amount": 1 / 50,
        "num_collectors": 2,
        "num_cores": 2,
        "learner_threads": 1,
        "synchronous": True,
    }
    return Forecast(**{**values, **changes})


def values_of(results):
    return {result.name: result.value for result in results}


def test_every_part_is_tried_and_predicted(tiny_config):
    found = values_of(check(load_config(tiny_config), seconds=0.2))
    assert found["check.move"] in "123456789"
    assert 0 < found["check.loss"] < 10
    assert 0 <= found["check.evaluation.random.score"] <= 1
    assert found["check.rate.simulations"] > found["check.rate.positions"] > 0
    assert found["check.rate.updates"] > 0
    assert found["check.memory.learner_full"] >= found["check.memory.learner_now"] > 10
    assert found["check.disk.checkpoint_full"] > found["check.disk.checkpoint_now"] > 0
    assert found["check.disk.run_full"] == pytest.approx(4 * found["check.disk.checkpoint_full"], rel=1e-3)


def test_the_ratio_of_updates_to_positions_is_that_of_the_configuration(tiny_config):
    found = values_of(check(load_config(tiny_config), seconds=0.1))
    assert found["check.rate.updates_per_position"] == pytest.approx(2 / 16, rel=0.03)
    # 120 updates of 16 samples at 2 samples a position, after the first 100 positions.
    assert found["check.end.positions"] == pytest.approx(100 + 120 * 8, rel=0.05)
    assert (found["check.end.by"], found["check.end.updates"]) == ("training.max_updates", 120)


def test_the_budget_that_is_spent_first_is_named(tiny_config):
    config = load_config(tiny_config, ["training.max_minutes=0.0001", "training.max_amount=10000000"])
    found = values_of(check(config, seconds=0.1))
    assert found["check.end.by"] == "training.max_minutes"
    assert found["check.end.minutes"] == 0.0001
    assert found["check.minutes.max_amount"] > found["check.minutes.max_updates"] > 0.0001


def test_the_disk_of_a_full_replay_grows_with_its_bound(tiny_config):
    small, large = (
        values_of(check(load_config(tiny_config, [f"agent.replay.max_positions={bound}"]), seconds=0.1))
        for bound in (10_000, 1_000_000)
    )
    grown = large["check.disk.checkpoint_full"] - small["check.disk.checkpoint_full"]
    assert 10 < grown < 40  # tic-tac-toe stores about 20 bytes a position
    assert large["check.memory.learner_full"] > small["check.memory.learner_full"] + 10


def test_an_opponent_that_is_not_there_is_told_at_once(tiny_config):
    with pytest.raises(RegistryError, match=r"^evaluation.against: .*'mtcs'; did you mean mcts"):
        check(load_config(tiny_config, ["evaluation.against=[mtcs:100]"]))


def test_a_ray_that_is_not_installed_is_told_before_anything_is_done(tiny_config, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    on_ray = load_config(tiny_config, ["placement.mode=ray"])
    told = "Ray is not installed: .*pip install 'ray.default.'.*--inline"
    with pytest.raises(ConfigError, match=told):
        check(on_ray)
    with pytest.raises(ConfigError, match=told):
        train(on_ray, run_dir=tmp_path / "run")
    assert not (tmp_path / "run").exists()
    assert check(load_config(tiny_config), seconds=0.01)


def test_inline_collectors_and_learner_take_turns():
    forecast = make_forecast()
    # 1000 positions at 5 ms, then 5 ms + 2 ms each.
    assert forecast.minutes_for(1000) == pytest.approx(5 / 60)
    assert forecast.minutes_for(2000) == pytest.approx((5 + 7) / 60)
    assert forecast.amount_after(12 / 60) == pytest.approx(2000)
    assert forecast.amount_after(2.5 / 60) == pytest.approx(500)
    assert forecast.updates_at(2000) == pytest.approx(20)
    assert forecast.updates_at(500) == 0
    assert forecast.amount_for(20) == pytest.approx(2000)


@pytest.mark.parametrize(
    ("changes", "later_s"),
    [
        ({}, 0.006),  # two cores share 10 ms of search and 2 ms of learning
        ({"num_cores": 8}, 0.005),  # two collectors on cores of their own
        ({"num_cores": 8, "update_s": 1.0}, 0.02),  # the learner cannot keep up
        ({"num_collectors": 1}, 0.01),  # one collector alone
    ],
)
def test_side_by_side_the_scarcest_part_sets_the_pace(changes, later_s):
    forecast = make_forecast(synchronous=False, free_amount=0.0, **changes)
    assert forecast.minutes_for(6000) == pytest.approx(6000 * later_s / 60)
