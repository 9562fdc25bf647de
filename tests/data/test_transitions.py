"""The replay of steps: what is drawn from it is what happened."""

from __future__ import annotations

import numpy as np
import pytest

from rlplat.data.transitions import TransitionReplay, newest_pictures, replay_bytes
from rlplat.interfaces import Continuous, Discrete, EnvSpec, Observed

GAMMA = 0.5
SPEC = EnvSpec("line", {"policy": Observed((1,))}, Continuous((1,), (-1.0,), (1.0,)))


def rows(places: list[int], *, env: int = 0, last: bool = False, terminated: bool = False, start: float = 0.0):
    """Rows of one environment whose observation is 10 x start + place, action its negative, reward 2^place."""
    place = np.array(places, np.int32)
    shown = (10 * start + place).astype(np.float32)[:, None]
    is_last = np.zeros(len(places), bool)
    is_last[-1:] = last
    return {
        "envs": np.array([env]),
        "num_rows": np.array([len(places)]),
        "observations/policy": shown,
        "actions": -shown,
        "rewards": (2.0**place).astype(np.float32),
        "place": place,
        "last": is_last,
        "terminated": is_last & terminated,
    }


def replay(num_steps: int, capacity: int = 100, num_envs: int = 1) -> TransitionReplay:
    return TransitionReplay(SPEC, num_envs=num_envs, capacity=capacity, num_steps=num_steps, discount=GAMMA)


def drawn(memory: TransitionReplay, number: int = 400) -> dict[float, tuple[float, float, float]]:
    """By what was seen: reward, discount and what was seen then."""
    batch = memory.draw(number, np.random.default_rng(0))
    assert (batch.actions[:, 0] == -batch.observations["policy"][:, 0]).all()
    found = zip(batch.rewards, batch.discounts, batch.next_observations["policy"][:, 0], strict=True)
    return {
        float(seen[0]): tuple(map(float, row)) for seen, row in zip(batch.observations["policy"], found, strict=True)
    }


def test_one_step_leads_to_the_next_row_and_the_newest_action_is_not_drawn():
    memory = replay(1)
    memory.add(rows([0, 1, 2]))
    assert drawn(memory) == {0.0: (1.0, 0.5, 1.0), 1.0: (2.0, 0.5, 2.0)}
    memory.add(rows([3]))
    assert drawn(memory)[2.0] == (4.0, 0.5, 3.0)


@pytest.mark.parametrize("terminated", [False, True])
def test_three_steps_add_up_and_end_with_the_episode(terminated):
    memory = replay(3)
    memory.add(rows([0, 1, 2, 3, 4], last=True, terminated=terminated))  # four actions, and what they led to
    memory.add(rows([0, 1], start=1))
    cut = 0.0 if terminated else 1.0
    assert drawn(memory) == {
        0.0: (1 + 0.5 * 2 + 0.25 * 4, 0.125, 3.0),
        1.0: (2 + 0.5 * 4 + 0.25 * 8, 0.125 * cut, 4.0),
        2.0: (4 + 0.5 * 8, 0.25 * cut, 4.0),
        3.0: (8.0, 0.5 * cut, 4.0),
        10.0: (1.0, 0.5, 11.0),
    }


def test_steps_that_are_not_known_yet_are_left_out_of_the_sum():
    memory = replay(3)
    memory.add(rows([0, 1, 2]))
    assert drawn(memory) == {0.0: (1 + 0.5 * 2, 0.25, 2.0), 1.0: (2.0, 0.5, 2.0)}


def test_a_full_ring_forgets_the_oldest_and_crosses_its_seam():
    memory = replay(2, capacity=6)
    for episode in range(5):
        memory.add(rows([0, 1, 2, 3], start=episode, last=True))
    found = drawn(memory)
    assert set(found) == {32.0, 40.0, 41.0, 42.0}
    assert found[32.0] == (4.0, 0.5, 33.0) and found[41.0] == (2 + 0.5 * 4, 0.25, 43.0)
    assert memory.num_rows == 6


def test_environments_are_drawn_from_in_proportion_and_never_mixed():
    memory = replay(2, num_envs=2)
    memory.add(rows(list(range(11)), start=1))
    memory.add(rows(list(range(31)), env=1, start=10))
    batch = memory.draw(20_000, np.random.default_rng(0))
    seen, then = batch.observations["policy"][:, 0], batch.next_observations["policy"][:, 0]
    assert ((seen >= 100) == (then >= 100)).all()
    assert (seen >= 100).mean() == pytest.approx(30 / 40, abs=0.02)


def test_where_rows_are_missing_what_came_before_is_broken_off_and_nothing_begins_in_mid_episode():
    memory = replay(3)
    memory.add(rows([0, 1, 2]))
    memory.add(rows([5, 6], last=True))  # 3 and 4 were lost on their way
    memory.add(rows([0, 1], start=1))
    assert drawn(memory) == {0.0: (1 + 0.5 * 2, 0.25, 2.0), 1.0: (2.0, 0.5, 2.0), 10.0: (1.0, 0.5, 11.0)}
    memory.add(rows([0, 1], start=2))  # an environment that had to begin anew
    assert set(drawn(memory)) == {0.0, 1.0, 10.0, 20.0}


def pictures(steps: int, rng: np.random.Generator) -> np.ndarray:
    return rng.integers(0, 256, (steps, 6, 5, 3), np.uint8)


CAMERA = EnvSpec(
    "camera",
    {"policy/camera": Observed((6, 5, 9), "uint8"), "privileged": Observed((2,))},
    Continuous((1,), (-1.0,), (1.0,)),
    frame_stack=3,
)


def camera_rows(frames: np.ndarray) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Rows of an episode, and the stacks that its environment showed."""
    steps = len(frames)
    padded = np.concatenate([frames[:1], frames[:1], frames])
    stacks = np.concatenate([padded[:-2], padded[1:-1], padded[2:]], axis=-1)
    is_last = np.arange(steps) == steps - 1
    number = np.arange(steps, dtype=np.float32)
    return {
        "envs": np.array([0]),
        "num_rows": np.array([steps]),
        "observations/policy/camera": newest_pictures(CAMERA, "policy/camera", stacks),
        "observations/privileged": np.stack([number, number], axis=1),
        "actions": number[:, None],
        "rewards": number,
        "place": np.arange(steps, dtype=np.int32),
        "last": is_last,
        "terminated": is_last,
    }, stacks


def test_stacks_that_are_drawn_are_those_that_were_seen_at_beginnings_and_across_the_seam_too():
    rng = np.random.default_rng(0)
    memory = TransitionReplay(CAMERA, num_envs=1, capacity=20, num_steps=2, discount=GAMMA)
    shown: dict[bytes, np.ndarray] = {}
    for _ in range(7):
        arrays, stacks = camera_rows(pictures(5, rng))
        shown |= {stack[..., -3:].tobytes(): stack for stack in stacks}
        memory.add(arrays)
        batch = memory.draw(60, rng)
        for part in (batch.observations, batch.next_observations):
            for found in part["policy/camera"]:
                assert (found == shown[found[..., -3:].tobytes()]).all()
        steps = batch.next_observations["privileged"][:, 0] - batch.observations["privileged"][:, 0]
        assert set(steps) == {1.0, 2.0}


def test_a_replay_that_was_saved_draws_the_same(tmp_path):
    for number in (2, 9):  # not full, and full
        one = TransitionReplay(CAMERA, num_envs=1, capacity=20, num_steps=3, discount=GAMMA)
        two = TransitionReplay(CAMERA, num_envs=1, capacity=20, num_steps=3, discount=GAMMA)
        rng = np.random.default_rng(1)
        for _ in range(number):
            one.add(camera_rows(pictures(4, rng))[0])
        two.restore({name: array.copy() for name, array in one.state().items()})
        more = camera_rows(pictures(4, rng))[0]
        one.add(more), two.add(more)
        mine, other = one.draw(50, np.random.default_rng(2)), two.draw(50, np.random.default_rng(2))
        assert (mine.rewards == other.rewards).all()
        assert (mine.next_observations["policy/camera"] == other.next_observations["policy/camera"]).all()
    with pytest.raises(ValueError, match=r"another environment, or another agent.replay"):
        TransitionReplay(CAMERA, num_envs=2, capacity=20, num_steps=3, discount=GAMMA).restore(one.state())


def test_memory_is_what_was_predicted_and_100000_stacks_of_64x64_take_less_than_1_3_gb():
    spec = EnvSpec(
        "arm",
        {
            "policy/camera": Observed((64, 64, 9), "uint8"),
            "policy/joints": Observed((30,)),
            "privileged": Observed((40,)),
        },
        Continuous((7,), (-1.0,) * 7, (1.0,) * 7),
        frame_stack=3,
    )
    sizes = {"num_envs": 16, "capacity": 100_000, "num_steps": 3}
    memory = TransitionReplay(spec, **sizes, discount=0.99)
    assert memory.bytes == replay_bytes(spec, **sizes)
    assert memory.bytes < 1.3e9
    assert memory.bytes == sum(ring.nbytes for ring in memory._rings.values())


def test_nothing_to_draw_and_discrete_actions_are_told():
    with pytest.raises(ValueError, match="holds no transition yet"):
        replay(1).draw(1, np.random.default_rng(0))
    broken = replay(1)
    for start in range(3):
        broken.add(rows([0], start=start))  # each begins anew, so nothing came of any action
    with pytest.raises(ValueError, match="ends of episodes only"):
        broken.draw(1, np.random.default_rng(0))
    spec = EnvSpec("levers", {"policy": Observed((1,))}, Discrete(2))
    with pytest.raises(TypeError, match="levers has discrete actions"):
        TransitionReplay(spec, num_envs=1, capacity=10, num_steps=1, discount=0.9)
