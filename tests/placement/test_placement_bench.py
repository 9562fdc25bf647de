import pytest

from rlplat.config import load_config
from rlplat.placement.bench import placement


@pytest.mark.drills
def test_collectors_on_ray_are_compared_with_bare_processes(tiny_config):
    config = load_config(tiny_config, overrides=["placement.mode=ray"])
    results = {result.name: result for result in placement(config, seconds=2, warm_up_s=1, rounds=1)}
    games = results["placement.tictactoe.games"]
    assert games.value > 0
    assert results["placement.tictactoe.inline_ratio"].value == pytest.approx(games.value / games.fields["bare"])
    assert 0 < results["placement.tictactoe.driver"].value < 1


@pytest.mark.drills
def test_collectors_of_a_task_are_counted_by_steps(tmp_path):
    path = tmp_path / "task.yaml"
    path.write_text(
        """
env: {id: "envs.robots:rlplat/CartpoleBalance-v0", parameters: {pixels: 16, action_repeat: 8}}
agent: {id: ppo, num_envs: 8, num_steps: 16}
training: {max_updates: 1}
placement: {mode: ray, num_actors: 2, object_store_mib: 100}
"""
    )
    results = {result.name: result for result in placement(load_config(path), seconds=2, warm_up_s=1, rounds=1)}
    steps = results["placement.CartpoleBalance.steps"]
    assert steps.value > 100 and steps.unit == "steps/s"
    assert results["placement.CartpoleBalance.inline_ratio"].value == pytest.approx(steps.value / steps.fields["bare"])
