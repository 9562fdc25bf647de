"""Serves the agent of a run to other programs, over standard input and output."""

from __future__ import annotations

import io
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from rlplat.errors import GameError
from rlplat.evaluation.trained import load_trained
from rlplat.play.gtp import GtpServer
from rlplat.play.player import Player
from rlplat.play.uci import UciServer


def serve(
    protocol: Literal["gtp", "uci"], run: Path, *, checkpoint: str, simulations: int | None, trust: Sequence[str]
) -> None:
    """Answer until the other side says `quit` or leaves.

    Raises what `load_trained` does, and GameError if the run's game is not played by the protocol.
    """
    trained = load_trained(run, checkpoint, trust=trust)
    spoken = trained.game.definition.protocol
    if spoken != protocol:
        instead = f"take rlplat {spoken}" if spoken else "its GameDefinition would say so by `protocol`"
        raise GameError(f"{run} plays {trained.game.name}, which is not played by {protocol}; {instead}")
    for stream, errors in ((sys.stdin, "replace"), (sys.stdout, "backslashreplace")):
        if isinstance(stream, io.TextIOWrapper):  # whatever bytes come in or would go out end nothing
            stream.reconfigure(errors=errors)
    player = Player(trained, simulations)
    if protocol == "gtp":
        GtpServer(player).serve(sys.stdin, sys.stdout)
    else:
        UciServer(player, sys.stdout).serve(sys.stdin)
