"""Tries a configuration out: builds everything, makes each step once, and predicts what a run would need.

The parts are those of a run, as configured. Only what the learner still lacks for its first update is made up: it is
handed the same games again.
"""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil  # type: ignore[import-untyped]

from rlplat.config import RunConfig
from rlplat.data.replay import GameReplay
from rlplat.environments.task import Task
from rlplat.evaluation.episodes import evaluate_episodes
from rlplat.evaluation.evaluate import evaluate_policy
from rlplat.hardware import num_cores
from rlplat.interfaces import Arrays, Demand, Metrics, ReplayingAgent, Summary
from rlplat.reports import Result
from rlplat.search.game import Game
from rlplat.training.build import Built, build
from rlplat.training.evaluating import check_opponents
from rlplat.training.forecast import Forecast
from rlplat.training.hosts import CollectorHost, CollectorState, LearnerHost, Report, save_collectors
from rlplat.training.pool import check_placement

MIB = 2**20
COLLECT_CALLS = 8
"""Calls of the collector that share out what the learner asks for, so that time can end them early."""
UPDATES_MEASURED = 50
"""Updates that must be owed before the ratio of updates to data is read off: it comes in whole updates."""
MOST_TURNS = 500
"""Turns after which no further update is expected of more data: far more than an update of any batch size takes."""
FILLED_POSITIONS = 100_000
"""Positions to which a replay is really filled; a larger one is taken to grow in proportion."""


def check(config: RunConfig, trust: Sequence[str] = (), *, seconds: float = 5.0) -> list[Result]:
    """Build and try all parts of a run, and predict its rates, memory, disk and duration.

    Collecting and updating are measured for about `seconds` each; a collector that needs longer for its first game is
    waited for. Raises what a run would raise. docs/cli.md lists the results.
    """
    check_placement(config.placement)
    built = build(config, trust=trust)
    check_opponents(config, built.env, trust)
    learner = LearnerHost(built.agent.make_learner(inline=config.placement.mode == "inline"))
    report = learner.start(None, None)
    learner_bytes = _memory_bytes()
    collector = CollectorHost(built.agent.make_collector(0, config.placement.resolve_num_actors()))
    collection = _collect(collector, learner, report.demand.amount, seconds)
    collector_bytes, before = _memory_bytes() - learner_bytes, _memory_bytes()
    learning = _learn(learner, collection, config.placement.resolve_num_actors(), seconds)
    learner_bytes += _memory_bytes() - before
    forecast = Forecast(
        collect_s=collection.seconds / collection.amount_made,
        update_s=learning.update_s,
        free_amount=learning.free_amount,
        updates_per_amount=learning.updates_per_amount,
        num_collectors=config.placement.resolve_num_actors(),
        num_cores=num_cores(),
        learner_threads=config.placement.learner_threads or num_cores(),
        synchronous=config.placement.mode == "inline",
    )
    return [
        *_play(built, learner, trust),
        Result("check.loss", learning.report.metrics.get("loss/total")),
        *_rates(built, collection, learning),
        *_sizes(built, learner, collector, collection, learning, learner_bytes, collector_bytes),
        *_duration(config, forecast, built.agent.unit),
    ]


@dataclass(frozen=True)
class _Collection:
    batches: list[tuple[Arrays, Summary]]
    """One for each call, in the order of time."""
    counters: Metrics
    seconds: float
    amount_made: int
    """Data that this time brought, that of games under way included: games began with the first call."""


@dataclass(frozen=True)
class _Learning:
    report: Report
    update_s: float
    free_amount: float
    updates_per_amount: float


def _collect(collector: CollectorHost, learner: LearnerHost, amount: int, seconds: float) -> _Collection:
    counters: Counter[str] = Counter()
    demand = Demand(max(1, amount // COLLECT_CALLS))
    finished, batches, start = 0, list[tuple[Arrays, Summary]](), time.perf_counter()
    while True:
        collected = collector.collect(demand, learner.version, learner.weights)
        counters.update(collected.summary.metrics)
        batches.append((collected.arrays, collected.summary))
        finished += collected.summary.amount
        elapsed_s = time.perf_counter() - start
        # Calls may be of one step, of which nobody knows what it led to.
        if (finished >= amount and len(batches) >= COLLECT_CALLS) or elapsed_s >= seconds:
            break
    under_way = int(np.count_nonzero(collector.get_state().get("num_legal", ())))
    return _Collection(batches, dict(counters), elapsed_s, finished + under_way)


def _learn(learner: LearnerHost, collection: _Collection, num_collectors: int, seconds: float) -> _Learning:
    """Hand over data until an update is owed, then see how many updates more data pays for, then make some."""
    report = learner.turn(collection.batches, 0)
    while report.progress.owed < 1:
        report = learner.turn(collection.batches, 0)
    first, num_turns = report.progress, 0
    while report.progress.owed < first.owed + UPDATES_MEASURED and num_turns < MOST_TURNS:
        report = learner.turn(collection.batches, 0)
        num_turns += 1
    last = report.progress
    if last.owed > first.owed:
        updates_per_amount = (last.owed - first.owed) / (last.amount - first.amount)
        free_amount = max(0.0, last.amount - last.owed / updates_per_amount)
    else:  # on-policy: newer data takes the place of older, and a round of all collectors is worth one update
        updates_per_amount, free_amount = 1 / (num_collectors * collection.batches[-1][1].amount), 0.0
    report = learner.turn([], 1)  # the first one is slow
    num_updates, start = 0, time.perf_counter()
    while time.perf_counter() - start < seconds or num_updates == 0:
        if report.progress.owed == 0:
            learner.turn(collection.batches, 0)
        report = learner.turn([], 1)
        num_updates += 1
    update_s = (time.perf_counter() - start) / num_updates
    return _Learning(report, update_s, free_amount, updates_per_amount)


def _play(built: Built, learner: LearnerHost, trust: Sequence[str]) -> list[Result]:
    """One move, and a pair of games against the weakest opponent; of a task, an episode."""
    settings = built.config.evaluation
    policy = built.agent.make_policy(learner.weights, num_simulations=settings.num_simulations, seed=built.config.seed)
    if isinstance(built.env, Task):
        (returns,) = evaluate_episodes(built.env, policy, [], num_episodes=1, seed=built.config.seed, trust=trust)
        return [Result("check.evaluation.return", returns.mean_return, "reward/episode")]
    state = built.game.initial_state()
    move = state.action_text(int(policy.act([state])[0]))
    (match,) = evaluate_policy(
        built.game,
        policy,
        ["random"],
        num_games=2,
        opening_plies=settings.opening_plies,
        seed=built.config.seed,
        trust=trust,
    )
    return [Result("check.move", move), Result("check.evaluation.random.score", match.score, "points/game")]


def _rates(built: Built, collection: _Collection, learning: _Learning) -> list[Result]:
    unit = built.agent.unit.removesuffix("s")
    rates, _ = built.agent.view(built.agent.summarise(collection.counters, collection.seconds))
    rates[built.agent.unit] = collection.amount_made / collection.seconds
    rates.pop("games", None)  # those that have ended tell little so early
    return [
        *(Result(f"check.rate.{name}", rate, f"{name}/s per core") for name, rate in rates.items()),
        Result("check.rate.updates", 1 / learning.update_s, "updates/s"),
        Result(f"check.rate.updates_per_{unit}", learning.updates_per_amount, f"updates/{unit}"),
    ]


def _sizes(
    built: Built,
    learner: LearnerHost,
    collector: CollectorHost,
    collection: _Collection,
    learning: _Learning,
    learner_bytes: int,
    collector_bytes: int,
) -> list[Result]:
    """Memory of the processes and size of a checkpoint, now and with a full replay."""
    config = built.config
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        learner.save(folder)
        save_collectors(folder, [CollectorState(0, collector.get_state())] * config.placement.resolve_num_actors())
        checkpoint_bytes = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    results = {
        "memory.collector": collector_bytes,
        "memory.learner_now": learner_bytes,
        "disk.checkpoint_now": checkpoint_bytes,
    }
    # Of agents whose replay has no such bound nothing can be said.
    capacity = getattr(getattr(config.agent, "replay", None), "max_positions", None)
    if isinstance(built.agent, ReplayingAgent):
        results["memory.learner_full"] = learner_bytes + built.agent.replay_bytes
        results["disk.checkpoint_full"] = checkpoint_bytes + built.agent.replay_bytes
    elif capacity is not None:
        memory_bytes, disk_bytes = _replay_bytes(built.game, collection.batches[0][0], capacity)
        missing = 1.0 - learning.report.metrics.get("replay/positions", 0.0) / capacity
        results["memory.learner_full"] = int(learner_bytes + missing * memory_bytes)
        results["disk.checkpoint_full"] = int(checkpoint_bytes + missing * disk_bytes)
    if "disk.checkpoint_full" in results:
        # Besides the newest ones the best is kept, and the next is written before the oldest goes.
        results["disk.run_full"] = results["disk.checkpoint_full"] * (config.training.keep_checkpoints + 2)
    return [Result(f"check.{name}", size / MIB, "MiB") for name, size in results.items()]


def _replay_bytes(game: Game, arrays: Arrays, capacity: int) -> tuple[float, float]:
    """Bytes in memory and in a checkpoint of a replay that is full of such games."""
    filled = max(game.max_length, min(capacity, FILLED_POSITIONS))
    replay = GameReplay(game, filled)
    copies = -(-filled // len(arrays["player"]))  # rounded up; what is too much makes room again
    replay.add({name: np.concatenate([array] * copies) for name, array in arrays.items()})
    disk_bytes = sum(array.nbytes for array in replay.state().values())
    return replay.bytes * capacity / filled, disk_bytes * capacity / max(1, replay.num_positions)


def _duration(config: RunConfig, forecast: Forecast, unit: str) -> list[Result]:
    """Minutes to each budget, and what the run has brought when the first one ends it."""
    training = config.training
    minutes = {}
    if training.max_updates is not None:
        minutes["max_updates"] = forecast.minutes_for(forecast.amount_for(training.max_updates))
    if training.max_amount is not None:
        minutes["max_amount"] = forecast.minutes_for(training.max_amount)
    if training.max_minutes is not None:
        minutes["max_minutes"] = training.max_minutes
    ends_by = min(minutes, key=lambda budget: minutes[budget])
    amount = forecast.amount_after(minutes[ends_by])
    return [
        *(Result(f"check.minutes.{budget}", value, "minutes") for budget, value in minutes.items()),
        Result("check.end.by", f"training.{ends_by}"),
        Result("check.end.minutes", minutes[ends_by], "minutes"),
        Result(f"check.end.{unit}", round(amount), unit),
        Result("check.end.updates", round(forecast.updates_at(amount)), "updates"),
    ]


def _memory_bytes() -> int:
    return int(psutil.Process().memory_info().rss)
