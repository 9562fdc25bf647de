"""Learning algorithms, a folder each. What they measure is registered here and imported when it is asked for."""

from __future__ import annotations

from rlplat import bench
from rlplat.reports import Result


def _selfplay() -> list[Result]:
    from agents.alphazero.self_play_bench import selfplay

    return selfplay()


def _inference() -> list[Result]:
    from agents.alphazero.bench import inference

    return inference()


def _learner() -> list[Result]:
    from agents.alphazero.bench import learner

    return learner()


bench.register("selfplay", _selfplay)
bench.register("inference", _inference)
bench.register("learner", _learner)
