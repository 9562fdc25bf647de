"""Records what a skill does with trays, for `executor: model`: `python -m envs.farm.day.record_transplants --help`.

python -m envs.farm.day.record_transplants vision --out vision.csv --parameters '{level: 4}'
python -m envs.farm.day.record_transplants checkpoint:runs/seedling_l2@latest --out seedling_l2.csv
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from envs.farm.day.transplant_skill import SkillExecutor
from envs.farm.day.transplant_table import Recorded, Recording, num_neighbours, save_outcomes
from envs.farm.day.transplants import Tray
from envs.farm.seedlings.draws import draw_seedlings
from envs.farm.seedlings.players import PLAYERS
from rlplat.errors import RlplatError

FIRST_SEED = 2_000_000
"""No seed of FarmDay's trays or of its scores."""


def record(skill: str, parameters: Mapping[str, Any], num_trays: int) -> Recording:
    """Let a skill work on drawn trays. Raises ConfigError and others: see `SkillExecutor`."""
    executor = SkillExecutor(skill, parameters)
    seeds = range(FIRST_SEED, FIRST_SEED + num_trays)
    trays = [Tray(tuple(draw_seedlings(np.random.default_rng(seed), executor.settings)), seed) for seed in seeds]
    rows = []
    for tray, done in zip(trays, executor.transplant(trays), strict=True):
        for one, outcome in zip(tray.seedlings, done, strict=True):
            neighbours = num_neighbours(one, tray.seedlings)
            rows.append(Recorded(one.size, one.quality, one.row, one.column, neighbours, outcome))
    return Recording(skill, executor.parameters, tuple(rows))


def main(words: Sequence[str] | None = None) -> None:
    """Record and write a file of outcomes."""
    parser = argparse.ArgumentParser(prog="python -m envs.farm.day.record_transplants", description="Records outcomes.")
    parser.add_argument("skill", help=f"{', '.join(PLAYERS)}, or checkpoint:RUN@latest")
    parser.add_argument("--out", type=Path, required=True, help="the .csv file to write")
    parser.add_argument("--parameters", type=yaml.safe_load, default={}, help="of SeedlingTransplant, as YAML")
    parser.add_argument("--trays", type=int, default=200)
    arguments = parser.parse_args(words)
    if arguments.out.suffix != ".csv":
        parser.error(f"--out is {arguments.out}; it must end with .csv, by which FarmDay knows a file of outcomes")
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    try:
        recording = record(arguments.skill, arguments.parameters, arguments.trays)
    except RlplatError as error:
        sys.exit(str(error))
    save_outcomes(arguments.out, recording)
    became = Counter(row.outcome.lost or ("planted" if row.outcome.planted else "left") for row in recording.rows)
    print(f"{arguments.out}: {len(recording.rows)} seedlings: {', '.join(f'{n} {what}' for what, n in became.items())}")


if __name__ == "__main__":
    main()
