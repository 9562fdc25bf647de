"""What limits self-play on this machine: where the time of its collectors goes, and what to change."""

from __future__ import annotations

from collections.abc import Mapping

STAGES = {"network": "inference", "tree": "search", "encoding": "encoding"}
"""Parts of the time, by the stages of a collector's call; the rest of a call is Python."""
WORDS = {
    "network": "the network takes",
    "tree": "the tree search takes",
    "encoding": "writing positions down for the network takes",
    "python": "Python, with the records of finished games, takes",
    "waiting": "collectors wait for a core, which other programs or another collector's Python have,",
}
REMEDIES = {"network": "inference", "tree": "search", "python": "calls"}
"""Which of the agent's remedies makes a part smaller."""


def shares(stages: Mapping[str, float], processor_s: float, elapsed_s: float) -> dict[str, float]:
    """Divide the time of collectors of one thread each, in per cent that add up to 100.

    Args:
        stages: seconds by stage (`rlplat.interfaces.Summary.stages`), by the clock, of all collectors together.
        processor_s: processor time of their threads.
        elapsed_s: seconds by the clock, of all threads together.

    `waiting` is the time without a core. What the clock says of the stages is made less by that share, for all alike:
    which of them had to wait is not known.
    """
    waiting = max(0.0, 1.0 - processor_s / elapsed_s)
    found = {part: stages[stage] / elapsed_s for part, stage in STAGES.items()}
    found["python"] = 1.0 - sum(found.values())
    return {part: 100.0 * share * (1.0 - waiting) for part, share in found.items()} | {"waiting": 100.0 * waiting}


def limit(percent: Mapping[str, float], remedies: Mapping[str, str]) -> str:
    """Say in one sentence which part is the largest, and what to change; `remedies` as the agent names them."""
    part = max(percent, key=lambda name: percent[name])
    if part == "waiting":
        change = "end other programs, or play with fewer collectors"
    else:
        remedy = remedies.get(REMEDIES.get(part, ""))
        change = f"{remedy}, or add cores for more collectors" if remedy else "add cores for more collectors"
    return f"{WORDS[part]} {percent[part]:.0f} % of the time: that is the limit; {change}"
