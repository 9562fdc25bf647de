"""The newest steps of many environments, and batches of transitions over n steps drawn from them.

An environment's rows lie one behind the other in the order of time: one for each observation on which it acted, and one
for what an episode ended with, on which nobody acted. So an observation is kept once, as what one step led to and the
next one began with; of pictures that the environment stacks, the newest alone.

Axes: R rows, N environments of one call, E environments in all, L rows of a ring, B batch, S stacked pictures.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rlplat.interfaces import Arrays, Continuous, EnvSpec, Observed

OBSERVATIONS = "observations/"
"""Beginning of the names of observations among rows."""

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Transitions:
    """A batch: what was seen and done, what came of it in the k steps that followed, and what was seen then.

    k is n, or less where the episode or what is known of it ends before.
    """

    observations: Arrays
    """By part, `[B, ...]`."""
    actions: NDArray[np.float32]
    """`[B, A]`"""
    rewards: NDArray[np.float32]
    """Those of k steps, `[B]`: r_0 + gamma r_1 + ... + gamma^(k-1) r_(k-1)."""
    discounts: NDArray[np.float32]
    """Of the value of what was seen then, `[B]`: gamma^k, or 0 where the episode terminated."""
    next_observations: Arrays
    """By part, `[B, ...]`."""


class TransitionReplay:
    """A ring of rows for each environment; the oldest make room for new ones. Not thread-safe.

    Args:
        spec: what is observed and done; its `frame_stack` tells of how many pictures an observation is.
        num_envs: E.
        capacity: rows of all environments together.
        num_steps: n, rewards that a transition adds up at most.
        discount: gamma.
    """

    def __init__(self, spec: EnvSpec, *, num_envs: int, capacity: int, num_steps: int, discount: float) -> None:
        if not isinstance(spec.actions, Continuous):
            raise TypeError(f"{spec.name} has discrete actions; this replay keeps continuous ones")
        self._spec, self._num_envs = spec, num_envs
        self._num_steps, self._discount = num_steps, discount
        self._length = ring_length(num_envs, capacity, spec.frame_stack, num_steps)
        self._rings: Arrays = {
            name: np.zeros((self._length, num_envs, *shape), dtype) for name, (shape, dtype) in row_shapes(spec).items()
        }
        self._head: Ints = np.zeros(num_envs, np.int64)
        """Where the next row of each environment goes, `[E]`."""
        self._count: Ints = np.zeros(num_envs, np.int64)
        """Rows of each environment that are kept, `[E]`."""

    @property
    def bytes(self) -> int:
        """Memory of the rings when they are full, in bytes."""
        return sum(ring.nbytes for ring in self._rings.values())

    @property
    def num_rows(self) -> int:
        """Rows that are kept now."""
        return int(self._count.sum())

    @property
    def num_drawable(self) -> int:
        """Rows that can be drawn from now, those included in which an episode ended."""
        return int(self._drawable().sum())

    def add(self, arrays: Arrays) -> None:
        """Take in rows in the order of environments and, of each, of time.

        envs int64 `[N]`: numbers of the environments; num_rows int64 `[N]`; then `[R, ...]`: `observations/<part>`
        (of stacked pictures the newest); actions float32; rewards float32; place int32: observations of this episode
        before this one; last bool: nobody acted on it, the episode is over; terminated bool: nothing would have
        followed. Where rows are missing before those of an environment, what came before is broken off there.
        """
        ends = np.cumsum(arrays["num_rows"])
        for env, begin, end in zip(arrays["envs"], ends - arrays["num_rows"], ends, strict=True):
            self._add(int(env), {name: arrays[name][begin:end] for name in self._rings})

    def draw(self, batch_size: int, rng: np.random.Generator) -> Transitions:
        """Draw transitions evenly and with repetition. ValueError if there is none yet."""
        env, offset = self._draw_rows(batch_size, rng)
        row = self._row(env, offset)
        rewards, steps = self._follow(env, offset)
        end = self._row(env, offset + steps)
        goes_on = ~self._rings["terminated"][end, env]
        return Transitions(
            observations=self._observed(row, env),
            actions=self._rings["actions"][row, env],
            rewards=rewards.astype(np.float32),
            discounts=(self._discount**steps * goes_on).astype(np.float32),
            next_observations=self._observed(end, env),
        )

    def state(self) -> Arrays:
        """Everything kept, for a checkpoint."""
        filled = int(self._count.max(initial=0))
        rings = {name: ring[:filled] for name, ring in self._rings.items()}
        return {**rings, "head": self._head, "count": self._count}

    def restore(self, arrays: Arrays) -> None:
        """Replace everything by what `state` gave; draws then equal those of the replay that gave it.

        ValueError if the arrays are of another environment or size.
        """
        for name, ring in self._rings.items():
            found = arrays[name]
            fits = found.shape[1:] == ring.shape[1:] and found.dtype == ring.dtype
            if not fits or len(found) > len(ring) or (len(found) < len(ring) and (arrays["head"] > len(found)).any()):
                raise ValueError(
                    f"the replay's {name} are {found.dtype} {list(found.shape)}; here they are {ring.dtype} "
                    f"{list(ring.shape)}: another environment, or another agent.replay or agent.num_envs"
                )
            ring[: len(found)] = found
        self._head[:], self._count[:] = arrays["head"], arrays["count"]

    def _add(self, env: int, rows: Arrays) -> None:
        if not len(rows["place"]):
            return
        newest = (self._head[env] - 1) % self._length
        follows = self._count[env] > 0 and not self._rings["last"][newest, env]
        begins = np.flatnonzero(rows["place"] == 0)
        if not follows or rows["place"][0] != self._rings["place"][newest, env] + 1:
            if follows:  # some rows are missing, so nobody knows what the newest action led to
                self._rings["last"][newest, env] = True
            first = int(begins[0]) if len(begins) else len(rows["place"])
            rows = {name: array[first:] for name, array in rows.items()}
        rows = {name: array[-self._length :] for name, array in rows.items()}
        number = len(rows["place"])
        places = (self._head[env] + np.arange(number)) % self._length
        for name, ring in self._rings.items():
            ring[places, env] = rows[name]
        self._head[env] = (self._head[env] + number) % self._length
        self._count[env] = min(self._length, self._count[env] + number)

    def _margin(self) -> Ints:
        """Oldest rows of each environment that cannot be drawn, `[E]`: their older pictures may be gone."""
        margin: Ints = np.where(self._count == self._length, self._spec.frame_stack - 1, 0)
        return margin

    def _drawable(self) -> Ints:
        """Rows of each environment to draw from, `[E]`; what the newest action led to is not known yet."""
        drawable: Ints = np.maximum(0, self._count - 1 - self._margin())
        return drawable

    def _draw_rows(self, batch_size: int, rng: np.random.Generator) -> tuple[Ints, Ints]:
        """Environments and rows counted from the oldest one, `[B]` each."""
        upto = np.cumsum(self._drawable())
        if not upto[-1]:
            raise ValueError("the replay holds no transition yet")
        margin = self._margin()
        env, offset = np.empty(0, np.int64), np.empty(0, np.int64)
        while len(env) < batch_size:
            drawn = rng.integers(0, upto[-1], batch_size - len(env))
            where = np.searchsorted(upto, drawn, side="right")
            at = drawn - np.where(where > 0, upto[where - 1], 0) + margin[where]
            acted = ~self._rings["last"][self._row(where, at), where]
            if not acted.any() and not self._anything_to_draw():
                raise ValueError("the replay holds ends of episodes only: whoever fills it breaks off every step")
            env, offset = np.concatenate([env, where[acted]]), np.concatenate([offset, at[acted]])
        return env, offset

    def _anything_to_draw(self) -> bool:
        counts, margins = self._drawable(), self._margin()
        return any(
            not self._rings["last"][self._row(env, margins[env] + np.arange(counts[env])), env].all()
            for env in range(self._num_envs)
        )

    def _row(self, env: Ints | int, offset: Ints) -> Ints:
        oldest = self._head[env] - self._count[env]
        row: Ints = (oldest + offset) % self._length
        return row

    def _follow(self, env: Ints, offset: Ints) -> tuple[NDArray[np.float64], Ints]:
        """The discounted sum of the rewards of up to n steps, and how many steps these are, `[B]` each."""
        rewards = self._rings["rewards"][self._row(env, offset), env].astype(np.float64)
        steps, follows = np.ones(len(env), np.int64), np.ones(len(env), np.bool_)
        for ahead in range(1, self._num_steps):
            row = self._row(env, offset + ahead)
            follows &= ~self._rings["last"][row, env] & (offset + ahead < self._count[env] - 1)
            rewards += np.where(follows, self._discount**ahead * self._rings["rewards"][row, env], 0.0)
            steps += follows
        return rewards, steps

    def _observed(self, row: Ints, env: Ints) -> Arrays:
        return {
            part: self._pictures(part, row, env) if what.is_image else self._rings[OBSERVATIONS + part][row, env]
            for part, what in kept_parts(self._spec).items()
        }

    def _pictures(self, part: str, row: Ints, env: Ints) -> NDArray[np.uint8]:
        """Stacks `[B, H, W, 3 S]`, the newest last; before the first picture of an episode it always looked so.

        Pictures are kept as `[C, H, W]`, so that a stack is put together by copying whole pictures.
        """
        ages = np.minimum(np.arange(self._spec.frame_stack)[::-1], self._rings["place"][row, env][:, None])
        rows = (row[:, None] - ages) % self._length
        ring = self._rings[OBSERVATIONS + part]
        found = ring.reshape(-1, *ring.shape[2:]).take(rows * self._num_envs + env[:, None], axis=0)
        return found.reshape(len(row), -1, *ring.shape[3:]).transpose(0, 2, 3, 1)


def kept_parts(spec: EnvSpec) -> dict[str, Observed]:
    """What agents learn from: the parts that the policy may see, and those that are privileged."""
    return spec.group("policy") | spec.group("privileged")


def newest_pictures(spec: EnvSpec, part: str, observations: NDArray[Any]) -> NDArray[Any]:
    """Bring observations `[..., H, W, C S]` of a part into the form that rows have: pictures `[..., C, H, W]`.

    Numbers stay as they are.
    """
    what = spec.observations[part]
    if not what.is_image:
        return observations
    newest = observations[..., -what.shape[-1] // spec.frame_stack :]
    return np.moveaxis(newest, -1, -3)


def row_shapes(spec: EnvSpec) -> dict[str, tuple[tuple[int, ...], str]]:
    """Shape and type of what a row holds, by name."""
    assert isinstance(spec.actions, Continuous)
    shapes: dict[str, tuple[tuple[int, ...], str]] = {}
    for part, what in kept_parts(spec).items():
        shape = what.shape
        if what.is_image:
            height, width, channels = shape
            shape = (channels // spec.frame_stack, height, width)
        shapes[OBSERVATIONS + part] = (shape, what.dtype)
    return shapes | {
        "actions": ((int(np.prod(spec.actions.shape)),), "float32"),
        "rewards": ((), "float32"),
        "place": ((), "int32"),
        "last": ((), "bool"),
        "terminated": ((), "bool"),
    }


def ring_length(num_envs: int, capacity: int, frame_stack: int, num_steps: int) -> int:
    """Rows of one environment's ring, so many at least that something can always be drawn."""
    return max(-(-capacity // num_envs), frame_stack + num_steps + 1)


def replay_bytes(spec: EnvSpec, *, num_envs: int, capacity: int, num_steps: int) -> int:
    """Memory that a `TransitionReplay` takes when it is full, in bytes."""
    row = sum(int(np.prod(shape)) * np.dtype(dtype).itemsize for shape, dtype in row_shapes(spec).values())
    return row * num_envs * ring_length(num_envs, capacity, spec.frame_stack, num_steps)
