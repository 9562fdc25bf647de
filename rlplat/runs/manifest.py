"""The manifest of a checkpoint: which files belong to it, and what their bytes were when it was written."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rlplat.errors import CheckpointError
from rlplat.runs.durable import sync, write_json

_FILE = "manifest.json"
_FORMAT = 1


def seal(folder: Path, step: int, info: Mapping[str, Any]) -> None:
    """Write the manifest over all files below a folder and force everything to the disk; raises OSError."""
    names = sorted(_files(folder))
    files = {name: {"size": (folder / name).stat().st_size, "sha256": _sha256(folder / name)} for name in names}
    for name in names:
        sync(folder / name)
    time = datetime.now(UTC).isoformat(timespec="milliseconds")
    write_json(folder / _FILE, {"format": _FORMAT, "step": step, "time": time, "info": info, "files": files})
    for path in folder.rglob("*"):
        if path.is_dir():
            sync(path)
    sync(folder)


def read(folder: Path, step: int) -> dict[str, Any]:
    """Return the manifest of the checkpoint of a step; raises CheckpointError if it is missing or damaged."""
    path = folder / _FILE
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{path} cannot be read: {error}") from error
    found = manifest.get("format") if isinstance(manifest, dict) else type(manifest).__name__
    if found != _FORMAT:
        raise CheckpointError(f"{path} has format {found}; this rlplat reads format {_FORMAT}")
    if not isinstance(manifest.get("info"), dict) or not _well_formed(manifest.get("files")):
        raise CheckpointError(f"{path} is damaged: its info or its list of files is not what rlplat writes")
    if manifest.get("step") != step:
        raise CheckpointError(f"{path} is of step {manifest.get('step')}, but lies in the folder of step {step}")
    return dict(manifest)


def verify(folder: Path, manifest: Mapping[str, Any]) -> None:
    """Raise CheckpointError, naming the file and both hashes, unless the files are those that were sealed."""
    files: Mapping[str, Mapping[str, Any]] = manifest["files"]
    for name in sorted(_files(folder) - set(files)):
        raise CheckpointError(f"{folder / name} is not part of the checkpoint that was written; remove it")
    for name, expected in files.items():
        path = folder / name
        if not path.is_file():
            raise CheckpointError(f"{path} is missing")
        if (found := _sha256(path)) != expected["sha256"]:
            raise CheckpointError(
                f"{path} was changed: its sha256 is {found} ({path.stat().st_size} bytes), "
                f"expected {expected['sha256']} ({expected['size']} bytes)"
            )


def _well_formed(files: Any) -> bool:
    return isinstance(files, dict) and all(
        isinstance(file, dict) and isinstance(file.get("size"), int) and isinstance(file.get("sha256"), str)
        for file in files.values()
    )


def _files(folder: Path) -> set[str]:
    """Return the files of a checkpoint, relative to it, without the manifest and hidden files."""
    found = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir())
    return {name for name in found if name != _FILE and not name.split("/")[-1].startswith(".")}


def _sha256(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
