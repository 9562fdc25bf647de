"""Looks at a machine: what rlplat needs, what is missing, and the command that mends it.

A check is a function that returns rows. Content registers further ones with `register`.
"""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import socket
import subprocess
import sysconfig
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from rlplat import registry
from rlplat.errors import RlplatError
from rlplat.hardware import gpus, memory_bytes, num_cores, torch_cuda

GIB = 2**30

MIN_DISK_BYTES, MIN_MEMORY_BYTES, MIN_SHARED_BYTES = 2 * GIB, 2 * GIB, GIB // 2
"""Below these a quick run may fail: checkpoints and logs, Ray with learner and actors, Ray's object store."""

_PROGRAM = """
#include <concepts>
#include <span>
template <std::integral T> T sum(std::span<const T> values) { T s{}; for (T v : values) s += v; return s; }
extern "C" int rlplat_doctor() { const int values[] = {1, 2}; return sum(std::span<const int>(values)); }
"""


@dataclass(frozen=True)
class Row:
    """One finding of a check."""

    name: str
    state: Literal["ok", "warn", "fail"]
    """`warn`: it works, less well; `fail`: training will not run."""
    found: str
    mend: str = ""
    """The command, or what to do; empty where nothing need be done."""


Check = Callable[[Path], list[Row]]
"""Takes the runs folder (it need not exist) and returns rows; must not raise."""

_checks: list[Check] = []


def register(check: Check) -> Check:
    """Add a check, to be made after those that are there. Serves as a decorator too."""
    _checks.append(check)
    return check


def examine(runs: Path) -> list[Row]:
    """Make all checks, those of the checkout's content too, and return their rows."""
    rows = []
    try:
        registry.import_content()
    except RlplatError as error:
        rows.append(Row("content", "fail", str(error), "mend the file that is named"))
    return rows + [row for check in _checks for row in check(runs)]


@register
def check_compiler(_: Path) -> list[Row]:
    """Compile a few lines of C++20, as every game's rules are compiled on first use."""
    mend = "sudo apt-get install g++    (or set CXX to a compiler of C++20: g++ 10, clang 13 or newer)"
    command = os.environ.get("CXX") or next(filter(shutil.which, ("c++", "g++", "clang++")), None)
    if command is None:
        return [Row("compiler", "fail", "no C++ compiler", mend)]
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "doctor.cpp")
        source.write_text(_PROGRAM)
        library = str(source.with_suffix(".so"))
        arguments = [*command.split(), "-std=c++20", "-shared", "-fPIC", str(source), "-o", library]
        try:
            done = subprocess.run(arguments, capture_output=True, text=True, timeout=60, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            return [Row("compiler", "fail", f"{command} does not run: {error}", mend)]
    if done.returncode != 0:
        first = next((line for line in done.stderr.splitlines() if "error" in line), "no message")
        return [Row("compiler", "fail", f"{command} does not compile C++20: {first}", mend)]
    version = subprocess.run([*command.split(), "--version"], capture_output=True, text=True, check=False).stdout
    return [Row("compiler", "ok", next(iter(version.splitlines()), command))]


@register
def check_python_headers(_: Path) -> list[Row]:
    """Look for Python.h, which building rlplat itself needs."""
    header = Path(sysconfig.get_path("include"), "Python.h")
    if header.is_file():
        return [Row("python_headers", "ok", str(header))]
    mend = f"sudo apt-get install python{sysconfig.get_python_version()}-dev"
    return [Row("python_headers", "warn", f"no {header}; rlplat runs, but cannot be built again", mend)]


@register
def check_torch(_: Path) -> list[Row]:
    """Compare the GPUs that torch can use with those that the driver knows."""
    try:
        version = importlib.metadata.version("torch")
    except importlib.metadata.PackageNotFoundError:
        return [Row("torch", "fail", "not installed", "pip install torch")]
    cuda, usable = torch_cuda()
    rows = [Row("torch", "ok", f"{version}, CUDA {cuda or 'not built in'}")]
    present = gpus()
    if usable:
        return [*rows, Row("gpu", "ok", ", ".join(usable))]
    if not present:
        return [*rows, Row("gpu", "ok", "none; networks run on the CPU")]
    told = f"A GPU IS THERE AND UNUSED: {', '.join(gpu['name'] for gpu in present)} (driver {present[0]['driver']})"
    if cuda is None:
        mend = "pip install --force-reinstall torch --index-url https://download.pytorch.org/whl/cu128"
        return [*rows, Row("gpu", "warn", f"{told}; this torch is built without CUDA", mend)]
    mend = "nvidia-smi; echo $CUDA_VISIBLE_DEVICES    (update the driver, or make the devices visible)"
    return [*rows, Row("gpu", "warn", f"{told}; torch has CUDA {cuda} and cannot start it", mend)]


@register
def check_libraries(_: Path) -> list[Row]:
    """Look for the libraries that some commands need, without starting them."""
    return [
        _library("tensorboard", "warn", "`rlplat watch` uses it", "pip install tensorboard"),
        _library("ray", "warn", "runs take `--inline`, one process, without it", "pip install 'ray[default]'"),
    ]


def _library(name: str, otherwise: Literal["warn", "fail"], purpose: str, mend: str) -> Row:
    try:
        return Row(name, "ok", importlib.metadata.version(name))
    except importlib.metadata.PackageNotFoundError:
        return Row(name, otherwise, f"not installed; {purpose}", mend)


@register
def check_space(runs: Path) -> list[Row]:
    """Compare disk, memory and shared memory with what a small run takes."""
    folder = next(parent for parent in [runs.absolute(), *runs.absolute().parents] if parent.is_dir())
    rows = [_space("disk", shutil.disk_usage(folder).free, MIN_DISK_BYTES, f"in {folder}", "remove old runs")]
    if not os.access(folder, os.W_OK):
        rows.append(Row("runs_folder", "fail", f"{folder} cannot be written", "name another with --run-dir"))
    memory = memory_bytes()
    if memory is not None:
        where = f"for {num_cores()} cores"
        rows.append(_space("memory", memory, MIN_MEMORY_BYTES, where, "set placement.num_actors to 1"))
    shared = Path("/dev/shm")
    if shared.is_dir():
        mend = "docker run --shm-size=1g ...    (or placement.mode: inline)"
        rows.append(_space("shared_memory", shutil.disk_usage(shared).free, MIN_SHARED_BYTES, "in /dev/shm", mend))
    return rows


def _space(name: str, have: int, need: int, where: str, mend: str) -> Row:
    told = f"{have / GIB:.1f} GiB {where}"
    return (
        Row(name, "ok", told) if have >= need else Row(name, "warn", f"{told}; {need / GIB:.1f} GiB are advised", mend)
    )


@register
def check_ports(_: Path) -> list[Row]:
    """Bind and reach a port on the loopback interface, as Ray and TensorBoard do."""
    try:
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
            with socket.create_connection(("127.0.0.1", port), timeout=5):
                return [Row("ports", "ok", "127.0.0.1 can be bound and reached")]
    except OSError as error:
        mend = "sudo ip link set lo up    (or look at the firewall's rules for 127.0.0.1)"
        return [Row("ports", "fail", f"127.0.0.1 cannot be bound or reached: {error.strerror}", mend)]
