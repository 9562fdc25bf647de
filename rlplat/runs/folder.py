"""A run's folder: everything that a person wants to know about a run, readable with nothing else alive."""

from __future__ import annotations

import difflib
import json
import logging
import shutil
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rlplat.errors import RunError
from rlplat.hardware import git_commit, hardware, versions
from rlplat.runs.durable import Appender, plain, write_json, write_text
from rlplat.runs.lines import read_last_line
from rlplat.runs.lock import hold, is_locked

STATES = ("created", "waiting", "running", "finished", "stopped", "failed")
"""`waiting`: for room on a cluster. `stopped`: early, on request; can be resumed. `finished`: reached its budget."""

_RUN_FILE = "run.json"
_FORMAT = 1

_log = logging.getLogger(__name__)


class RunFolder:
    """The paths, the state and the lock of one run. Made by `create` or `open`."""

    def __init__(self, path: Path, record: dict[str, Any]) -> None:
        self.path = path
        self._record = record
        self._records_failed = False

    @classmethod
    def create(cls, path: Path | str, *, config_text: str, info: Mapping[str, Any]) -> RunFolder:
        """Make a new run in state `created`.

        `config_text` becomes config.yaml. `info` holds facts that stay true (seed, agent, game, ...) and lands at the
        top level of run.json, beside versions, git and hardware, which are found here; where the code came from
        another checkout than this folder's, `info` names that one's `git`.

        Raises RunError if the folder holds anything already or cannot be written.
        """
        path = Path(path)
        if path.exists() and not path.is_dir():
            raise RunError(f"{path} is a file; a run needs a folder of its own: choose another with --run-dir")
        if path.is_dir() and any(path.iterdir()):
            if (path / _RUN_FILE).exists():
                raise RunError(f"{path} already holds a run; continue it with --resume, or choose another --run-dir")
            raise RunError(f"{path} is not empty, and holds no run; choose another folder with --run-dir")
        record = {"format": _FORMAT, "state": "created", "name": path.absolute().name}
        record |= {"created": _now(), "updated": _now(), "started": None, "ended": None, "progress": {}}
        record |= {"versions": versions(), "hardware": hardware()}
        if "git" not in info:
            record["git"] = git_commit(Path.cwd())
        if clash := sorted(set(record) & set(info)):
            raise ValueError(
                f"run.json has keys of its own named {', '.join(clash)}; name the facts in `info` otherwise"
            )
        folder = cls(path, record | plain(info))
        try:
            parts = (folder.checkpoints_path, folder.evaluations_path, folder.games_path, folder.logs_path)
            for part in parts:
                part.mkdir(parents=True, exist_ok=True)
            write_text(folder.config_path, config_text)
            write_json(path / _RUN_FILE, folder._record)  # last: a folder with run.json is a whole one
        except OSError as error:
            shutil.rmtree(path, ignore_errors=True)  # it was empty or not there
            raise RunError(
                f"{path}: cannot make a run folder: {error.strerror}; mend that, or choose another --run-dir"
            ) from error
        return folder

    @classmethod
    def open(cls, path: Path | str) -> RunFolder:
        """Open an existing run; raises RunError (with the nearest names of its siblings) if there is none."""
        path = Path(path)
        try:
            record = json.loads((path / _RUN_FILE).read_text(encoding="utf-8"))
        except (FileNotFoundError, NotADirectoryError) as error:
            found = f"{path} is not a run folder (it has no {_RUN_FILE})" if path.exists() else f"{path} does not exist"
            raise RunError(f"{found}; {_suggest(path)}") from error
        except (OSError, ValueError) as error:
            raise RunError(f"{path / _RUN_FILE} cannot be read: {error}; restore it from a copy of the run") from error
        if not isinstance(record, dict) or record.get("format") != _FORMAT:
            kind = record.get("format") if isinstance(record, dict) else type(record).__name__
            raise RunError(f"{path / _RUN_FILE} has format {kind}; this rlplat reads format {_FORMAT}")
        return cls(path, record)

    @property
    def config_path(self) -> Path:
        return self.path / "config.yaml"

    @property
    def checkpoints_path(self) -> Path:
        return self.path / "checkpoints"

    @property
    def evaluations_path(self) -> Path:
        return self.path / "evaluations"

    @property
    def games_path(self) -> Path:
        return self.path / "games"

    @property
    def videos_path(self) -> Path:
        """Made when the first one is written."""
        return self.path / "videos"

    @property
    def logs_path(self) -> Path:
        return self.path / "logs"

    @property
    def metrics_path(self) -> Path:
        return self.path / "metrics.jsonl"

    @property
    def info(self) -> Mapping[str, Any]:
        """The content of run.json as last read or written."""
        return self._record

    @property
    def state(self) -> str:
        """One of `STATES`."""
        return str(self._record["state"])

    def update(self, state: str | None = None, *, advice: str | None = None, **progress: float) -> None:
        """Write a new state, what limits the run (None: unchanged), and progress numbers, merged into the known ones.

        Called by the holder of the lock. Progress that cannot be written costs a warning, not the run.
        """
        if state is not None and state not in STATES:
            raise ValueError(f"state is {state!r}; it must be one of {', '.join(STATES)}")
        record = self._record | {"updated": _now(), "progress": self._record["progress"] | plain(progress)}
        if advice is not None:
            record["advice"] = advice
        if state is not None:
            record["state"] = state
            record.pop("waits_for", None)
        if state == "running":
            record |= {"started": record["started"] or _now(), "ended": None}
        elif state in ("finished", "stopped", "failed"):
            record["ended"] = _now()
        self._write(record)

    def wait(self, waits_for: str) -> None:
        """Write the state `waiting` and what for, in words; the next state ends it."""
        self._write(self._record | {"updated": _now(), "state": "waiting", "waits_for": waits_for})

    def reconfigure(self, config_text: str, step: int, changes: Mapping[str, tuple[Any, Any]]) -> None:
        """Replace config.yaml for what comes after `step`; the old one is kept beside it, the changes in run.json."""
        number = len(self._record.get("changes", ()))
        write_text(self.path / f"config.{number}.yaml", self.config_path.read_text(encoding="utf-8"))
        write_text(self.config_path, config_text)
        change = {"step": step, "time": _now(), "was_and_is": {name: list(pair) for name, pair in changes.items()}}
        self._write(self._record | {"changes": [*self._record.get("changes", ()), plain(change)]})

    def _write(self, record: dict[str, Any]) -> None:
        self._record = record
        try:
            write_json(self.path / _RUN_FILE, record)
        except OSError as error:
            _log.warning("%s could not be updated: %s; the run goes on", self.path / _RUN_FILE, error.strerror)

    def lock(self) -> AbstractContextManager[None]:
        """Hold the run for this process, as everyone who trains it must; entering raises RunError if another has it."""
        return hold(self.path)

    def write_records(self, step: int, lines: Sequence[str]) -> None:
        """Append game records to games/<step>.txt, one per line; a full disk costs the records, not the run."""
        if not lines:
            return
        try:
            with Appender(self.games_path / f"{step:08d}.txt") as file:
                file.append("".join(line + "\n" for line in lines).encode())
        except OSError as error:
            if not self._records_failed:
                _log.warning("%s: game records cannot be written: %s; going on", self.games_path, error.strerror)
            self._records_failed = True

    def discard_unused(self) -> None:
        """Delete the folder if the run came to nothing: no metrics were written and no checkpoint."""
        if not self.metrics_path.exists() and not any(self.checkpoints_path.iterdir()):
            shutil.rmtree(self.path, ignore_errors=True)

    def drop_records_after(self, step: int) -> None:
        """Delete the game records and evaluations of later steps, which a resumed run makes again."""
        for path in [*self.games_path.glob("*.txt"), *self.evaluations_path.glob("*.json")]:
            number = path.stem.rpartition("-")[2]  # of 00000500.txt and of 20260102T030405000000Z-500.json
            if number.isdecimal() and int(number) > step:
                path.unlink(missing_ok=True)


@dataclass(frozen=True)
class RunInfo:
    """One row of the list of runs."""

    name: str
    path: Path
    state: str
    """One of `STATES`, `interrupted` (was killed while running or waiting) or `unreadable`."""
    created: str | None
    updated: str | None
    """UTC, ISO 8601."""
    progress: Mapping[str, float]
    metrics: Mapping[str, Any] | None
    """The last line of metrics.jsonl; None if there is none."""
    waits_for: str | None = None
    """What a waiting run waits for."""


def list_runs(root: Path | str) -> list[RunInfo]:
    """Return the runs directly below `root`, newest first; an empty list if there are none or no such folder."""
    root = Path(root)
    paths = [path.parent for path in root.glob(f"*/{_RUN_FILE}")] if root.is_dir() else []
    return sorted((describe_run(path) for path in paths), key=lambda run: (run.created or "", run.name), reverse=True)


def describe_run(path: Path) -> RunInfo:
    """Return what is known of the run in a folder."""
    try:
        folder = RunFolder.open(path)
    except RunError:
        return RunInfo(path.name, path, "unreadable", None, None, {}, None)
    record = folder.info
    state = "interrupted" if folder.state in ("running", "waiting") and not is_locked(path) else folder.state
    metrics, waits_for = read_last_line(folder.metrics_path), record.get("waits_for") if state == "waiting" else None
    return RunInfo(path.name, path, state, record["created"], record["updated"], record["progress"], metrics, waits_for)


def _suggest(path: Path) -> str:
    root = path.absolute().parent
    names = sorted(entry.parent.name for entry in root.glob(f"*/{_RUN_FILE}"))
    if not names:
        return f"{root} holds no runs; start one with `rlplat train CONFIG`"
    near = difflib.get_close_matches(path.name, names, n=3, cutoff=0.5)
    if near:
        return f"did you mean {' or '.join(str(path.with_name(name)) for name in near)}?"
    return f"runs there: {', '.join(names[:10])}"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
