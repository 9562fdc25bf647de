"""What content does before a foreign environment is drawn for a policy, such as to find a driver that works."""

from __future__ import annotations

from collections.abc import Callable

from rlplat import registry

Preparation = Callable[[str], None]
"""Takes the entry point of the environment, `module:Class`; may raise, with what to do."""

_preparations: list[Preparation] = []


def register(preparation: Preparation) -> None:
    """Add what must be done before environments are drawn."""
    _preparations.append(preparation)


def prepare(entry_point: str) -> None:
    """Do it, for an environment of this entry point."""
    registry.import_content()
    for preparation in _preparations:
        preparation(entry_point)
