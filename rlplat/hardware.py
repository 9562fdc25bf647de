"""What a result was made on: the machine, the versions of the libraries, and the commit of the checkout."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
import subprocess
from pathlib import Path
from typing import Any

LIBRARIES = ("rlplat", "numpy", "torch", "ray", "tensorboard", "pydantic", "safetensors")
"""Distributions whose version can change a result."""

_PROBE_SECONDS = 10.0
"""Limit for nvidia-smi and git: a broken driver or a dead network file system must not stop a run."""


def hardware() -> dict[str, Any]:
    """Describe this machine: `cpu` (model), `num_cores` (usable by this process), `memory_bytes` (None: unknown),
    `gpus` (a list of `{name, memory_bytes, driver}`), `system`.
    """
    return {
        "cpu": cpu_model(),
        "num_cores": num_cores(),
        "memory_bytes": memory_bytes(),
        "gpus": gpus(),
        "system": platform.platform(terse=True),
    }


def versions() -> dict[str, str | None]:
    """Versions of Python and of `LIBRARIES`; None for what is not installed."""
    found: dict[str, str | None] = {"python": platform.python_version()}
    for library in LIBRARIES:
        try:
            found[library] = importlib.metadata.version(library)
        except importlib.metadata.PackageNotFoundError:
            found[library] = None
    return found


def git_commit(root: Path) -> dict[str, Any]:
    """Return `{commit, dirty}` of the checkout that holds `root`; both None where it is not a git checkout.

    `dirty` is True when tracked files differ from the commit.
    """
    commit = _output(["git", "-C", str(root), "rev-parse", "HEAD"])
    if commit is None:
        return {"commit": None, "dirty": None}
    changes = _output(["git", "-C", str(root), "status", "--porcelain", "--untracked-files=no"])
    return {"commit": commit.strip(), "dirty": None if changes is None else bool(changes.strip())}


def cpu_model() -> str:
    """Return the processor's name as the kernel gives it, or its architecture."""
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                return value.strip()
    except OSError:
        pass  # not Linux
    return platform.processor() or platform.machine()


def num_cores() -> int:
    """Return the number of cores that this process may use: its affinity mask, cut by a container's CPU quota."""
    try:
        cores = len(os.sched_getaffinity(0))
    except AttributeError:  # macOS
        cores = os.cpu_count() or 1
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
        if quota != "max":
            cores = min(cores, max(1, int(quota) // int(period)))
    except (OSError, ValueError):
        pass  # no cgroup v2
    return cores


def memory_bytes() -> int | None:
    """Return the memory that this process may use: the machine's, cut by a container's limit; None: unknown."""
    try:
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError):
        return None
    try:
        limit = Path("/sys/fs/cgroup/memory.max").read_text().strip()
        return memory if limit == "max" else min(memory, int(limit))
    except (OSError, ValueError):
        return memory


def gpus() -> list[dict[str, Any]]:
    """List the NVIDIA GPUs that the driver knows, whether torch can use them or not: name, memory_bytes, driver."""
    if shutil.which("nvidia-smi") is None:
        return []
    query = ["nvidia-smi", "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader,nounits"]
    found = []
    for line in (_output(query) or "").splitlines():
        fields = [field.strip() for field in line.split(",")]
        if len(fields) == 3:
            mebibytes = int(fields[1]) if fields[1].isdigit() else None
            memory = None if mebibytes is None else mebibytes * 2**20
            found.append({"name": fields[0], "memory_bytes": memory, "driver": fields[2]})
    return found


def torch_cuda() -> tuple[str | None, list[str]]:
    """Return the CUDA version that torch is built with (None: without), and the names of the GPUs that it can use."""
    import torch

    usable = range(torch.cuda.device_count()) if torch.cuda.is_available() else range(0)
    return torch.version.cuda, [torch.cuda.get_device_name(index) for index in usable]


def _output(command: list[str]) -> str | None:
    """Return a command's standard output; None if it is missing, fails or hangs."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_PROBE_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None
