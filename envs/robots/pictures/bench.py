"""How fast pictures are: `rlplat bench render`."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from mujoco.batch import Batch

from envs.robots.pictures import drawing
from envs.robots.pictures.cast import CastRenderer
from envs.robots.task import compile_scene, load
from rlplat.errors import SceneError
from rlplat.reports import Result

SCENE = "reach"
NUM_SIMULATIONS, NUM_SLOW = 32, 2
"""Pictures in a turn, and in one of MuJoCo's full quality."""
PIXELS = (32, 64, 84)


@dataclass
class Work:
    """What is measured: `draw` makes `num` pictures."""

    draw: Callable[[], object]
    num: int = NUM_SIMULATIONS
    spent: list[float] = field(default_factory=list)
    """Milliseconds of processor time for a picture, by turn."""

    def turn(self) -> None:
        start = time.process_time()
        self.draw()
        self.spent.append(1e3 * (time.process_time() - start) / self.num)


def scene_batch(num_simulations: int = NUM_SIMULATIONS, *, seed: int = 0) -> Batch:
    """Return simulations of the arm of Reach in random poses."""
    task = load(SCENE)
    batch = Batch(compile_scene(task, task.Settings()), num_simulations, 1, persistent=True)
    for name in drawing.POSES:
        batch.bind(name)
    batch.bind("qpos")[:] = np.random.default_rng(seed).uniform(-0.6, 0.6, batch.bind("qpos").shape)
    batch.forward()
    return batch


def render(*, rounds: int = 30, pixels: tuple[int, ...] = PIXELS) -> list[Result]:
    """`render.<scene>.<pixels>.<backend>`: milliseconds of processor time per picture on one core.

    `cast`: our ray-caster. `gl`: MuJoCo's renderer at settings for training. `gl_full`: the same as the model says, in
    MuJoCo's default quality. A turn draws 32 simulations in random poses (2 in full quality). The least of `rounds`
    turns counts: processor time is not that of others, but their use of the caches only ever adds to it.
    """
    return [result for size in pixels for result in _render(size, rounds)]


def _render(size: int, rounds: int) -> list[Result]:
    works = _cast_works(size)
    try:
        works |= _gl_works(size)
        note = ""
    except SceneError as error:
        note = f"left out: {error}"
    for turn in range(rounds + 1):
        for name, work in works.items():
            if name != "gl_full" or turn % 10 == 0:
                work.turn()
    best = {name: min(work.spent[1:] or work.spent) for name, work in works.items()}
    fields = {f"{name}_ms": best[name] for name in ("trace", "shadows", "supersampling")}
    results = []
    for backend in ("cast", "gl", "gl_full"):
        name = f"render.{SCENE}.{size}.{backend}"
        if backend not in best:
            results.append(Result(name, None, "ms", note=note))
            continue
        more = fields if backend == "cast" else {"times_cast": best[backend] / best["cast"]}
        spent = works[backend].spent
        results.append(Result(name, best[backend], "ms", median_ms=statistics.median(spent), threads=1, **more))
    return results


def _cast_works(size: int) -> dict[str, Work]:
    batch = scene_batch()
    works = {}
    for name, options in {"cast": {}, "shadows": {"shadows": True}, "supersampling": {"supersampling": True}}.items():
        renderer = CastRenderer(batch, width=size, height=size, **options)
        out = np.empty((batch.nsim, size, size, 3), np.uint8)
        works[name] = Work(lambda renderer=renderer, out=out: renderer.render("front", out=out))
        if name == "cast":
            works["trace"] = Work(lambda renderer=renderer: renderer.render_depth("front"))
    return works


def _gl_works(size: int) -> dict[str, Work]:
    from envs.robots.pictures.gl import GlRenderer

    works = {}
    for name, quality, num in (("gl", "train", NUM_SIMULATIONS), ("gl_full", "full", NUM_SLOW)):
        renderer = GlRenderer(scene_batch(num), width=size, height=size, quality=quality)
        out = np.empty((num, size, size, 3), np.uint8)
        works[name] = Work(lambda renderer=renderer, out=out: renderer.render("front", out=out), num)
    return works
