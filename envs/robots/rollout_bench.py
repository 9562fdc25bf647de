"""How fast rollouts are, physics included: `rlplat bench rollout`."""

from __future__ import annotations

import itertools
import multiprocessing
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from multiprocessing.connection import Connection
from typing import Any

import gymnasium as gym
import mujoco
import numpy as np
from mujoco.batch import Batch
from mujoco.rendering.classic import gl_context

from envs.robots.names import class_name
from envs.robots.pictures import gl_platform, presets
from envs.robots.task import load
from rlplat.bench import Measured, Measurement, alternate
from rlplat.errors import SceneError
from rlplat.reports import Result

TASK = "reach"
PIXELS = 64
NUM_SIMULATIONS = 64

Work = Callable[[], int]
"""Makes some steps, and returns how many."""
UNITS = "steps/s"
COMPARED = {"pixels_1core": ("plain_loop", "pixels_gl", "gymnasium_reacher"), "state": ("batch",)}
"""What a result is set in relation to."""


def rollout(*, seconds: float = 1.0, rounds: int = 7) -> list[Result]:
    """`rollout.<task>.<kind>`: control steps/s of 64 simulations that move at random.

    `pixels_1core`, `pixels_gl`: the task's vector with pictures of 64x64 by our ray-caster and by MuJoCo's renderer,
    without privileged state. `plain_loop`: `mujoco.batch` and one `mujoco.Renderer`, at the same settings for training,
    in a loop. `gymnasium_reacher`: Reacher-v5, one environment, with the pictures of 64x64 that it renders itself.
    `state`: the vector without pictures. `batch`: `mujoco.batch` alone, with the same decisions. These alternate, on
    one core, and count by processor time, which other work on the machine changes little. `pixels_2cores`: two
    processes with a vector each, by the clock, in turn with one of them alone.
    """
    return [*_one_core(seconds, rounds), _two_cores(seconds, rounds)]


def vector(**settings: Any) -> gym.vector.VectorEnv[Any, Any, Any]:
    """Return the task's vector at the beginning of its first episodes."""
    name = f"envs.robots:rlplat/{class_name(TASK)}-v0"
    made = gym.make_vec(name, NUM_SIMULATIONS, vectorization_mode="vector_entry_point", **{"pixels": None, **settings})
    made.reset(seed=0)
    return made


def random_actions(made: gym.vector.VectorEnv[Any, Any, Any], num: int) -> list[Any]:
    """Return actions for so many steps."""
    made.action_space.seed(0)
    return [made.action_space.sample() for _ in range(num)]


def vector_work(**settings: Any) -> Work:
    """Return steps of the task's vector, moved at random."""
    made = vector(**settings)
    actions = itertools.cycle(random_actions(made, load(TASK).num_steps))

    def work() -> int:
        made.step(next(actions))
        return NUM_SIMULATIONS

    return work


class Physics:
    """The physics of a vector alone: the same episodes, and the same orders to the actuators."""

    def __init__(self) -> None:
        made = vector()
        vector_physics: Any = made.unwrapped.physics
        task = load(TASK)
        self.batch = Batch(vector_physics.batch.model, NUM_SIMULATIONS, 1, persistent=True)
        self._substeps, self._steps = task.substeps, 0
        self._start = vector_physics.batch.state.copy()
        self._orders = []
        for action in random_actions(made, task.num_steps):
            made.step(action)
            self._orders.append(vector_physics.batch.ctrl.copy())

    def step(self) -> int:
        """Make a decision in each simulation."""
        if self._steps % len(self._orders) == 0:
            self.batch.state[:] = self._start
            self.batch.forward()
        self.batch.ctrl[:] = self._orders[self._steps % len(self._orders)]
        self.batch.step(None, self._substeps, int(mujoco.mjtStage.mjSTAGE_VEL))
        self._steps += 1
        return NUM_SIMULATIONS


def plain_loop_work(num_pixels: int = PIXELS) -> Work:
    """Return steps of the physics with a picture of each simulation. Raises SceneError: there is no OpenGL."""
    physics = Physics()
    gl_context.GLContext = import_module(f"mujoco.{gl_platform.choose()}").GLContext  # else it is what a display has
    renderer = mujoco.Renderer(
        presets.for_training(physics.batch.model, num_pixels, num_pixels), num_pixels, num_pixels
    )
    renderer.scene.flags[presets.OFF] = 0
    data = mujoco.MjData(physics.batch.model)
    pictures = np.empty((NUM_SIMULATIONS, num_pixels, num_pixels, 3), np.uint8)

    def work() -> int:
        physics.step()
        for simulation in range(NUM_SIMULATIONS):
            physics.batch.get_data(simulation, data)
            renderer.update_scene(data, "front")
            renderer.render(out=pictures[simulation])
        return NUM_SIMULATIONS

    return work


def gymnasium_work(num_pixels: int = PIXELS) -> Work:
    """Return steps of Gymnasium's own Reacher, each with the picture that it renders itself.

    In a process of its own: its renderer draws in whatever OpenGL context is current.
    """
    env = gym.make("Reacher-v5", render_mode="rgb_array", width=num_pixels, height=num_pixels)
    env.reset(seed=0)
    env.action_space.seed(0)

    def work() -> int:
        _, _, terminated, truncated, _ = env.step(env.action_space.sample())
        env.render()
        if terminated or truncated:
            env.reset()
        return 1

    return work


def _rate(work: Work, seconds: float, clock: Callable[[], float]) -> float:
    count, start = 0, clock()
    while True:
        count += work()
        elapsed_s = clock() - start
        if elapsed_s >= seconds:
            return count / elapsed_s


def _one_core(seconds: float, rounds: int) -> list[Result]:
    works = {
        "pixels_1core": vector_work(pixels=PIXELS, privileged=False),
        "pixels_gl": None,
        "state": vector_work(),
        "batch": Physics().step,
        "plain_loop": None,
        "gymnasium_reacher": None,
    }
    note = ""
    try:
        works["pixels_gl"] = vector_work(pixels=PIXELS, privileged=False, renderer="gl")
        works["plain_loop"] = plain_loop_work()
        apart = ("gymnasium_reacher",)
    except SceneError as error:
        note, apart = f"left out: {error}", ()
    measurements = {name: _by_processor_time(work) for name, work in works.items() if work}
    with _processes(apart) as ends:
        for name, end in zip(apart, ends, strict=True):
            measurements[name] = lambda seconds, end=end: _together([end], seconds, "process_time")
        found = alternate(measurements, seconds=seconds, rounds=rounds)
    results = []
    for name in works:
        full_name = f"rollout.{TASK}.{name}"
        if name not in found:
            results.append(Result(full_name, None, UNITS, note=note))
            continue
        ratios = {
            f"over_{other}": found[name].over(found[other]).median for other in COMPARED.get(name, ()) if other in found
        }
        results.append(found[name].result(full_name, UNITS, threads=1, **ratios))
    return results


def _by_processor_time(work: Work) -> Measurement:
    return lambda seconds: _rate(work, seconds, time.process_time)


def _two_cores(seconds: float, rounds: int) -> Result:
    one, two = [], []
    with _processes(("pixels", "pixels")) as ends:
        for _ in range(rounds):
            one.append(_together(ends[:1], seconds))
            two.append(_together(ends, seconds))
    measured = Measured(tuple(two), rounds * seconds)
    ratio = measured.over(Measured(tuple(one), rounds * seconds))
    fields = {"over_1core": ratio.median, "processes": 2, "simulations": NUM_SIMULATIONS}
    return measured.result(f"rollout.{TASK}.pixels_2cores", UNITS, **fields)


def _together(ends: list[Connection], seconds: float, clock: str = "perf_counter") -> float:
    for end in ends:
        end.send((seconds, clock))
    return float(sum(end.recv() for end in ends))


@contextmanager
def _processes(kinds: Sequence[str]) -> Iterator[list[Connection]]:
    context = multiprocessing.get_context("spawn")
    ends, processes = [], []
    try:
        for kind in kinds:
            mine, its = context.Pipe()
            processes.append(context.Process(target=_serve, args=(its, kind), daemon=True))
            processes[-1].start()
            ends.append(mine)
        for end in ends:
            end.recv()
        yield ends
    finally:
        for process in processes:
            process.kill()
            process.join()


def _serve(end: Any, kind: str) -> None:
    """Serve durations: step for so many seconds of a clock, answer with the rate by it."""
    work = gymnasium_work() if kind == "gymnasium_reacher" else vector_work(pixels=PIXELS, privileged=False)
    work()
    end.send(None)
    while True:
        seconds, clock = end.recv()
        end.send(_rate(work, seconds, getattr(time, clock)))
