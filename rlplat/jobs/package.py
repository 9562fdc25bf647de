"""What a job carries: the tracked files of the checkout as they are now, and what was compiled from them."""

from __future__ import annotations

import hashlib
import importlib.util
import io
import os
import subprocess
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rlplat.errors import JobError
from rlplat.jobs.client import MOST_PACKAGE_BYTES

CARRIED_FOLDER = ".rlplat"
"""In a job's working directory: what is not of the checkout."""
LIBRARIES_FOLDER = f"{CARRIED_FOLDER}/games"

START_FILE = "sitecustomize.py"
START = b"""\
# An editable installation finds its own rlplat before any on the path; a job runs the copy that it carries.
import sys

sys.meta_path[:] = [finder for finder in sys.meta_path if not type(finder).__name__.startswith("ScikitBuild")]
"""
_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The earliest time that a zip archive can hold: equal contents make equal archives."""


@dataclass(frozen=True)
class Checkout:
    """The tracked files of a git checkout."""

    root: Path
    files: tuple[str, ...]
    untracked: tuple[str, ...]
    """Sources that git neither tracks nor ignores, so that no job carries them."""
    diff: str
    """What differs from the commit, as `git diff` says it."""


def read_checkout(folder: Path) -> Checkout:
    """Return the checkout that holds `folder`; raises JobError if there is none."""
    try:
        root = Path(_git(folder, "rev-parse", "--show-toplevel").strip())
    except JobError as error:
        raise JobError(
            f"{folder} is in no git checkout, and a job carries the tracked files of one: change into yours, or "
            f"make one with `git init && git add --all && git commit` ({error})"
        ) from error
    tracked = (root / name for name in _git(root, "ls-files", "-z").split("\0") if name)
    files = tuple(path.relative_to(root).as_posix() for path in tracked if path.is_file())
    others = _git(root, "ls-files", "-z", "--others", "--exclude-standard").split("\0")
    untracked = tuple(name for name in others if name.endswith((".py", ".hpp", ".cpp")))
    return Checkout(root, files, untracked, _git(root, "diff", "HEAD"))


def make_package(checkout: Checkout, libraries: Sequence[Path], carried: Mapping[str, str]) -> bytes:
    """Return the zip archive of a job's working directory.

    `libraries` are compiled games; `carried` are the texts of further files in `CARRIED_FOLDER` by name. Where the
    checkout holds rlplat itself, its compiled core goes along. Raises JobError if the archive is too large.
    """
    contents = {name: checkout.root / name for name in checkout.files}
    contents |= {f"{LIBRARIES_FOLDER}/{library.name}": library for library in libraries}
    if "rlplat/__init__.py" in contents and (core := _core()) is not None:
        contents[f"rlplat/{core.name}"] = core
    sizes = {}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, path in sorted(contents.items()):
            _add(archive, name, path.read_bytes(), executable=os.access(path, os.X_OK))
            sizes[name] = archive.infolist()[-1].compress_size
            if sum(sizes.values()) > MOST_PACKAGE_BYTES:
                raise _too_large(sizes)
        for name, text in carried.items():
            _add(archive, f"{CARRIED_FOLDER}/{name}", text.encode())
        if START_FILE not in contents:
            _add(archive, START_FILE, START)
    if len(buffer.getvalue()) > MOST_PACKAGE_BYTES:
        raise _too_large(sizes)
    return buffer.getvalue()


def package_name(content: bytes) -> str:
    """Return the name under which Ray stores a package."""
    return f"_ray_pkg_{hashlib.sha256(content).hexdigest()[:32]}.zip"


def _add(archive: zipfile.ZipFile, name: str, content: bytes, *, executable: bool = False) -> None:
    entry = zipfile.ZipInfo(name, _EPOCH)
    entry.external_attr = (0o755 if executable else 0o644) << 16
    entry.compress_type = zipfile.ZIP_DEFLATED
    archive.writestr(entry, content)


def _core() -> Path | None:
    """The compiled core of the rlplat that runs here."""
    spec = importlib.util.find_spec("rlplat._core")
    return None if spec is None or spec.origin is None else Path(spec.origin)


def _too_large(sizes: Mapping[str, int]) -> JobError:
    largest = sorted(sizes, key=lambda name: sizes[name], reverse=True)[:5]
    named = ", ".join(f"{name} ({sizes[name] / 1e6:.1f} MB)" for name in largest)
    return JobError(
        f"the tracked files of the checkout are too large for a job: more than {MOST_PACKAGE_BYTES >> 20} MiB when "
        f"compressed, largest are {named}. Keep data outside of git, in a folder that all machines of the cluster share"
    )


def _git(folder: Path, *arguments: str) -> str:
    command = ["git", "-C", str(folder), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, check=False)
    except OSError as error:
        raise JobError(f"git cannot be run ({error.strerror}); install it") from error
    if done.returncode != 0:
        raise JobError(done.stderr.decode(errors="replace").strip())
    return done.stdout.decode(errors="replace")
