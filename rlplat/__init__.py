"""rlplat: a reinforcement-learning training platform for games and robots.

`rlplat.config` and `rlplat.registry` are where to start reading; docs/architecture.md lists the modules in the order
in which they depend on each other.
"""

from pathlib import Path

__version__ = "0.1.0"


def get_include() -> Path:
    """Return the folder of the C++ headers: `#include <rlplat/game.hpp>` with this folder on the include path."""
    return Path(__file__).parent / "csrc" / "include"
