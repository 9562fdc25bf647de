"""Games, robots and farms, a folder each. What they measure is registered here and imported when it is asked for."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from rlplat import bench, doctor
from rlplat.environments import preparation
from rlplat.errors import RlplatError
from rlplat.reports import Result


def _render() -> list[Result]:
    if find_spec("mujoco") is None:
        raise RlplatError("bench render draws scenes of MuJoCo, which is not installed: pip install 'rlplat[robots]'")
    from envs.robots.pictures.bench import render

    return render()


def _rollout() -> list[Result]:
    if find_spec("mujoco") is None:
        raise RlplatError("bench rollout steps robots in MuJoCo, which is not installed: pip install 'rlplat[robots]'")
    from envs.robots.rollout_bench import rollout

    return rollout()


def _rules() -> list[Result]:
    from envs.rules_bench import rules

    return rules()


def _farm() -> list[Result]:
    if find_spec("gymnasium") is None:
        raise RlplatError("bench farm needs Gymnasium, which is not installed: pip install 'rlplat[farm]'")
    from envs.farm.bench import farm

    return farm()


def _check_robots(_: Path) -> list[doctor.Row]:
    if find_spec("mujoco") is None:
        return [doctor.Row("mujoco", "warn", "not installed; robots need it", "pip install 'rlplat[robots]'")]
    from envs.robots.doctor import check_opengl

    return check_opengl()


def _find_opengl(entry_point: str) -> None:
    """Gymnasium's environments of MuJoCo would look for a display."""
    if "mujoco" in entry_point:
        from envs.robots.pictures.gl_platform import choose

        choose()


preparation.register(_find_opengl)
doctor.register(_check_robots)
bench.register("farm", _farm)
bench.register("render", _render)
bench.register("rollout", _rollout)
bench.register("rules", _rules)
