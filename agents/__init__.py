"""Learning algorithms, a folder each. What they measure is registered here and imported when it is asked for."""

from __future__ import annotations

from importlib.util import find_spec

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


def _placement() -> list[Result]:
    from agents.alphazero.self_play_bench import CONFIGS_FOLDER
    from rlplat.config import load_config
    from rlplat.placement.bench import placement

    results = placement(load_config(CONFIGS_FOLDER / "connect_four_quick.yaml"))
    if find_spec("mujoco") is None:
        return results
    two_actors = ["placement.mode=ray", "placement.num_actors=2"]
    return results + placement(load_config(CONFIGS_FOLDER / "reach.yaml", two_actors))


def _visuomotor() -> list[Result]:
    from agents.visuomotor.bench import visuomotor

    return visuomotor()


bench.register("selfplay", _selfplay)
bench.register("inference", _inference)
bench.register("learner", _learner)
bench.register("placement", _placement)
bench.register("visuomotor", _visuomotor)
