"""What Ray costs: the same collectors on Ray, and as bare processes. `rlplat bench placement`."""

from __future__ import annotations

import multiprocessing
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any

from rlplat.bench import Measured
from rlplat.config import RunConfig
from rlplat.environments.resolve import Environment
from rlplat.environments.task import Task
from rlplat.interfaces import Summary
from rlplat.placement.ray_pool import RayPool
from rlplat.reports import Result
from rlplat.training.build import Built, build
from rlplat.training.hosts import CollectorHost


def placement(config: RunConfig, *, seconds: float = 20.0, warm_up_s: float = 5.0, rounds: int = 3) -> list[Result]:
    """`placement.<game>.games` or `placement.<task>.steps`, and of both `inline_ratio` and `driver`.

    In each round the collectors of `config` work for `seconds` as processes that know nothing of each other, and then
    on Ray, with a loop that hands their data to the learner, which makes no update. What Ray makes is counted in games
    or steps per second; `inline_ratio` is that over the bare processes of the same round; `driver` the share of a core
    that the process with the loop takes.
    """
    built = build(config)
    bare, on_ray, driver = [], [], []
    for _ in range(rounds):
        bare.append(_bare_processes(config, seconds, warm_up_s))
        made_per_s, driver_share = _ray(built, seconds, warm_up_s)
        on_ray.append(made_per_s)
        driver.append(driver_share)
    spent = rounds * (seconds + warm_up_s)
    unit = "games" if config.env.is_game else "steps"
    made, name = Measured(tuple(on_ray), spent), f"placement.{_short_name(built.env)}"
    fields: dict[str, Any] = {"collectors": config.placement.resolve_num_actors()}
    return [
        made.result(f"{name}.{unit}", f"{unit}/s", bare=statistics.median(bare), **fields),
        made.over(Measured(tuple(bare), spent)).result(f"{name}.inline_ratio", **fields),
        Measured(tuple(driver), spent).result(f"{name}.driver", "cores", **fields),
    ]


def _short_name(env: Environment) -> str:
    """Of a game its name; of a task that of its id, without namespace and version."""
    return env.short_name if isinstance(env, Task) else env.name


def _made(config: RunConfig, summary: Summary) -> int:
    """What counts of a call: games, as they differ in length, or steps of a task."""
    return summary.episodes if config.env.is_game else summary.amount


def _ray(built: Built, seconds: float, warm_up_s: float) -> tuple[float, float]:
    """What is made per second, and the driver's processor time per second."""
    pool = RayPool(built.config, built.env, built.agent)
    try:
        demand = pool.start(None, None).demand

        def run(duration: float) -> tuple[float, float]:
            made, start, own = 0, time.perf_counter(), time.process_time()
            while (elapsed_s := time.perf_counter() - start) < duration:
                batches = pool.collect(demand)
                made += sum(_made(built.config, batch.summary) for batch in batches)
                if batches:
                    pool.advance(batches, 0)
            return made / elapsed_s, (time.process_time() - own) / elapsed_s

        while run(0.1)[0] == 0:  # until the collectors are up
            pass
        run(warm_up_s)
        return run(seconds)
    finally:
        pool.close()


def _bare_processes(config: RunConfig, seconds: float, warm_up_s: float) -> float:
    """What one process per collector makes per second, all started together."""
    count = config.placement.resolve_num_actors()
    with _processes(config, count) as ends:
        for end in ends:
            end.recv()
        for duration in (warm_up_s, seconds):
            for end in ends:
                end.send(duration)
            rates = [end.recv() for end in ends]
    return float(sum(rates))


@contextmanager
def _processes(config: RunConfig, count: int) -> Iterator[list[Connection]]:
    context = multiprocessing.get_context("spawn")
    ends, processes = [], []
    try:
        for index in range(count):
            mine, its = context.Pipe()
            process = context.Process(target=_collect, args=(config, index, count, its), daemon=True)
            process.start()
            ends.append(mine)
            processes.append(process)
        yield ends
    finally:
        for process in processes:
            process.kill()
            process.join()


def _collect(config: RunConfig, index: int, count: int, end: Any) -> None:
    """Serve durations: collect for so many seconds, answer with what was made per second."""
    built = build(config)
    learner = built.agent.make_learner(inline=True)
    demand, weights = learner.demand(), learner.publish()
    collector = CollectorHost(built.agent.make_collector(index, count))
    end.send(None)
    while True:
        duration = end.recv()
        made, start = 0, time.perf_counter()
        while (elapsed_s := time.perf_counter() - start) < duration:
            made += _made(config, collector.collect(demand, 1, weights).summary)
        end.send(made / elapsed_s)
