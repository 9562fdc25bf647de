"""Recorded outcomes of transplanting, and an executor that draws from them.

What became of a seedling is drawn as it was recorded, as a whole, from among seedlings alike: poor or good, then with
as many neighbours, then of a like size, then as far from the raft. Where fewer than `LEAST` were recorded that are
alike in all of it, what stands last does not count. So the table knows what its recordings show, and nothing is
assumed of the form of a dependence; what it cannot know is how the outcomes of one tray hang together.

The file is CSV behind one line of JSON, `# {"task": ..., "skill": ..., "parameters": {...}}`; columns: `COLUMNS`.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from envs.farm.day.transplants import Transplanted, Tray
from envs.farm.seedlings.layout import COLUMNS as COLUMNS_OF_TRAY
from envs.farm.seedlings.layout import ROWS
from envs.farm.seedlings.seedling import GOOD_QUALITY, Seedling
from envs.farm.seedlings.settings import SeedlingSettings
from envs.robots.settings import read_settings
from rlplat.errors import ConfigError
from rlplat.problems import suggestion

FOLDER = Path(__file__).parent / "outcomes"
TASK = "SeedlingTransplant"
FEATURES = ("size", "quality", "row", "column", "num_neighbours")
COLUMNS = (*FEATURES, *(field.name for field in fields(Transplanted)))
_RANGES = {
    "size": (0.0, 10.0),
    "quality": (0.0, 1.0),
    "row": (0.0, ROWS - 1.0),
    "column": (0.0, COLUMNS_OF_TRAY - 1.0),
    "num_neighbours": (0.0, 8.0),
    "planted": (0.0, 1.0),
    "strain": (0.0, 1.0),
    "seconds": (0.0, 3600.0),
}
LEAST = 20
"""Recorded outcomes from which one is drawn, at least, while there are as many."""
_SIZES = (0.95, 1.05)
"""Borders between small, middling and large leaves."""


@dataclass(frozen=True)
class Recorded:
    """A seedling and what became of it."""

    size: float
    quality: float
    row: int
    column: int
    num_neighbours: int
    """Seedlings in the eight cells around it."""
    outcome: Transplanted


@dataclass(frozen=True)
class Recording:
    """What a skill did with trays."""

    skill: str
    parameters: dict[str, Any]
    """Of SeedlingTransplant."""
    rows: tuple[Recorded, ...]


def num_neighbours(seedling: Seedling, tray: Iterable[Seedling]) -> int:
    """Return how many of a tray's seedlings stand in the eight cells around one of them."""
    away = (max(abs(other.row - seedling.row), abs(other.column - seedling.column)) for other in tray)
    return sum(distance == 1 for distance in away)


class TableExecutor:
    """Draws outcomes from those recorded."""

    def __init__(self, recording: Recording) -> None:
        """Fit to a recording. Raises ConfigError: its parameters are none of SeedlingTransplant, or it is empty."""
        self.settings = read_settings(TASK, SeedlingSettings, recording.parameters)
        self._bins: dict[tuple[int, ...], list[Transplanted]] = {}
        for row in recording.rows:
            alike = _alike(row.quality, row.num_neighbours, row.size, row.row)
            for depth in range(len(alike) + 1):
                self._bins.setdefault(alike[:depth], []).append(row.outcome)
        if not recording.rows:
            raise ConfigError(f"the outcomes recorded of {recording.skill} are none; record some trays")

    def transplant(self, trays: Sequence[Tray]) -> list[list[Transplanted]]:
        """Return an outcome for each seedling of each tray."""
        found = []
        for tray in trays:
            generator = np.random.default_rng(tray.seed)
            of_tray = [self.alike(each, num_neighbours(each, tray.seedlings)) for each in tray.seedlings]
            found.append([outcomes[int(generator.integers(len(outcomes)))] for outcomes in of_tray])
        return found

    def alike(self, seedling: Seedling, neighbours: int) -> Sequence[Transplanted]:
        """Return the recorded outcomes from which that of a seedling is drawn."""
        key = _alike(seedling.quality, neighbours, seedling.size, seedling.row)
        depths = range(len(key), 0, -1)
        enough = (self._bins[key[:depth]] for depth in depths if len(self._bins.get(key[:depth], ())) >= LEAST)
        return next(enough, self._bins.get(key[:1], self._bins[()]))


def _alike(quality: float, neighbours: int, size: float, row: int) -> tuple[int, ...]:
    """Return in which bin a seedling is, the most telling feature first."""
    return (int(quality >= GOOD_QUALITY), min(neighbours, 2), int(np.searchsorted(_SIZES, size)), 2 * row // ROWS)


def load_outcomes(name: str) -> Recording:
    """Read outcomes by the name of shipped ones or the path of a .csv file.

    Raises ConfigError: no such outcomes, of another task, or what is wrong in which line.
    """
    path = Path(name)
    if path.suffix != ".csv":
        shipped = sorted(file.stem for file in FOLDER.glob("*.csv"))
        if name not in shipped:
            raise ConfigError(f"{name!r} is none of the outcomes{suggestion(name, shipped)}; or give a .csv file")
        path = FOLDER / f"{name}.csv"
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}") from error
    head = _head(path, lines)
    return Recording(head["skill"], head["parameters"], tuple(_rows(path, lines[1:])))


def save_outcomes(path: Path, recording: Recording) -> None:
    """Write outcomes."""
    head = {"task": TASK, "skill": recording.skill, "parameters": recording.parameters}
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(f"# {json.dumps(head)}\n")
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        for row in recording.rows:
            features = {name: getattr(row, name) for name in FEATURES}
            writer.writerow({name: _text(value) for name, value in (features | asdict(row.outcome)).items()})


def _head(path: Path, lines: Sequence[str]) -> dict[str, Any]:
    advice = "record outcomes with python -m envs.farm.day.record_transplants"
    try:
        head = json.loads(lines[0].removeprefix("# ")) if lines else None
    except json.JSONDecodeError:
        head = None
    if not isinstance(head, dict) or not {"task", "skill", "parameters"} <= head.keys():
        raise ConfigError(f"{path}:1: this is no file of outcomes: its first line does not say of what; {advice}")
    if head["task"] != TASK:
        raise ConfigError(f"{path}:1: these are outcomes of {head['task']}; they must be of {TASK}; {advice}")
    return head


def _rows(path: Path, lines: Sequence[str]) -> Iterable[Recorded]:
    reader = csv.DictReader(lines)
    if tuple(reader.fieldnames or ()) != COLUMNS:
        raise ConfigError(f"{path}:2: the columns are {reader.fieldnames}; they must be {list(COLUMNS)}")
    for number, line in enumerate(reader, start=3):
        lost = line.pop("lost", None)
        try:
            numbers = {name: float(value) for name, value in line.items()}
        except (TypeError, ValueError) as error:
            raise ConfigError(f"{path}:{number}: {error}; every column but lost is a number") from error
        for name, (low, high) in _RANGES.items():
            if not low <= numbers[name] <= high:
                raise ConfigError(f"{path}:{number}: {name} is {line[name]}; it must be from {low:g} to {high:g}")
        outcome = Transplanted(
            bool(numbers["planted"]), lost or None, *(numbers[name] for name in ("strain", "offset_mm", "seconds"))
        )
        row, column, neighbours = (int(numbers[name]) for name in ("row", "column", "num_neighbours"))
        yield Recorded(numbers["size"], numbers["quality"], row, column, neighbours, outcome)


def _text(value: float | str | None) -> str:
    return f"{float(value):.4g}" if isinstance(value, (int, float)) else value or ""
