"""Checkpoints: folders that are whole or not there, and that know when they were changed."""

from __future__ import annotations

import contextlib
import difflib
import json
import logging
import os
import re
import shutil
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]

from rlplat.errors import CheckpointError
from rlplat.runs import manifest
from rlplat.runs.durable import is_disk_full, sync, write_json

WEIGHTS_FILE = "weights.safetensors"
"""The published weights in a checkpoint: what play, evaluation and `--init-from` read."""

_BEST_FILE = "best.json"

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint that was found whole. `manifest` holds format, step, time, info, and size and sha256 per file."""

    path: Path
    step: int
    manifest: Mapping[str, Any]

    @property
    def info(self) -> dict[str, Any]:
        """What the writer said of it."""
        return dict(self.manifest["info"])

    def verify(self) -> None:
        """Raise CheckpointError, naming the file and both hashes, unless the files are those that were written."""
        manifest.verify(self.path, self.manifest)


class CheckpointStore:
    """The checkpoints of a run: `<folder>/<step>`, of which the newest `keep` and the best one stay.

    One process writes (it holds the lock of the run); any number may read meanwhile.
    """

    def __init__(self, folder: Path, keep: int) -> None:
        if keep < 1:
            raise ValueError(f"keep is {keep}; it must be at least 1")
        self.folder = folder
        self.keep = keep

    @contextlib.contextmanager
    def write(self, step: int, info: Mapping[str, Any], spared: Collection[int] = ()) -> Iterator[Path]:
        """Yield an empty folder to fill; when the block ends well, it becomes the checkpoint of `step`.

        A kill at any moment leaves the checkpoints before it, or those and this one. An error in the block leaves the
        ones before it. A checkpoint of the same step is replaced. The old ones that it drives out are deleted, but for
        those of the steps in `spared`, which may still be marked as the best. Raises CheckpointError when the disk is
        full.
        """
        temporary = self.folder / f".tmp-{step}-{os.getpid()}"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._clean()
            temporary.mkdir()
            yield temporary
            manifest.seal(temporary, step, info)
            self._publish(temporary, step)
        except BaseException as error:
            written = _num_bytes(temporary)
            shutil.rmtree(temporary, ignore_errors=True)
            if isinstance(error, OSError) and is_disk_full(error):
                raise self._full(step, written) from error
            raise
        self._prune(step, spared)

    def latest(self) -> Checkpoint | None:
        """Return the newest checkpoint that is sound, warning of each broken one passed over; None if there is none.

        Raises CheckpointError if there are checkpoints and all of them are broken: nobody wants to start from zero
        without knowing it.
        """
        folders = self._folders()
        for step in sorted(folders, reverse=True):
            try:
                return _open(folders[step], step)
            except CheckpointError as error:
                if not folders[step].exists():  # a writer that is at work replaced or pruned it just now
                    return self.latest()
                _log.warning("checkpoint %d is broken and passed over: %s", step, error)
        if folders:
            raise CheckpointError(
                f"{self.folder}: all checkpoints are broken ({_list(folders)}); "
                "restore one from a copy, or start a new run with another --run-dir"
            )
        return None

    def steps(self) -> list[int]:
        """Return the steps of all checkpoints, ascending; sound or not."""
        return sorted(self._folders())

    def best(self, before: int | None = None) -> Checkpoint | None:
        """Return the checkpoint that `mark_best` chose; None if none was chosen. Raises CheckpointError if broken.

        With `before`, the best one as it was while the checkpoint of that step was not yet judged.
        """
        record = self._best_record()
        if record is None:
            return None
        step = record["earlier"] if record["step"] == before else record["step"]
        return None if step is None else self.at(step)

    @property
    def best_score(self) -> float | None:
        """The score that `mark_best` was given; None if no checkpoint was chosen."""
        record = self._best_record()
        return None if record is None else float(record["score"])

    def at(self, step: int) -> Checkpoint:
        """Return the checkpoint of a step; raises CheckpointError if there is none or it is broken."""
        folders = self._folders()
        if step not in folders:
            raise CheckpointError(f"{self.folder} has no checkpoint of step {step}; there are: {_list(folders)}")
        try:
            return _open(folders[step], step)
        except CheckpointError as error:
            folders.pop(step)
            raise CheckpointError(f"{error}; choose another checkpoint; there are: {_list(folders)}") from error

    def resolve(self, name: str) -> Checkpoint:
        """Return what `latest`, `best` or a step's number names; raises CheckpointError if it names nothing."""
        if name.isdecimal():
            return self.at(int(name))
        if name not in ("latest", "best"):
            near = difflib.get_close_matches(name, ["latest", "best"], n=1)
            hint = f"did you mean '{near[0]}'?" if near else f"there are: latest, best, {_list(self._folders())}"
            raise CheckpointError(f"'{name}' names no checkpoint of {self.folder}; {hint}")
        found = self.latest() if name == "latest" else self.best()
        if found is None:
            missing = "no checkpoint yet" if name == "latest" else "no best checkpoint: no evaluation has chosen one"
            raise CheckpointError(f"{self.folder} has {missing}; there are: {_list(self._folders())}")
        return found

    def mark_best(self, step: int, score: float) -> None:
        """Keep the checkpoint of `step` as the best; raises CheckpointError if there is none of that step."""
        self.at(step)
        before = self._best_record()
        earlier = None if before is None else before["earlier"] if before["step"] == step else before["step"]
        try:
            write_json(self.folder / _BEST_FILE, {"step": step, "score": score, "earlier": earlier})
        except OSError as error:
            raise (self._full(step, 0) if is_disk_full(error) else error) from error

    def _best_record(self) -> dict[str, Any] | None:
        path = self.folder / _BEST_FILE
        try:
            record = json.loads(path.read_text(encoding="utf-8"))
            earlier = record.get("earlier")
            return {
                "step": int(record["step"]),
                "score": float(record["score"]),
                "earlier": None if earlier is None else int(earlier),
            }
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError) as error:
            raise CheckpointError(f"{path} is damaged ({error}); remove it, or choose a step") from error

    def _folders(self) -> dict[int, Path]:
        """Return the folder of every step. One that is just being replaced is found under its other name."""
        found: dict[int, Path] = {}
        for path in self.folder.iterdir() if self.folder.is_dir() else ():
            if path.name.isdecimal():
                found[int(path.name)] = path
            elif match := re.fullmatch(r"\.replaced-(\d+)", path.name):
                found.setdefault(int(match[1]), path)
        return found

    def _clean(self) -> None:
        """Finish or undo what killed writers left."""
        for path in self.folder.glob(".replaced-*"):
            kept = self.folder / path.name.removeprefix(".replaced-")
            if kept.exists():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.rename(kept)
        for path in self.folder.glob(".tmp-*-*"):
            if not _writer_lives(path):
                shutil.rmtree(path, ignore_errors=True)
        for path in self.folder.glob(".*.tmp"):
            path.unlink(missing_ok=True)

    def _publish(self, temporary: Path, step: int) -> None:
        final = self.folder / f"{step:08d}"
        replaced = self.folder / f".replaced-{step:08d}"
        if final.exists():
            final.rename(replaced)
        temporary.rename(final)
        sync(self.folder)
        shutil.rmtree(replaced, ignore_errors=True)

    def _prune(self, step: int, spared: Collection[int]) -> None:
        """Delete what lies more than `keep` checkpoints back and is not spared.

        Later steps (of a broken end that a resumed run will write again) do not count, so that they never drive out
        sound ones.
        """
        folders = self._folders()
        try:
            record = self._best_record()
            best = None if record is None else record["step"]
            for old in sorted(found for found in folders if found <= step)[: -self.keep]:
                if old != best and old not in spared:
                    # Renamed first, so that a kill in the middle leaves no checkpoint that looks broken.
                    doomed = self.folder / f".tmp-{old}-{os.getpid()}"
                    folders[old].rename(doomed)
                    shutil.rmtree(doomed, ignore_errors=True)
        except (CheckpointError, OSError) as error:
            _log.warning("old checkpoints are kept: %s", error)

    def _full(self, step: int, written: int) -> CheckpointError:
        free = shutil.disk_usage(self.folder if self.folder.is_dir() else Path.cwd()).free
        sizes = [_num_bytes(path) for path in self._folders().values()]
        needed = max([written, *sizes])
        size = (
            f"checkpoint {step} needs at least {needed} bytes, {free} bytes are free"
            if needed
            else f"{free} bytes are free"
        )
        return CheckpointError(
            f"{self.folder}: the disk is full: {size}. "
            "The checkpoints before it are untouched: free some space (or raise the quota), then go on with --resume"
        )


def _open(path: Path, step: int) -> Checkpoint:
    """Read and verify a checkpoint; raises CheckpointError."""
    checkpoint = Checkpoint(path, step, manifest.read(path, step))
    checkpoint.verify()
    return checkpoint


def _num_bytes(folder: Path) -> int:
    with contextlib.suppress(OSError):
        return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return 0


def _writer_lives(temporary: Path) -> bool:
    """Tell whether the process that a temporary folder names runs, and is not a later one of the same number."""
    pid = int(temporary.name.rpartition("-")[2])
    try:
        return pid != os.getpid() and psutil.Process(pid).create_time() <= temporary.stat().st_mtime
    except (psutil.Error, OSError):
        return False


def _list(steps: Mapping[int, Path]) -> str:
    return ", ".join(str(step) for step in sorted(steps)) or "none"
