"""The files of a learner in a checkpoint: networks, optimisers and counters. What is loaded goes on bit by bit."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import safetensors.torch
from safetensors import SafetensorError
from torch import Tensor, nn
from torch.optim import Optimizer

from rlplat.errors import CheckpointError

TENSORS_FILE = "learner.safetensors"
COUNTERS_FILE = "learner.json"


def save_learner(
    folder: Path, model: nn.Module, optimizers: Mapping[str, Optimizer], counters: Mapping[str, Any]
) -> None:
    """Write all tensors of a model, what its optimisers remember of them (by name), and counters that JSON can hold."""
    tensors = {f"model/{name}": tensor for name, tensor in model.state_dict().items()}
    for kind, name, optimizer, parameter in _optimised(model, optimizers):
        tensors |= {f"{kind}/{key}/{name}": value for key, value in optimizer.state[parameter].items()}
    on_host = {name: tensor.cpu().contiguous() for name, tensor in tensors.items()}
    safetensors.torch.save_file(on_host, folder / TENSORS_FILE)
    (folder / COUNTERS_FILE).write_text(json.dumps(counters, indent=1))


def load_learner(folder: Path, model: nn.Module, optimizers: Mapping[str, Optimizer], device: str) -> dict[str, Any]:
    """Take back what `save_learner` wrote; returns the counters."""
    counters: dict[str, Any] = json.loads((folder / COUNTERS_FILE).read_text())
    tensors = safetensors.torch.load_file(folder / TENSORS_FILE, device=device)
    model.load_state_dict(_below("model/", tensors))
    for kind, name, optimizer, parameter in _optimised(model, optimizers):
        memory = {key.partition("/"): value for key, value in _below(f"{kind}/", tensors).items()}
        optimizer.state[parameter] = {key: value for (key, _, of), value in memory.items() if of == name}
    return counters


@contextmanager
def explained(folder: Path) -> Iterator[None]:
    """Turn whatever a broken or foreign checkpoint raises into a CheckpointError that says what to do."""
    try:
        yield
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError) as error:
        raise CheckpointError(
            f"{folder}: cannot continue from this checkpoint: {type(error).__name__}: {error}. Remove "
            f"{folder.parent} to continue from the one before it, or begin a new run with --init-from"
        ) from error


def _optimised(
    model: nn.Module, optimizers: Mapping[str, Optimizer]
) -> Iterator[tuple[str, str, Optimizer, nn.Parameter]]:
    """Every parameter with its name, its optimiser and the optimiser's name."""
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    for kind, optimizer in optimizers.items():
        for group in optimizer.param_groups:
            for parameter in group["params"]:
                yield kind, names[id(parameter)], optimizer, parameter


def _below(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
