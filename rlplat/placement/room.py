"""How much of a cluster a run asks for, and whether it fits. Knows nothing of Ray, so that it answers at once.

A resource is what Ray calls `CPU` or `GPU`: a number that is counted, not enforced. A bundle is what one process of a
run asks for; it must lie on one machine. All bundles of a run are given together or not at all.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rlplat.config import PlacementConfig, RunConfig

SPARE_CPUS = 2
"""CPUs beside the collectors': the learner's and the evaluator's."""
SMALLEST_PART = 1e-4
"""Of a resource, as Ray counts."""

Resources = Mapping[str, float]


def bundles(config: RunConfig, *, num_gpus: float) -> list[dict[str, float]]:
    """Return the bundles of every process of the learner, of every collector in order, and of the evaluator if there is
    one.

    `num_gpus` are those of the cluster, see `gpu_parts`.
    """
    placement = config.placement
    of_learner, of_collector = gpu_parts(placement, num_gpus)
    learner, collector = {"CPU": 1.0}, {"CPU": float(placement.threads_per_actor)}
    if of_learner > 0:
        learner["GPU"] = of_learner
    if of_collector > 0:
        collector["GPU"] = of_collector
    evaluator = [{"CPU": 1.0}] if config.evaluation.every > 0 and config.evaluation.against else []
    learners = [dict(learner) for _ in range(placement.num_learners)]
    return [*learners, *(dict(collector) for _ in range(placement.resolve_num_actors())), *evaluator]


def gpu_parts(placement: PlacementConfig, num_gpus: float) -> tuple[float, float]:
    """Return how much of a GPU each process of the learner and each collector gets, on a cluster with `num_gpus`.

    One GPU is shared, `learner_gpu` of it for the learner and the rest for the collectors in equal parts. With more,
    every process of the learner has one of its own, and the collectors share what is left. Where nothing is left they
    evaluate on their CPUs; if the device must be `cuda`, one GPU more than the learner's is asked for.
    """
    if placement.device == "cpu" or (placement.device == "auto" and num_gpus < 1):
        return 0.0, 0.0
    num_learners, num_collectors = placement.num_learners, placement.resolve_num_actors()
    if num_learners == 1 and num_gpus < 2:
        return placement.learner_gpu, _part(1.0 - placement.learner_gpu, num_collectors)
    left = int(num_gpus) - num_learners
    if left < 1 and placement.device == "cuda":
        left = 1
    return 1.0, _part(1.0, -(-num_collectors // left)) if left > 0 else 0.0


def _part(whole: float, number: int) -> float:
    """One of `number` equal parts, rounded down as Ray counts, so that all of them fit."""
    return math.floor(whole / number / SMALLEST_PART + 1e-6) * SMALLEST_PART


def num_collectors_that_fit(config: RunConfig, nodes: Sequence[Resources]) -> int:
    """Return how many collectors find room on an empty cluster beside learner and evaluator; at least 1."""
    spare = total(nodes).get("CPU", 0) - spare_cpus(config.placement)
    return max(1, int(spare // config.placement.threads_per_actor))


def spare_cpus(placement: PlacementConfig) -> int:
    """Return the CPUs beside the collectors': those of all processes of the learner, and the evaluator's."""
    return SPARE_CPUS + placement.num_learners - 1


def total(parts: Iterable[Resources]) -> dict[str, float]:
    """Add up CPUs and GPUs."""
    sums = {"CPU": 0.0, "GPU": 0.0}
    for part in parts:
        for name in sums:
            sums[name] += part.get(name, 0.0)
    return {name: round(value, 4) for name, value in sums.items() if value > 0}


def fits(wanted: Sequence[Resources], nodes: Sequence[Resources]) -> bool:
    """Tell whether the bundles can lie on the machines, each on one: the largest are placed first, where they fit."""
    free = [dict(node) for node in nodes]
    for bundle in sorted(wanted, key=lambda each: (each.get("GPU", 0), each.get("CPU", 0)), reverse=True):
        for node in free:
            if all(node.get(name, 0) + 1e-6 >= amount for name, amount in bundle.items()):
                for name, amount in bundle.items():
                    node[name] = node.get(name, 0) - amount
                break
        else:
            return False
    return True


def in_words(resources: Resources) -> str:
    """Return `3 CPUs and 1 GPU`."""
    parts = [f"{amount:g} {name}{'' if amount == 1 else 's'}" for name, amount in resources.items() if amount > 0]
    return " and ".join(parts) or "0 CPUs"


def waits_for(wanted: Sequence[Resources], free: Resources, all_there_is: Resources) -> str:
    """Say what a run waits for: `4 CPUs; 1 of 4 CPUs is free`."""
    parts = []
    for name in total(wanted):
        there = all_there_is.get(name, 0)
        parts.append(f"{free.get(name, 0):g} of {there:g} {name}s {'is' if free.get(name, 0) == 1 else 'are'} free")
    return f"{in_words(total(wanted))}; {', '.join(parts)}"
