"""Games, robots and farms, a folder each. What they measure is registered here and imported when it is asked for."""

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


def _farm() -> list[Result]:
    if find_spec("gymnasium") is None:
        raise RlplatError("bench farm needs Gymnasium, which is not installed: pip install 'rlplat[farm]'")
    from envs.farm.bench import farm

    return farm()


bench.register("farm", _farm)
bench.register("render", _render)
