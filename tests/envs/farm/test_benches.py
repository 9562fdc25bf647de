"""What GreenhouseSpacing and FarmDay share: Gymnasium's contract, and going on from a snapshot."""

import warnings

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

import envs.farm  # noqa: F401  (registers the environments)
from envs.farm.day.farm_day import FarmDayVector
from envs.farm.spacing.greenhouse_spacing import GreenhouseSpacingVector
from rlplat.environments.resolve import resolve
from rlplat.errors import EnvError


@pytest.mark.parametrize("name", ["GreenhouseSpacing", "FarmDay"])
@pytest.mark.parametrize("observation", ["table", "classes", "overhead"])
@pytest.mark.parametrize("action", ["schedule", "weight_schedule", "operations"])
def test_gymnasiums_checker_passes(name, observation, action):
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        warnings.filterwarnings("ignore", message=".*maximum value is infinity.*")
        options = {"observation": observation, "action": action, "num_days": 3, "render_mode": "rgb_array"}
        check_env(gym.make(f"rlplat/{name}-v0", **options).unwrapped)


@pytest.mark.parametrize("kind", [GreenhouseSpacingVector, FarmDayVector])
def test_a_vector_goes_on_from_a_snapshot_bit_by_bit_into_the_next_episode(kind):
    settings = {"observation": "overhead", "num_days": 44, "robot": {"damage_probability": 0.1}}
    one, two = (kind(2, **settings) for _ in range(2))
    one.reset(seed=3)
    two.reset(seed=8)
    actions = np.random.default_rng(0).random((60, 2, 6), dtype=np.float32)
    for action in actions[:41]:  # a day of those that count is over
        one.step(action)
    kept = one.snapshot()
    before = {name: array.copy() for name, array in kept.items()}
    two.restore(kept)
    for action in actions[41:]:  # the last of which are of the next episode
        (seen, rewards, _, over, infos), again = one.step(action), two.step(action)
        assert seen["policy"]["overhead"].tobytes() == again[0]["policy"]["overhead"].tobytes()
        assert rewards.tolist() == again[1].tolist() and over.tolist() == again[3].tolist()
        for name, values in infos.get("measures", {}).items():
            assert values.tolist() == again[4]["measures"][name].tolist()
        assert [panel.keys() for panel in one.curves().values()] == [panel.keys() for panel in two.curves().values()]
    assert one.day == two.day == 15
    assert all((kept[name] == before[name]).all() for name in before), "a snapshot stays as it was taken"
    with pytest.raises(EnvError, match=r"snapshot\(\) was called before reset\(\)"):
        kind(1).snapshot()


@pytest.mark.parametrize("name", ["GreenhouseSpacing", "FarmDay"])
def test_a_resumed_run_goes_on_within_its_episodes(name):
    assert resolve(f"envs.farm:rlplat/{name}-v0").load().make_vector(1).keeps_state
