"""Games and tasks, a folder for each kind. What they measure is registered here and imported when it is asked for."""

from __future__ import annotations

from rlplat import bench
from rlplat.reports import Result


def _farm() -> list[Result]:
    from envs.farm.bench import farm

    return farm()


bench.register("farm", _farm)
