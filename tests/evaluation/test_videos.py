"""Films of episodes: which ones, and what they show."""

from __future__ import annotations

import importlib.util

import imageio.v3 as imageio
import numpy as np
import pytest

from rlplat.environments.resolve import resolve
from rlplat.errors import EnvError, RunError
from rlplat.evaluation import videos
from rlplat.evaluation.episodes import Episodes, play_episodes
from rlplat.evaluation.evaluate_task import evaluate_task
from rlplat.evaluation.opponents import parse_opponent
from rlplat.evaluation.videos import HEIGHT, POINT, check_encoder, choose, compose, film, write_videos

CARTPOLE = "envs.robots:rlplat/CartpoleBalance-v0"


def episodes_of(returns, success) -> Episodes:
    return Episodes(np.array(returns, float), np.full(len(returns), 3), np.array(success, float))


def test_the_first_successes_and_failures_are_chosen_or_else_the_best_and_the_worst_returns():
    assert choose(episodes_of([1, 2, 3, 4], [0, 1, 0, 0]), 2) == {"success-1": 1, "failure-1": 0, "failure-2": 2}
    nan = float("nan")
    assert choose(episodes_of([5, 2, 9, 4], [nan] * 4), 1) == {"best-1": 2, "worst-1": 1}
    assert choose(episodes_of([5, 2, 9], [nan] * 3), 2) == {"best-1": 2, "worst-1": 1}, "no episode is both"
    assert choose(episodes_of([5], [1]), 0) == {}


def test_a_frame_shows_what_is_seen_with_its_points_beside_the_drawn_picture():
    seen = np.zeros((32, 32, 3), np.uint8)
    seen[8, 24] = 255
    at = np.array([[2 * 24 / 31 - 1, 2 * 8 / 31 - 1]])
    drawn = np.full((128, 64, 3), 7, np.uint8)
    plain = compose({"policy/camera": seen}, {}, drawn, "")
    assert plain.shape == (HEIGHT + 24, HEIGHT + HEIGHT // 2, 3)
    assert (plain[8 * 8 : 9 * 8, 24 * 8 : 25 * 8] == 255).all(), "a pixel becomes a square of 8"
    assert (plain[:HEIGHT, HEIGHT:] == 7).all()
    marked = compose({"policy/camera": seen}, {"policy/camera": at}, drawn, "")
    rows, columns = np.nonzero((marked == POINT).all(axis=2))
    assert (rows.mean(), columns.mean()) == pytest.approx((8 * 8 + 4, 24 * 8 + 4), abs=1), "in the middle of the pixel"


class Still:
    """Does nothing, and looks at the middle."""

    def act(self, states):
        self.shown = set(states)
        return np.zeros((len(states["policy/camera"]), 1), np.float32)

    def feature_points(self, observations):
        return {"policy/camera": np.zeros((len(observations["policy/camera"]), 1, 2))}


def test_a_film_is_the_episode_that_was_counted_and_can_be_read_again(tmp_path):
    task = resolve(CARTPOLE).load(pixels=16, action_repeat=50)
    policy = Still()
    episodes = play_episodes(task, policy, num_episodes=3, seed=5)
    (video,) = film(task, policy, episodes, seed=5, num=1, split="training")
    assert video.name == "training-failure-1"
    assert len(video.frames) == episodes.lengths[0] == 20
    assert video.frames_per_s == 2.0
    assert (video.frames == POINT).all(axis=3).any()
    assert policy.shown == {"policy/camera"}, "what is privileged is not for policies, on film neither"
    (path,) = write_videos(tmp_path / "videos", 7, [video])
    assert path.name == "00000007-training-failure-1.mp4"
    back = imageio.imread(path)
    assert back.shape == video.frames.shape
    assert np.abs(back[3].astype(float) - video.frames[3]).mean() < 6
    assert [file.name for file in path.parent.iterdir()] == [path.name], "nothing partial is left"


def test_long_episodes_are_shown_in_larger_steps(monkeypatch):
    task = resolve(CARTPOLE).load(pixels=16, action_repeat=50)
    episodes = play_episodes(task, Still(), num_episodes=1, seed=5)
    monkeypatch.setattr(videos, "MOST_FRAMES", 7)
    (video,) = film(task, Still(), episodes, seed=5, num=1, split="training")
    assert len(video.frames) == 7, "every third of 20"


def test_the_expert_is_filmed_by_name_of_the_split():
    task = resolve(CARTPOLE).load(pixels=16, action_repeat=50)
    expert = parse_opponent("expert").make_policy(task, 0)
    splits = {"crowded": {"randomisation": {"num_distractors": 2}}}
    found = evaluate_task(task, expert, [], num_episodes=2, seed=0, splits=splits, num_videos=1)
    assert [row.split for row in found.episodes] == ["training", "crowded"]
    assert {video.name.split("-")[0] for video in found.videos} == {"training", "crowded"}


def test_an_environment_without_pictures_costs_the_films_and_not_the_evaluation(caplog):
    task = resolve("toy_tasks:toys/Count-v0", trust=["toy_tasks"]).load()
    policy = parse_opponent("random").make_policy(task, 0)
    with pytest.raises(EnvError, match="toys/Count-v0"):
        film(task, policy, play_episodes(task, policy, num_episodes=2, seed=0), seed=0, num=1, split="training")
    found = evaluate_task(task, policy, [], num_episodes=2, seed=0, splits={}, num_videos=1)
    assert len(found.episodes) == 1 and not found.videos
    assert "no videos" in caplog.text


def test_a_missing_encoder_is_told_with_the_command_that_installs_it(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(RunError, match=r"pip install 'imageio\[ffmpeg\]'"):
        check_encoder()
