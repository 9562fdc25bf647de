"""Answers of Ray's actors: whether they are there, and what an error in place of one means."""

from __future__ import annotations

from typing import Any

import ray
from ray.exceptions import RayError, RayTaskError

from rlplat.errors import RlplatError

LOOK_S = 1.0
"""Longest wait for an answer before the one who waits looks at other things: the clock, Ctrl-C, a silence too long."""


def remote(actor: type, **options: Any) -> Any:
    """The actor class of a plain class. Ray's own types know neither its options nor its remote methods."""
    make: Any = ray.remote(**options)
    return make(actor)


def is_there(reference: Any, wait_s: float = 0.0) -> bool:
    """Tell whether an answer, or the error in place of it, is there; waits a while for it."""
    return bool(ray.wait([reference], timeout=wait_s)[0])


def is_loss(error: RayError) -> bool:
    """Tell the loss of processes and of what they held from a fault that was raised in an actor.

    An actor that asked a lost one raises what it got in place of an answer: that is a loss too.
    """
    return isinstance(error.cause if isinstance(error, RayTaskError) else error, RayError)


def fault(error: RayError) -> BaseException:
    """What to raise for a fault in an actor: our own errors as they were raised there."""
    cause = error.cause if isinstance(error, RayTaskError) else error
    # OSError: where a checkpoint is written, a full disk is told from other mishaps.
    return cause if isinstance(cause, RlplatError | OSError) else error


def in_words(error: RayError) -> str:
    """What Ray says of an error, in one line of the many."""
    lost = error.cause if isinstance(error, RayTaskError) else error
    return str(lost).strip().split("\n", 1)[0]
