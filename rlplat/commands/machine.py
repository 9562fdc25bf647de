"""Commands about this machine, its runs, and the rules of games."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rlplat.commands.execution import execute
from rlplat.commands.options import Json, Parameters, Trust, named_number

if TYPE_CHECKING:
    from rlplat.reports import Result
    from rlplat.testing import CheckReport

commands = typer.Typer()


@commands.command("check-game")
def check_game(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="A game: connect_four, my_games:Nim, or my_games/nim.hpp.")
    ],
    parameter: Parameters = None,
    trust: Trust = None,
    json: Json = None,
) -> None:
    """Hold the rules of a game against the contract of all games."""
    parameters = dict(map(named_number, parameter or []))

    def work() -> CheckReport:
        from rlplat import registry
        from rlplat.testing import check_game as check_rules

        return check_rules(registry.resolve(name, kind="game").load(**parameters))

    from rlplat import tables

    report = execute("check-game", work, json, trust, show=print, results=tables.check_results)
    if not report.passed:
        raise typer.Exit(1)


@commands.command()
def doctor(
    runs: Annotated[Path, typer.Option(help="Folder that will hold the runs.")] = Path("runs"), json: Json = None
) -> None:
    """Look for what this machine lacks, and name what mends it."""
    from rlplat import tables
    from rlplat.doctor import examine

    rows = execute("doctor", lambda: examine(runs), json, show=tables.print_doctor, results=tables.doctor_results)
    if any(row.state == "fail" for row in rows):
        raise typer.Exit(1)


@commands.command()
def bench(
    what: Annotated[
        list[str],
        typer.Argument(
            metavar="WHAT",
            help="search, rules, selfplay, inference, learner, placement, solver, render, rollout, visuomotor, farm, "
            "or a game of one's own",
        ),
    ],
    trust: Trust = None,
    json: Json = None,
) -> None:
    """Measure how fast this machine searches, plays and learns."""

    def work() -> list[Result]:
        from rlplat.bench import run

        return [result for name in what for result in run(name)]

    execute("bench", work, json, trust)


@commands.command()
def runs(
    root: Annotated[Path, typer.Argument(metavar="ROOT", help="Folder that holds the runs.")] = Path("runs"),
    json: Json = None,
) -> None:
    """List runs with their state and last metrics."""
    from rlplat import tables
    from rlplat.runs.folder import list_runs

    execute("runs", lambda: list_runs(root), json, show=tables.print_runs, results=tables.run_results)


@commands.command()
def games(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a run.")],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="Default: RUN/games/games.sgf or .pgn.")
    ] = None,
    trust: Trust = None,
    json: Json = None,
) -> None:
    """Write the games that a run has kept as SGF or PGN."""

    def work() -> list[Result]:
        from rlplat.notation.files import export_run

        return export_run(run, output, trust=trust or [])

    execute("games", work, json, trust)


@commands.command()
def watch(
    runs: Annotated[Path, typer.Argument(metavar="RUNS", help="Folder of runs, or one run.")] = Path("runs"),
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="Default: 6006, or one that is free.")] = None,
    json: Json = None,
) -> None:
    """Show runs in TensorBoard, until Ctrl-C."""
    from rlplat.reports import Result
    from rlplat.watch import serve

    with serve(runs, port) as (address, process):
        execute("watch", lambda: [Result("watch.address", address)], json, show=lambda _: print(address, flush=True))
        process.wait()
