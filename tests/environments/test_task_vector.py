"""Steps of vectors, in each of Gymnasium's modes of beginning new episodes."""

from __future__ import annotations

import numpy as np
import pytest

from rlplat.environments.resolve import resolve
from rlplat.environments.task import Task


def load(name: str, **parameters: object) -> Task:
    env = resolve(name, trust=["toy_tasks"]).load(**parameters)
    assert isinstance(env, Task)
    return env


@pytest.mark.parametrize("cut", [False, True])
def test_a_step_shows_the_end_of_an_episode_and_the_beginning_of_the_next(cut):
    vector = load("toy_tasks:toys/Count-v0", cut=cut).make_vector(2)
    observations = vector.reset([1, 2])
    assert observations["policy"].dtype == np.float32
    assert observations["action_mask"].tolist() == [[0, 1, 1]] * 2
    for _ in range(4):
        step = vector.step(np.array([1, 2]))
        assert step.rewards.tolist() == [0.0, 1.0]  # the actions begin at -1
        assert not step.measures, "they are of whole episodes"
        assert not step.ended.any() and len(step.last_observations["policy"]) == 0
    step = vector.step(np.array([1, 2]))
    assert step.terminated.tolist() == [not cut] * 2 and step.truncated.tolist() == [cut] * 2
    assert step.last_observations["policy"].tolist() == [[5.0], [5.0]]
    assert step.observations["policy"].tolist() == [[0.0], [0.0]]
    assert step.success.tolist() == [0.0, 1.0]
    assert step.measures["last_action"].tolist() == [0.0, 1.0] and len(step.measures) == 1
    assert step.counts.all()


@pytest.mark.parametrize("mode", ["NextStep", "SameStep", "Disabled"])
def test_episodes_are_the_same_in_every_mode_of_beginning_them(mode):
    vector = load("toy_tasks:toys/Drift-v0", mode=mode).make_vector(3)
    vector.reset([5, 6, 7])
    last, rewards = [], np.zeros(3)
    lengths, done, told = np.zeros(3, int), np.zeros(3, int), np.zeros(3)
    while done.min() < 3:
        step = vector.step(np.full((3, 1), 0.1))
        assert not step.rewards[~step.counts].any()
        lengths += step.counts & (done < 3)
        rewards += np.where(done < 3, step.rewards, 0.0)
        ended = np.flatnonzero(step.ended)
        last += [(int(e), float(step.last_observations["policy"][k, 0])) for k, e in enumerate(ended) if done[e] < 3]
        told[ended] += np.where(done < 3, step.measures.get("steps", done), 0.0)[ended]
        done[ended] += 1
    # Worked out by the same recursion for one environment at a time, without any vector.
    want_lengths, want_rewards, want_last = zip(*(alone(seed) for seed in (5, 6, 7)), strict=True)
    assert lengths.tolist() == list(want_lengths) == told.tolist()
    assert rewards.tolist() == pytest.approx(want_rewards)
    for env in range(3):
        assert [value for which, value in last if which == env] == pytest.approx(want_last[env], abs=1e-6)


def alone(seed: int) -> tuple[int, float, list[float]]:
    length, total, last = 0, 0.0, []

    def draw() -> float:
        nonlocal seed
        seed = (seed * 16807 + 1) % (2**31 - 1)
        return seed / 2**30 - 1

    for _ in range(3):
        seed = (seed * 16807 + 1) % (2**31 - 1)
        point, steps = draw(), 0
        while True:
            point += 0.5 * 0.1 + 0.1 * draw()
            steps, length, total = steps + 1, length + 1, total - point**2
            if steps >= 18 + seed % 5:
                break
        last.append(point)
    return length, total, last


def test_a_vector_that_keeps_its_state_goes_on_from_a_snapshot():
    task = load("toy_tasks:toys/Drift-v0")
    one, two = task.make_vector(2), task.make_vector(2)
    one.reset([1, 2])
    for _ in range(21):  # so that episodes have ended, and the next step begins some
        one.step(np.zeros((2, 1)))
    two.restore(one.snapshot())
    for _ in range(30):
        a, b = one.step(np.ones((2, 1))), two.step(np.ones((2, 1)))
        assert a.observations["policy"].tolist() == b.observations["policy"].tolist()
        assert a.counts.tolist() == b.counts.tolist() and a.truncated.tolist() == b.truncated.tolist()
    assert one.keeps_state and not load("Pendulum-v1").make_vector(1).keeps_state
