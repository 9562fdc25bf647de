"""Commands that train here, and try a configuration out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rlplat.commands.execution import execute
from rlplat.commands.options import Config, Json, Override, Trust

if TYPE_CHECKING:
    from rlplat.reports import Result

commands = typer.Typer()


@commands.command()
def train(
    config: Config,
    override: Override = None,
    run_dir: Annotated[Path | None, typer.Option(help="Folder of the run; runs/<name> by default.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Continue the run in that folder.")] = False,
    init_from: Annotated[
        Path | None,
        typer.Option(metavar="RUN", help="Start from the weights of another run, or of RUN/checkpoints/STEP."),
    ] = None,
    inline: Annotated[bool, typer.Option("--inline", help="One process without Ray: placement.mode=inline.")] = False,
    trust: Trust = None,
    json: Json = None,
) -> None:
    """Train the agent of a configuration; Ctrl-C stops it cleanly."""

    def work() -> list[Result]:
        from rlplat.config import load_config

        loaded = load_config(config, [*(override or []), *(["placement.mode=inline"] if inline else [])])

        from rlplat.training.session import train as train_run  # slow: a wrong configuration is told before

        return train_run(loaded, run_dir=run_dir, resume=resume, init_from=init_from)

    execute("train", work, json, trust, show=lambda _: None)  # the run has shown its table itself


@commands.command()
def check(config: Config, override: Override = None, trust: Trust = None, json: Json = None) -> None:
    """Try a configuration out, and predict how long it takes.

    Builds everything, plays one move, collects, updates and saves, without a run folder. Measures rates, memory and
    disk by that.
    """

    def work() -> list[Result]:
        from rlplat.config import load_config

        loaded = load_config(config, override or [])

        from rlplat.training.check import check as check_config  # slow: a wrong configuration is told before

        return check_config(loaded)

    execute("check", work, json, trust)
