"""Commands that let a trained agent play with other programs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from rlplat.commands.execution import execute
from rlplat.commands.options import Trust

commands = typer.Typer()

Run = Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a run.")]
Checkpoint = Annotated[str, typer.Option(metavar="latest|best|STEP", help="Which weights play.")]
Simulations = Annotated[
    int | None,
    typer.Option(min=0, help="Of each move; 0: the network alone. Default: by the clock, without one as trained."),
]


@commands.command()
def gtp(run: Run, checkpoint: Checkpoint = "latest", simulations: Simulations = None, trust: Trust = None) -> None:
    """Play Go by the Go Text Protocol. For graphical boards and matches."""
    _serve("gtp", run, checkpoint, simulations, trust)


@commands.command()
def uci(run: Run, checkpoint: Checkpoint = "latest", simulations: Simulations = None, trust: Trust = None) -> None:
    """Play chess by the Universal Chess Interface. For graphical boards and matches."""
    _serve("uci", run, checkpoint, simulations, trust)


def _serve(
    protocol: Literal["gtp", "uci"], run: Path, checkpoint: str, simulations: int | None, trust: list[str] | None
) -> None:
    def work() -> None:
        from rlplat.play.serve import serve

        serve(protocol, run, checkpoint=checkpoint, simulations=simulations, trust=trust or [])

    execute(protocol, work, None, trust, show=lambda _: None)
