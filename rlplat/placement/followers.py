"""The processes of a learner beside its first: started by it, watched by it, and gone when it goes."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Sequence
from typing import Any

import ray
from ray.exceptions import RayError
from ray.util.placement_group import PlacementGroup
from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy

from rlplat.config import RunConfig
from rlplat.placement import room
from rlplat.training.team import Team

_log = logging.getLogger(__name__)


def assemble(
    follower: type,
    config: RunConfig,
    trust: Sequence[str],
    group: PlacementGroup,
    bundles: Sequence[room.Resources],
) -> Team:
    """Start actors of the class `follower`, in the bundles of the run after its first, and return the team with this
    process as leader.

    The followers belong to this actor, so Ray ends them when it ends. When one of them ends, this process does too: the
    whole learner is lost or none of it, and whoever looks after the learner needs to know of nothing else.
    """
    store, point = Team.open(own_address(), 1 + len(bundles))
    actors, ends = [], []
    for rank, resources in enumerate(bundles, start=1):
        strategy: Any = PlacementGroupSchedulingStrategy  # untyped
        make: Any = ray.remote(
            num_cpus=resources["CPU"],
            num_gpus=resources.get("GPU", 0),
            scheduling_strategy=strategy(group, rank),
        )
        actors.append(make(follower).remote(config, trust))
        ends.append(actors[-1].follow.remote(point, rank))
    threading.Thread(target=_end_with_the_first, args=(actors, ends), name="followers", daemon=True).start()
    return Team.lead(store, point)


def _end_with_the_first(actors: Sequence[Any], ends: Sequence[Any]) -> None:
    """Wait until a follower ends, then end this process; holds the actors, which live as long as somebody does."""
    (ended,), _ = ray.wait(list(ends), num_returns=1)
    try:
        ray.get(ended)
        reason = "it was told to"
    except RayError as error:
        reason = str(error)
    _log.error("process %d of %d of the learner ended: %s", 1 + ends.index(ended), 1 + len(actors), reason)
    os._exit(1)


def own_address() -> str:
    """The address under which Ray knows this machine: the loopback one where Ray was started for one run."""
    find: Any = ray.util.get_node_ip_address  # untyped
    address: str = find()
    return address
