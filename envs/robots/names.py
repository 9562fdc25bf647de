"""Which tasks there are: the files below `tasks/`. Imports none of them."""

from __future__ import annotations

import pkgutil
from pathlib import Path

_TASKS = Path(__file__).parent / "tasks"


def task_names() -> list[str]:
    """Return the modules of all tasks."""
    return sorted(module.name for module in pkgutil.iter_modules([str(_TASKS)]) if not module.name.startswith("_"))


def class_name(name: str) -> str:
    """Return `PickAndPlace` for `pick_and_place`."""
    return "".join(word.capitalize() for word in name.split("_"))
