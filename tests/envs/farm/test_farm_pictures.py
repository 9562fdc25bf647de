"""What the farms show to people: pictures, films and curves."""

import numpy as np
import pytest

from envs.farm.climate.greenhouse_view import Moment, draw_greenhouse
from envs.farm.climate.lettuce_climate import LettuceClimate, LettuceClimateVector
from envs.farm.spacing.greenhouse_spacing import GreenhouseSpacing, GreenhouseSpacingVector
from rlplat.environments.resolve import resolve
from rlplat.evaluation.episodes import play_episodes
from rlplat.evaluation.opponents import parse_opponent
from rlplat.evaluation.videos import film, write_videos


def picture(**changes):
    values = {"inside": [250.0, 900.0, 18.0, 80.0], "outside": [400.0, 420.0, 8.0, 75.0], "controls": [0.5, 0.0, 0.0]}
    return draw_greenhouse(Moment(**{name: np.array(value) for name, value in (values | changes).items()})).astype(int)


def green(drawn):
    """Where leaves are."""
    return (drawn[..., 1] - np.maximum(drawn[..., 0], drawn[..., 2])) > 40


def test_a_heavier_crop_is_larger():
    small, large = (green(picture(inside=[weight, 900.0, 18.0, 80.0])).sum() for weight in (20.0, 400.0))
    assert 0 < 4 * small < large


def test_the_sky_is_dark_at_night_and_pipes_are_red_where_it_is_heated():
    night, day = picture(outside=[0.0, 420.0, 8.0, 75.0]), picture()
    assert night[5, 250].sum() < 150 < day[5, 250].sum()
    pipes = [picture(controls=[0.0, 0.0, heat])[212, 300] for heat in (0.0, 1.0)]
    assert pipes[1][0] - pipes[1][2] > 150 > pipes[0][0] - pipes[0][2]


def test_open_vents_lift_the_roof():
    shut, wide = (picture(controls=[0.0, vents, 0.0]) for vents in (0.0, 1.0))
    ridge = 210
    assert (shut[20:40, ridge] == shut[20, ridge]).all() and not (wide[15:40, ridge] == wide[15, ridge]).all()


@pytest.mark.parametrize("env", [LettuceClimate, GreenhouseSpacing])
def test_a_single_one_draws_itself_only_if_it_is_asked_to(env):
    drawn, silent = env(render_mode="rgb_array", num_days=2), env(num_days=2)
    for each in (drawn, silent):
        each.reset(seed=0)
    frame = drawn.render()
    assert frame.dtype == np.uint8 and frame.ndim == 3 and frame.shape[2] == 3
    assert silent.render() is None


@pytest.mark.parametrize("vector", [LettuceClimateVector, GreenhouseSpacingVector])
def test_curves_are_numbers_of_each_environment(vector):
    env = vector(3, num_days=2)
    env.reset(seed=0)
    env.step(env.expert_actions())
    curves = env.curves()
    assert all(np.shape(line) == (3,) for lines in curves.values() for line in lines.values())
    money = next(lines for title, lines in curves.items() if title.startswith("money"))
    parts = [line for name, line in money.items() if name != "profit"]
    assert money["profit"] == pytest.approx(np.sum(parts, axis=0))


def test_light_and_weight_are_shown_of_the_ages_that_there_are():
    env = GreenhouseSpacingVector(2, num_days=10)
    env.reset(seed=0)
    for _ in range(6):
        env.step(env.expert_actions())
    plants, weights, light, _ = env.curves().values()
    assert np.isfinite(weights["0 to 3 d"]).all() and np.isnan(weights["8 to 11 d"]).all()
    assert (weights["4 to 7 d"] > weights["0 to 3 d"]).all()
    assert sum(plants.values()).tolist() == env.bench.present.sum(axis=1).tolist()
    assert ((light["0 to 3 d"] > 0) & (light["0 to 3 d"] <= 1)).all()


@pytest.mark.parametrize(
    ("name", "settings", "num_panels"),
    [
        ("LettuceClimate", {"num_days": 1, "action": "setpoints", "steps_per_action": 8}, 8),
        ("GreenhouseSpacing", {"num_days": 5}, 4),
    ],
)
def test_an_evaluation_films_a_farm_and_draws_its_curves(tmp_path, name, settings, num_panels):
    task = resolve(f"envs.farm:rlplat/{name}-v0").load(**settings)
    policy = parse_opponent("expert").make_policy(task, 0)
    episodes = play_episodes(task, policy, num_episodes=2, seed=0)
    videos = film(task, policy, episodes, seed=0, num=1, split="training")
    assert [video.name for video in videos] == ["training-best-1", "training-worst-1"]
    assert all(video.curves.shape[0] == num_panels * 190 for video in videos)
    names = [path.name for path in write_videos(tmp_path / "videos", 3, videos)]
    assert names[:2] == ["00000003-training-best-1.mp4", "00000003-training-best-1.png"]
