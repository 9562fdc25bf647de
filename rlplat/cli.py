"""The command `rlplat`: puts the groups of commands together.

Imports stand inside the functions of the commands, so that `rlplat --help` answers at once.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from rlplat import __version__
from rlplat.commands import jobs, machine, play, strength, training
from rlplat.errors import RlplatError


class Commands(TyperGroup):
    """Turns errors that a user can mend into their text and exit code 1, and Ctrl-C into exit code 130."""

    def invoke(self, ctx: Any) -> Any:
        if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:  # as rlplat.__main__ leaves it
            signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            return super().invoke(ctx)
        except RlplatError as error:
            if os.environ.get("RLPLAT_TRACEBACK") == "1":
                import traceback

                traceback.print_exc()
            else:
                print(error, file=sys.stderr)
            raise typer.Exit(1) from error
        except KeyboardInterrupt as error:
            print("stopped by Ctrl-C", file=sys.stderr)
            raise typer.Exit(130) from error


# Plain help: typer's boxed one imports rich's Markdown, syntax and traceback parts, which takes 0.2 s.
app = typer.Typer(
    cls=Commands, rich_markup_mode=None, pretty_exceptions_enable=False, add_completion=False, no_args_is_help=True
)

for group in (training, strength, play, machine, jobs):
    app.add_typer(group.commands)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"rlplat {__version__}")
        raise typer.Exit


@app.callback()
def rlplat(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and leave.")
    ] = False,
) -> None:
    """Train agents for games and robots, watch them learn, and measure how good they are."""


def main() -> None:
    """Run the command line and leave with its exit code."""
    app()
