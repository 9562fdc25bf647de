"""What differs between two configurations of one run, and which of it a resumed run may change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rlplat.config import RunConfig

MAY_CHANGE = (
    "training.max_updates",
    "training.max_amount",
    "training.max_minutes",
    "training.keep_checkpoints",
    "evaluation",
    "placement",
)
"""Parts of a configuration that a resumed run may change: they do not touch what is learned."""

Changes = Mapping[str, tuple[Any, Any]]
"""Dotted key -> what it was, what it is."""


def differences(before: RunConfig, after: RunConfig) -> Changes:
    """Return what differs, keys in alphabetical order; the name of the run does not count."""
    found = _differences(before.model_dump(mode="json"), after.model_dump(mode="json"), "")
    return {name: pair for name, pair in found.items() if name != "name"}


def unnamed(changes: Changes, named: Sequence[str]) -> Changes:
    """Return the changes that touch what is learned and are not below a key in `named`."""
    allowed = (*MAY_CHANGE, *named)
    return {name: pair for name, pair in changes.items() if not any(_below(name, key) for key in allowed)}


def _below(name: str, key: str) -> bool:
    return name == key or name.startswith(f"{key}.")


def _differences(before: Mapping[str, Any], after: Mapping[str, Any], at: str) -> dict[str, tuple[Any, Any]]:
    found: dict[str, tuple[Any, Any]] = {}
    for key in sorted({*before, *after}):
        old, new = before.get(key), after.get(key)
        if isinstance(old, dict) and isinstance(new, dict):
            found |= _differences(old, new, f"{at}{key}.")
        elif old != new:
            found[f"{at}{key}"] = (old, new)
    return found
