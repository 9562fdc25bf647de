"""Labelled steps are drawn as they were seen, though each frame is kept once."""

from __future__ import annotations

import numpy as np
import pytest

from rlplat.data.frames import frames_once, rows_of_frames, stacked
from rlplat.data.labelled_steps import FRAMES, ROWS, LabelledSteps, bytes_of
from rlplat.errors import EnvError
from rlplat.interfaces import Arrays, Observed

STACK = 3


def rollout(rng: np.random.Generator, *, num_steps: int = 12, num_envs: int = 4) -> Arrays:
    """Stacks `[T, N, 2, 2, S]` of episodes that end by chance; the step after an end does not count."""
    frames = rng.integers(0, 256, (num_steps, num_envs, 2, 2, 1), np.uint8)
    begins = rng.random((num_steps, num_envs)) < 0.2
    begins[0] = True
    counts = np.ones_like(begins)
    counts[:-1] = ~begins[1:] | (rng.random((num_steps - 1, num_envs)) < 0.5)
    stacks = np.zeros((num_steps, num_envs, 2, 2, STACK), np.uint8)
    for t in range(num_steps):
        for env in range(num_envs):
            first = begins[t, env]
            older = np.repeat(frames[t, env], STACK - 1, axis=-1) if first else stacks[t - 1, env][..., 1:]
            stacks[t, env] = np.concatenate([older, frames[t, env]], axis=-1)
    # What follows a step that does not count begins.
    begins[1:] |= ~counts[:-1]
    return {"stacks": stacks, "begins": begins, "counts": counts}


def packed(found: Arrays, first_label: int) -> tuple[Arrays, np.ndarray]:
    rows, _ = rows_of_frames(found["begins"], found["counts"], STACK)
    frames = frames_once(found["stacks"], found["begins"], found["counts"], STACK)
    labels = first_label + np.arange(len(rows))
    stacks = found["stacks"].swapaxes(0, 1)[found["counts"].T]
    return {FRAMES + "camera": frames, ROWS: rows, "labels": labels}, stacks


@pytest.mark.parametrize("seed", range(5))
def test_frames_that_are_kept_once_make_all_stacks(seed):
    found = rollout(np.random.default_rng(seed))
    arrays, stacks = packed(found, 0)
    assert (stacked(arrays[FRAMES + "camera"], arrays[ROWS], STACK) == stacks).all()
    begins = found["begins"][found["counts"]].sum()
    assert len(arrays[FRAMES + "camera"]) == len(stacks) + (STACK - 1) * begins


@pytest.mark.parametrize("capacity", [37, 60, 1000])
def test_what_is_drawn_is_what_was_seen_and_the_newest_stay(capacity):
    rng, parts = np.random.default_rng(0), {"camera": Observed((2, 2, STACK), "uint8"), "labels": Observed((), "int64")}
    steps = LabelledSteps(parts, capacity=capacity, frame_stack=STACK)
    seen = np.zeros((0, 2, 2, STACK), np.uint8)
    for _ in range(6):
        arrays, stacks = packed(rollout(rng), len(seen))
        steps.add(arrays)
        seen = np.concatenate([seen, stacks])
    batch = steps.draw(2000, rng)
    assert (batch["camera"] == seen[batch["labels"]]).all()
    drawn = set(batch["labels"].tolist())
    assert len(drawn) == len(steps) and max(drawn) == len(seen) - 1
    assert drawn == set(range(len(seen) - len(drawn), len(seen)))
    assert len(steps) == len(seen) if capacity == 1000 else len(steps) <= capacity


def test_steps_that_were_saved_are_drawn_alike():
    rng, parts = np.random.default_rng(0), {"camera": Observed((2, 2, STACK), "uint8"), "labels": Observed((), "int64")}
    one, two = (LabelledSteps(parts, capacity=70, frame_stack=STACK) for _ in range(2))
    for _ in range(3):
        one.add(packed(rollout(rng), 0)[0])
    two.restore({name: array.copy() for name, array in one.snapshot().items()})
    more = packed(rollout(rng), 100)[0]
    for steps in (one, two):
        steps.add(more)
    batches = [steps.draw(50, np.random.default_rng(1)) for steps in (one, two)]
    assert all((batches[0][name] == batches[1][name]).all() for name in ("camera", "labels"))
    assert bytes_of(parts, capacity=70, frame_stack=STACK) == 70 * (2 * 2 + 8 + 9)


def test_stacks_that_are_none_are_told():
    found = rollout(np.random.default_rng(0))
    found["stacks"] = np.random.default_rng(1).integers(0, 256, found["stacks"].shape, np.uint8)
    with pytest.raises(EnvError, match="a step's older frames are not the newer ones of the step before it"):
        packed(found, 0)
