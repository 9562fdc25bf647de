"""Options and arguments that several commands share, each defined once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Json = Annotated[
    str | None,
    typer.Option(
        "--json", metavar="FILE|-", help="Write the results as one JSON object; with - nothing else is on stdout."
    ),
]
Trust = Annotated[
    list[str] | None,
    typer.Option("--trust", metavar="NAME", help="Let names lead into this package, too. Repeatable."),
]
Override = Annotated[
    list[str] | None,
    typer.Option(
        "-o", "--override", metavar="KEY=VALUE", help="Change a value, as agent.search.c_init=1.5. Repeatable."
    ),
]
Parameters = Annotated[
    list[str] | None, typer.Option("-p", "--parameter", metavar="NAME=NUMBER", help="As rows=6. Repeatable.")
]
Config = Annotated[Path, typer.Argument(metavar="CONFIG", help="A YAML file, such as configs/connect_four.yaml.")]
RunName = Annotated[str, typer.Argument(metavar="RUN", help="Name of a run, or its folder.")]
Runs = Annotated[
    Path | None,
    typer.Option("--runs", metavar="DIR", help="Folder of the runs; default: the local cluster's, or runs."),
]
ClusterAddress = Annotated[
    str | None, typer.Option("--cluster", metavar="ADDRESS", help="http://HOST:8265; default: the one on this machine.")
]
MayGrow = Annotated[
    bool, typer.Option("--may-grow", help="The cluster adds machines by itself: do not compare with what it has now.")
]


def named_number(text: str) -> tuple[str, float]:
    """Read `rows=6`."""
    name, _, value = text.partition("=")
    try:
        return name, float(value)
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} must look like rows=6", param_hint="-p") from error
