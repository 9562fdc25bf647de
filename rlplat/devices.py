"""Which device networks run on."""

from __future__ import annotations

import logging
import os
from typing import Literal

from rlplat.errors import DeviceError
from rlplat.hardware import gpus

Device = Literal["auto", "cpu", "cuda"]

_log = logging.getLogger(__name__)


def choose_device(device: Device) -> Literal["cpu", "cuda"]:
    """Turn "auto" into the device to use. Warns when a GPU stays unused; DeviceError if "cuda" cannot be used.

    Imports torch only where the driver shows a GPU or "cuda" is asked for. A GPU that is hidden from this process by an
    empty CUDA_VISIBLE_DEVICES, as from actors that were given none, counts as not there.
    """
    names = [] if os.environ.get("CUDA_VISIBLE_DEVICES") in ("", "-1") else [gpu["name"] for gpu in gpus()]
    if device == "cuda":
        _require_cuda(names)
        return "cuda"
    if not names:
        return "cpu"
    if device == "cpu":
        _log.warning("GPU UNUSED: %s is there, but device is 'cpu'; set placement.device=auto to use it", names[0])
        return "cpu"
    reason = _why_no_cuda()
    if reason is not None:
        _log.warning("GPU UNUSED: %s is there, but %s; training on the CPU is many times slower", names[0], reason)
        return "cpu"
    return "cuda"


def _require_cuda(names: list[str]) -> None:
    reason = _why_no_cuda()
    if reason is None:
        return
    there = f"the driver shows {names[0]}" if names else "nvidia-smi shows no GPU to this process"
    raise DeviceError(
        f"device 'cuda' was asked for and cannot be used: {reason} ({there}). Or set placement.device=auto."
    )


def _why_no_cuda() -> str | None:
    """Why torch cannot use a GPU, and what to do; None if it can."""
    import torch

    if torch.version.cuda is None:
        return (
            f"torch {torch.__version__} is built without CUDA; install the CUDA build with "
            "`.venv/bin/pip install --force-reinstall torch --index-url https://download.pytorch.org/whl/cu128`"
        )
    if not torch.cuda.is_available():
        return (
            f"torch {torch.__version__} (CUDA {torch.version.cuda}) finds no usable device; check `nvidia-smi`, the "
            "driver's version and CUDA_VISIBLE_DEVICES"
        )
    return None
