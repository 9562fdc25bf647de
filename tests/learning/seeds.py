"""Runs of one configuration over several seeds, and what their evaluations in training found."""

from __future__ import annotations

import json
from pathlib import Path

from conftest import ROOT, rlplat


def lows_of_seeds(config: str, seeds: range, folder: Path, *options: str) -> dict[int, list[float]]:
    """Train with each seed; by seed, the lower ends of the 95 % intervals of the return, one for each evaluation."""
    found = {}
    for seed in seeds:
        run = folder / str(seed)
        result = rlplat(
            "train", ROOT / "configs" / config, "--run-dir", run, "-o", f"seed={seed}", *options, timeout=3600
        )
        assert result.returncode == 0, result.stderr
        rows = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
        found[seed] = [row["evaluation/return_low"] for row in rows if "evaluation/return_low" in row]
        print(f"seed {seed}: lower ends " + ", ".join(f"{low:.1f}" for low in found[seed]))
    return found
