"""Teams of one leader, this process, and followers in processes of their own."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from rlplat.training.team import MeetingPoint, Team

LOOPBACK = "127.0.0.1"


@contextmanager
def team_of(size: int, follow: Any, *arguments: Any) -> Iterator[Team]:
    """A team whose followers call `follow(team, *arguments)`, a function at the top of a module."""
    spawn = multiprocessing.get_context("spawn")
    store, point = Team.open(LOOPBACK, size)
    followers = [
        spawn.Process(target=_be_follower, args=(follow, point, rank, arguments), daemon=True)
        for rank in range(1, size)
    ]
    for process in followers:
        process.start()
    try:
        team = Team.lead(store, point)
        try:
            yield team
        except BaseException:
            torch.distributed.destroy_process_group()
            raise
        team.close()
        for process in followers:
            process.join(60)
            assert process.exitcode == 0
    finally:
        for process in followers:
            process.kill()


def _be_follower(follow: Any, point: MeetingPoint, rank: int, arguments: tuple[Any, ...]) -> None:
    follow(Team.join(point, rank, address=LOOPBACK), *arguments)
    # A thread of gloo may outlive its group, and the interpreter's end would then abort the process. An exception in
    # `follow` does not come here, and still shows in the exit code.
    os._exit(0)
