"""Evaluation of tasks by episodes on fixed seeds."""

from __future__ import annotations

import numpy as np
import pytest

from rlplat.environments.resolve import resolve
from rlplat.environments.task import Task
from rlplat.errors import EnvError, RegistryError
from rlplat.evaluation.episodes import evaluate_episodes, mean_interval, play_episodes
from rlplat.evaluation.opponents import parse_opponent

TOYS = ["toy_tasks"]


def load(name: str, **parameters: object) -> Task:
    env = resolve(name, trust=TOYS).load(**parameters)
    assert isinstance(env, Task)
    return env


class Always:
    """One action, whatever it sees; notes what it was shown."""

    def __init__(self, action: object) -> None:
        self.action, self.shown = action, set()

    def act(self, states):
        self.shown |= set(states)
        return np.array([self.action] * len(next(iter(states.values()))))


def test_returns_successes_and_lengths_are_those_of_the_first_episodes():
    policy = Always(2)
    (row,) = evaluate_episodes(load("toy_tasks:toys/Count-v0"), policy, [], num_episodes=3, seed=0)
    assert (row.player, row.num_episodes, row.mean_return, row.mean_length) == ("agent", 3, 5.0, 5.0)
    assert (row.return_low, row.return_high) == (5.0, 5.0)
    assert row.success == 1.0
    assert row.success_low == pytest.approx(0.4385, abs=1e-3)  # Wilson: n / (n + z^2)
    assert policy.shown == {"policy", "action_mask"}, "what is privileged is not for policies"


def test_what_the_environment_measures_of_its_episodes_is_told_with_intervals():
    task = load("toy_tasks:toys/Drift-v0")
    (row,) = evaluate_episodes(task, Always([0.0]), [], num_episodes=70, seed=0)
    episodes = play_episodes(task, Always([0.0]), num_episodes=70, seed=0)
    assert episodes.measures["steps"].tolist() == episodes.lengths.tolist()
    steps = row.measures["steps"]
    assert steps.mean == row.mean_length and 18 <= steps.low < steps.mean < steps.high <= 22


def test_an_interval_of_what_is_infinite_is_a_point():
    assert mean_interval(np.array([1.0, np.inf])) == (np.inf, np.inf)


def test_an_episode_depends_on_its_seed_and_not_on_how_many_are_played():
    task = load("Pendulum-v1")
    few, many = (play_episodes(task, Always([0.5]), num_episodes=count, seed=3) for count in (2, 5))
    other = play_episodes(task, Always([0.5]), num_episodes=2, seed=4)
    assert few.returns.tolist() == many.returns[:2].tolist()
    assert set(few.returns.tolist()).isdisjoint(other.returns.tolist())
    assert few.lengths.tolist() == [200, 200] and np.isnan(few.success).all()


def test_the_expert_of_an_environment_beats_chance():
    task = load("toy_tasks:toys/Drift-v0", noise=0.1)
    agent, random, expert = evaluate_episodes(task, Always([0.0]), ["random", "expert"], num_episodes=20, seed=1)
    assert [row.player for row in (agent, random, expert)] == ["agent", "random", "expert"]
    assert expert.return_low > max(agent.return_high, random.return_high)
    assert expert.success is None


def test_the_interval_of_a_mean_is_that_of_the_normal_distribution_for_many_episodes():
    values = np.random.default_rng(0).normal(10, 2, 400)
    low, high = mean_interval(values)
    half = 1.96 * values.std() / np.sqrt(400)
    assert (low, high) == pytest.approx((values.mean() - half, values.mean() + half), abs=0.02)
    assert mean_interval(values) == (low, high)
    assert mean_interval(values[:1]) == (values[0], values[0])


def test_random_actions_are_allowed_and_lie_within_their_bounds():
    count, pendulum = load("toy_tasks:toys/Count-v0"), load("Pendulum-v1")
    drawn = parse_opponent("random").make_policy(count, 0).act({"action_mask": np.tile([0.0, 1.0, 1.0], (200, 1))})
    assert set(drawn.tolist()) == {1, 2}
    drawn = parse_opponent("random").make_policy(pendulum, 0).act({"policy": np.zeros((500, 3))})
    assert drawn.shape == (500, 1) and -2 <= drawn.min() < -1.9 and 1.9 < drawn.max() <= 2


@pytest.mark.parametrize(
    ("env", "opponent", "message"),
    [
        ("Pendulum-v1", "mcts:10", "'mcts:10' is for games; Pendulum-v1 is a task: name random"),
        ("Pendulum-v1", "expert", "Pendulum-v1 offers none"),
        ("tictactoe", "expert", "'expert' is for tasks; tictactoe is a game"),
    ],
)
def test_baselines_of_another_kind_are_refused(env, opponent, message):
    with pytest.raises(RegistryError, match=message):
        parse_opponent(opponent).make_policy(resolve(env).load(), 0)


def test_actions_of_a_wrong_shape_are_told_with_who_chose_them():
    with pytest.raises(
        EnvError, match=r"Always returned actions of shape \[2\] for 2 environments of Pendulum-v1.*\[2, 1\]"
    ):
        play_episodes(load("Pendulum-v1"), Always(0.5), num_episodes=2, seed=0)


def test_splits_change_parameters_and_keep_the_seeds():
    task = load("toy_tasks:toys/Drift-v0", noise=0.1)
    rows = evaluate_episodes(
        task, Always([0.0]), ["expert"], num_episodes=20, seed=1, splits={"calm": {"noise": 0.0}, "same": {}}
    )
    assert [row.title for row in rows] == [
        "agent",
        "expert",
        "agent, calm",
        "expert, calm",
        "agent, same",
        "expert, same",
    ]
    agent, expert, _, calm_expert, same, _ = rows
    assert calm_expert.mean_return > expert.mean_return
    assert same.mean_return == agent.mean_return
    assert {row.task for row in rows} == {"toy_tasks:toys/Drift-v0"}


def test_a_split_that_changes_what_is_observed_is_refused():
    task = load("envs.robots:rlplat/CartpoleBalance-v0", pixels=16)
    assert task.changed({"randomisation": {"colour": 0.1}}).parameters == {
        "pixels": 16,
        "randomisation": {"colour": 0.1},
    }
    with pytest.raises(EnvError, match="changes what is observed or done, so no policy fits both"):
        task.changed({"pixels": 32})
