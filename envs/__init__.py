"""Games and robots. What they measure is registered here and imported when it is asked for."""

from __future__ import annotations

from importlib.util import find_spec

from rlplat import bench
from rlplat.errors import RlplatError
from rlplat.reports import Result


def _render() -> list[Result]:
    if find_spec("mujoco") is None:
        raise RlplatError("bench render draws scenes of MuJoCo, which is not installed: pip install 'rlplat[robots]'")
    from envs.robots.bench import render

    return render()


bench.register("render", _render)
