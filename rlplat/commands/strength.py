"""Commands that measure how strong an agent is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rlplat.commands.execution import execute
from rlplat.commands.options import Json, Parameters, Trust, named_number

if TYPE_CHECKING:
    from rlplat.evaluation.ratings import Ratings
    from rlplat.evaluation.seeds import AcrossRuns
    from rlplat.evaluation.strength import RunStrength
    from rlplat.reports import Result

commands = typer.Typer()


@commands.command()
def evaluate(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN", help="Folder of a run; of several, all together.")],
    against: Annotated[
        str | None, typer.Option(help="Opponents, separated by commas: random,mcts:1000,gtp:gnugo:level=1.")
    ] = None,
    positions: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Judge its moves in positions with known scores.")
    ] = None,
    checkpoint: Annotated[str, typer.Option(metavar="latest|best|STEP", help="Which weights play.")] = "latest",
    games: Annotated[int, typer.Option(min=2, help="Games against each opponent; even.")] = 200,
    episodes: Annotated[
        int | None,
        typer.Option(min=1, help="Of a task: episodes of the agent and of each baseline. Default: as at its end."),
    ] = None,
    videos: Annotated[
        int, typer.Option(min=0, metavar="N", help="Of a task: film N successes and N failures, into the run's folder.")
    ] = 0,
    simulations: Annotated[
        int | None, typer.Option(min=0, help="Of each move; 0: the network alone. Default: as trained.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of openings and searches, or of episodes.")] = 0,
    record: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the games to this file, as SGF or PGN.")
    ] = None,
    trust: Trust = None,
    json: Json = None,
) -> None:
    """Measure how strong a trained agent is.

    It plays against baselines, and its moves are judged by exact scores. Of a task: it makes episodes on fixed seeds,
    and so do baselines. Of several runs of tasks, such as those of several seeds: the interquartile mean too.
    """
    opponents = [name.strip() for name in against.split(",")] if against else []
    if not opponents and positions is None and episodes is None and not videos:
        raise typer.BadParameter(
            "name opponents, as in random,mcts:1000, or a file with --positions", param_hint="--against"
        )

    def work() -> tuple[list[RunStrength], list[AcrossRuns]]:
        from rlplat.evaluation.strength import strength_of_runs

        return strength_of_runs(
            runs,
            positions=positions,
            against=opponents,
            num_games=games,
            num_episodes=episodes,
            num_videos=videos,
            record=record,
            checkpoint=checkpoint,
            num_simulations=simulations,
            seed=seed,
            trust=trust or [],
        )

    from rlplat import tables

    execute(
        "evaluate",
        work,
        json,
        trust,
        show=lambda found: tables.print_run_strength(*found),
        results=lambda found: tables.run_strength_results(*found),
    )


@commands.command()
def ratings(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN", help="Folders of runs of one game.")],
    play: Annotated[
        int,
        typer.Option(min=0, metavar="N", help="First play what pairs of checkpoints and opponents lack to N games."),
    ] = 0,
    anchor: Annotated[
        str | None, typer.Option(metavar="PLAYER", help="Who has rating 0. Default: as the runs are configured.")
    ] = None,
    simulations: Annotated[
        int | None,
        typer.Option(min=0, help="Of each move in games of --play; 0: the network alone. Default: as evaluated."),
    ] = None,
    trust: Trust = None,
    json: Json = None,
) -> None:
    """Rate checkpoints and opponents on one Elo scale.

    The ratings are fitted to all matches that the folders of the runs hold.
    """

    def work() -> Ratings:
        from rlplat.evaluation.rate import rate_runs

        return rate_runs(runs, anchor=anchor, play=play, num_simulations=simulations, trust=trust or [], told=print)

    from rlplat import tables

    execute("ratings", work, json, trust, show=tables.print_ratings, results=tables.rating_results)


@commands.command()
def positions(
    name: Annotated[str, typer.Argument(metavar="GAME", help="A game with exact scores: connect_four.")],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FILE", help="Where they are written.")],
    plies: Annotated[str, typer.Option(metavar="A-B", help="Plies played before: 15-28.")],
    count: Annotated[int, typer.Option(min=2, help="Positions; half of them are hard choices.")] = 1000,
    seed: Annotated[int, typer.Option(min=0, help="Of the games that lead to them.")] = 0,
    parameter: Parameters = None,
    trust: Trust = None,
    json: Json = None,
) -> None:
    """Make positions with their exact scores, to judge agents by."""
    first, last = _range(plies)
    parameters = dict(map(named_number, parameter or []))

    def work() -> list[Result]:
        from rlplat import registry
        from rlplat.evaluation.make_positions import make_positions

        game = registry.resolve(name, kind="game").load(**parameters)
        return make_positions(game, output, first=first, last=last, count=count, seed=seed)

    execute("positions", work, json, trust)


def _range(text: str) -> tuple[int, int]:
    first, _, last = text.partition("-")
    if not (first.isdecimal() and (last or first).isdecimal()):
        raise typer.BadParameter(f"{text!r} must look like 15-28, or 12", param_hint="--plies")
    return int(first), int(last or first)
