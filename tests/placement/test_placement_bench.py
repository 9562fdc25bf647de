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
