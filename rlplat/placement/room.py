"""How much of a cluster a run asks for, and whether it fits. Knows nothing of Ray, so that it answers at once.

A resource is what Ray calls `CPU` or `GPU`: a number that is counted, not enforced. A bundle is what one process of a
run asks for; it must lie on one machine. All bundles of a run are given together or not at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rlplat.config import RunConfig

SPARE_CPUS = 2
"""CPUs beside the collectors': the learner's and the evaluator's."""

Resources = Mapping[str, float]


def bundles(config: RunConfig, *, num_gpus: float) -> list[dict[str, float]]:
    """Return the bundles of the learner, of every collector in order, and of the evaluator if there is one.

    `num_gpus` are those of the cluster. Where there are some (or the configuration demands one) and the device is not
    `cpu`, the learner takes half of one and the collectors share the other half.
    """
    placement = config.placement
    num_collectors = placement.resolve_num_actors()
    learner, collector = {"CPU": 1.0}, {"CPU": float(placement.threads_per_actor)}
    if placement.device == "cuda" or (placement.device == "auto" and num_gpus > 0):
        learner["GPU"] = 0.5
        collector["GPU"] = 0.5 / num_collectors
    evaluator = [{"CPU": 1.0}] if config.evaluation.every > 0 and config.evaluation.against else []
    return [learner, *(dict(collector) for _ in range(num_collectors)), *evaluator]


def num_collectors_that_fit(config: RunConfig, nodes: Sequence[Resources]) -> int:
    """Return how many collectors find room on an empty cluster beside learner and evaluator; at least 1."""
    spare = total(nodes).get("CPU", 0) - SPARE_CPUS
    return max(1, int(spare // config.placement.threads_per_actor))


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
