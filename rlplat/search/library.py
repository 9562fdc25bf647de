"""Compiles a game's header into a shared library, once, and finds it again.

A library lives in a cache folder under a name made of everything it depends on: the header and what stands beside it,
the contract's headers, the flags and the platform, and the compiler. One that was built elsewhere fits whatever the
compiler here is, and needs none. `python -m rlplat.search.library --all` builds the
shipped games ahead.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from filelock import FileLock

from rlplat import get_include
from rlplat.errors import GameError

FLAGS = ("-std=c++20", "-O3", "-fPIC", "-shared", "-fvisibility=hidden", "-ffp-contract=off")
LIBRARIES_VARIABLE = "RLPLAT_GAME_LIBRARIES"
"""Environment variable: a folder of libraries built elsewhere, searched first; a submitted job carries one."""


def cache_folder() -> Path:
    """Where compiled games are kept: `$XDG_CACHE_HOME/rlplat/games`, below `~/.cache` by default."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "rlplat" / "games"


def build(header: Path) -> Path:
    """Path of the compiled library of `header`; compiles it if need be.

    Raises GameError if there is no compiler, the header does not compile, or the cache folder cannot be written.
    """
    if not header.is_file():
        raise GameError(f"{header}: no such file; a game is one C++ header, named by its GameDefinition")
    stem = f"{header.stem}-{_fingerprint(header)}"
    if carried := os.environ.get(LIBRARIES_VARIABLE):
        for path in sorted(Path(carried).glob(f"{stem}-*.so")):
            return path
    target = cache_folder() / f"{stem}-{_compiler_fingerprint(compiler())}.so"
    if target.is_file():
        return target
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{target}.lock"):
            if not target.is_file():
                _compile(header, target)
    except OSError as error:
        raise _unwritable(header, target.parent, error.strerror or str(error)) from error
    return target


def compiler() -> str:
    """The C++ compiler: `$CXX` or the first of c++, g++, clang++ on the path. GameError if there is none."""
    for candidate in (os.environ.get("CXX"), "c++", "g++", "clang++"):
        found = candidate and shutil.which(candidate)
        if found:
            return found
    raise GameError(
        "no C++ compiler was found (looked for $CXX, c++, g++, clang++); "
        "install one: 'apt-get install g++' on Debian, 'dnf install gcc-c++' on Fedora"
    )


def _flags() -> tuple[str, ...]:
    march = os.environ.get("RLPLAT_MARCH") or ("x86-64-v3" if platform.machine() in ("x86_64", "AMD64") else "")
    return (*FLAGS, f"-march={march}") if march else FLAGS


@functools.cache
def _compiler_fingerprint(command: str) -> str:
    version = subprocess.run([command, "--version"], capture_output=True, check=False).stdout
    return hashlib.sha256(version).hexdigest()[:8]


def _fingerprint(header: Path) -> str:
    """The header may include others beside it, so these count too."""
    digest = hashlib.sha256()
    sources = [*sorted(header.parent.glob("*.hpp")), *sorted(get_include().rglob("*.hpp"))]
    for part in (str(header.name), platform.machine(), sys.platform, *_flags()):
        digest.update(part.encode() + b"\0")
    for source in sources:
        digest.update(source.name.encode() + b"\0" + source.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def _compile(header: Path, target: Path) -> None:
    descriptor, output = tempfile.mkstemp(suffix=".so", dir=target.parent)
    os.close(descriptor)
    command = [
        compiler(),
        *_flags(),
        "-I",
        str(get_include()),
        "-I",
        str(header.parent),
        "-x",
        "c++",
        "-",
        "-o",
        output,
    ]
    try:
        code, words = _run(command, f'#include "{header.resolve()}"\n')
        if "No space left on device" in words or "Disk quota exceeded" in words:
            raise _unwritable(
                header, target.parent, f"no room, says the compiler (its own files go to $TMPDIR): {words}"
            )
        if code != 0:
            raise GameError(f"{header} does not compile:\n{words[:4000]}\ncommand: {' '.join(command)}")
        os.chmod(output, 0o755)
        os.replace(output, target)
    finally:
        Path(output).unlink(missing_ok=True)


def _run(command: list[str], source: str) -> tuple[int, str]:
    """Exit code and words of a compiler that reads `source`; whatever interrupts the wait ends all its processes."""
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            _, words = process.communicate(source)
        except BaseException:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)  # upon which compilers remove their temporary files
            raise
    return process.returncode, words.strip()


def _unwritable(header: Path, folder: Path, problem: str) -> GameError:
    return GameError(
        f"{header} cannot be compiled into {folder}, where compiled games are kept: {problem}. Give it room and "
        "make it writable, or name another place with the environment variable XDG_CACHE_HOME"
    )


def main(arguments: list[str]) -> None:
    """Build the named games, or every shipped one with `--all`."""
    from rlplat.registry import names, resolve

    for name in names("game") if arguments == ["--all"] else arguments:
        print(*resolve(name, kind="game").libraries())


if __name__ == "__main__":
    main(sys.argv[1:])
