"""The command `rlplat`: argument parsing and calls, nothing else.

Imports stand inside the functions, so that `rlplat --help` answers at once.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from rlplat import __version__
from rlplat.errors import RlplatError

if TYPE_CHECKING:
    from rlplat.evaluation.evaluate import Evaluation
    from rlplat.evaluation.judge import Judgement
    from rlplat.jobs.local import LocalCluster
    from rlplat.jobs.overview import Overview, Status
    from rlplat.jobs.submit import Submitted
    from rlplat.reports import Result
    from rlplat.testing import CheckReport

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


@app.command()
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

    _run("train", work, json, trust, show=lambda _: None)  # the run has shown its table itself


@app.command()
def evaluate(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a run.")],
    against: Annotated[
        str | None, typer.Option(help="Opponents, separated by commas: random,mcts:1000,alphabeta:5,solver.")
    ] = None,
    positions: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Judge its moves in positions with known scores.")
    ] = None,
    checkpoint: Annotated[str, typer.Option(metavar="latest|best|STEP", help="Which weights play.")] = "latest",
    games: Annotated[int, typer.Option(min=2, help="Games against each opponent; even.")] = 200,
    simulations: Annotated[
        int | None, typer.Option(min=0, help="A move; 0: network alone. Default: as trained.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of openings and searches.")] = 0,
    trust: Trust = None,
    json: Json = None,
) -> None:
    """Play a trained agent against baselines, and judge its moves by exact scores."""
    if against is None and positions is None:
        raise typer.BadParameter(
            "name opponents, as in random,mcts:1000, or a file with --positions", param_hint="--against"
        )
    options: dict[str, Any] = {
        "checkpoint": checkpoint,
        "num_simulations": simulations,
        "seed": seed,
        "trust": trust or [],
    }

    def work() -> tuple[list[Judgement], list[Evaluation]]:
        judgements, evaluations = [], []
        if positions is not None:
            from rlplat.evaluation.judge import judge_run

            judgements = judge_run(run, positions, **options)
        if against is not None:
            from rlplat.evaluation.evaluate import evaluate_run

            opponents = [name.strip() for name in against.split(",")]
            evaluations = evaluate_run(run, against=opponents, num_games=games, **options)
        return judgements, evaluations

    from rlplat import tables

    _run("evaluate", work, json, trust, show=tables.print_strength, results=tables.strength_results)


@app.command()
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
    parameters = dict(map(_number, parameter or []))

    def work() -> list[Result]:
        from rlplat import registry
        from rlplat.evaluation.make_positions import make_positions

        game = registry.resolve(name, kind="game").load(**parameters)
        return make_positions(game, output, first=first, last=last, count=count, seed=seed)

    _run("positions", work, json, trust)


@app.command()
def check(config: Config, override: Override = None, trust: Trust = None, json: Json = None) -> None:
    """Check a configuration: build everything, play one move, make one update, predict memory and rates."""

    def work() -> list[Result]:
        from rlplat.config import load_config

        loaded = load_config(config, override or [])

        from rlplat.training.check import check as check_config  # slow: a wrong configuration is told before

        return check_config(loaded)

    _run("check", work, json, trust)


@app.command("check-game")
def check_game(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A game: connect_four, or my_games.hex:hex_game.")],
    parameter: Parameters = None,
    trust: Trust = None,
    json: Json = None,
) -> None:
    """Hold a game's rules against the contract that all games fulfil."""
    parameters = dict(map(_number, parameter or []))

    def work() -> CheckReport:
        from rlplat import registry
        from rlplat.testing import check_game as check_rules

        return check_rules(registry.resolve(name, kind="game").load(**parameters))

    from rlplat import tables

    report = _run("check-game", work, json, trust, show=print, results=tables.check_results)
    if not report.passed:
        raise typer.Exit(1)


@app.command()
def doctor(
    runs: Annotated[Path, typer.Option(help="Folder that will hold the runs.")] = Path("runs"), json: Json = None
) -> None:
    """Look for what is missing on this machine, and name the command that mends it."""
    from rlplat import tables
    from rlplat.doctor import examine

    rows = _run("doctor", lambda: examine(runs), json, show=tables.print_doctor, results=tables.doctor_results)
    if any(row.state == "fail" for row in rows):
        raise typer.Exit(1)


@app.command()
def bench(
    what: Annotated[
        list[str], typer.Argument(metavar="WHAT...", help="search, selfplay, inference, learner, render, ...")
    ],
    json: Json = None,
) -> None:
    """Measure how fast this machine searches, plays, infers and learns."""

    def work() -> list[Result]:
        from rlplat.bench import run

        return [result for name in what for result in run(name)]

    _run("bench", work, json)


@app.command()
def runs(
    root: Annotated[Path, typer.Argument(metavar="ROOT", help="Folder that holds the runs.")] = Path("runs"),
    json: Json = None,
) -> None:
    """List runs with their state and last metrics."""
    from rlplat import tables
    from rlplat.runs.folder import list_runs

    _run("runs", lambda: list_runs(root), json, show=tables.print_runs, results=tables.run_results)


@app.command()
def watch(
    runs: Annotated[Path, typer.Argument(metavar="RUNS", help="Folder of runs, or one run.")] = Path("runs"),
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="Default: 6006, or one that is free.")] = None,
    json: Json = None,
) -> None:
    """Show runs in TensorBoard, until Ctrl-C."""
    from rlplat.reports import Result
    from rlplat.watch import serve

    with serve(runs, port) as (address, process):
        _run("watch", lambda: [Result("watch.address", address)], json, show=lambda _: print(address, flush=True))
        process.wait()


@app.command()
def up(
    runs: Annotated[Path, typer.Option(metavar="DIR", help="Folder for the runs of jobs.")] = Path("runs"),
    cpus: Annotated[
        int | None, typer.Option(min=2, help="CPUs to give out; default: all and 2, as learners idle.")
    ] = None,
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="Default: 8265, or one that is free.")] = None,
    object_store_mib: Annotated[int, typer.Option(min=80, help="Shared memory for data on its way.")] = 256,
    json: Json = None,
) -> None:
    """Start a cluster on this machine, on loopback and behind a token, and TensorBoard beside it."""

    def work() -> tuple[LocalCluster, bool]:
        from rlplat.jobs import local

        return local.up(runs=runs, num_cpus=cpus, port=port, object_store_mib=object_store_mib)

    from rlplat.jobs import report

    _run("up", work, json, show=report.print_up, results=report.up_results)


@app.command()
def down(
    now: Annotated[bool, typer.Option("--now", help="Do not wait for running jobs to write a checkpoint.")] = False,
    json: Json = None,
) -> None:
    """End the cluster on this machine: jobs stop with a checkpoint, then all that `up` started ends."""

    def work() -> list[Result]:
        from rlplat.jobs.control import take_down

        return take_down(now=now)

    from rlplat.jobs import report

    _run("down", work, json, show=report.print_down)


@app.command()
def submit(
    config: Config,
    override: Override = None,
    name: Annotated[str | None, typer.Option("--name", help="Of the run; default: the configuration's.")] = None,
    cluster: ClusterAddress = None,
    runs: Runs = None,
    may_grow: MayGrow = False,
    trust: Trust = None,
    json: Json = None,
) -> None:
    """Train the agent of a configuration as a job on a cluster; returns at once."""

    def work() -> Submitted:
        from rlplat.jobs.local import find_cluster
        from rlplat.jobs.overview import runs_folder

        there, root = find_cluster(cluster), runs_folder(runs)

        from rlplat.jobs.submit import submit as submit_run  # slow: a missing cluster is told before

        return submit_run(config, override or [], cluster=there, runs=root, name=name, may_grow=may_grow)

    from rlplat.jobs import report

    _run("submit", work, json, trust, show=report.print_submitted, results=report.submitted_results)


@app.command()
def resume(
    run: RunName,
    override: Override = None,
    config: Annotated[
        Path | None, typer.Option("--config", help="Instead of the run's own; what differs is shown.")
    ] = None,
    cluster: ClusterAddress = None,
    runs: Runs = None,
    may_grow: MayGrow = False,
    trust: Trust = None,
    json: Json = None,
) -> None:
    """Go on with a run from its last checkpoint, as a job. Changes must be named with -o."""

    def work() -> Submitted:
        from rlplat.jobs.local import find_cluster
        from rlplat.jobs.overview import find_run

        there, folder = find_cluster(cluster), find_run(run, runs)

        from rlplat.jobs.submit import resume as resume_run

        return resume_run(folder, override or [], cluster=there, config_path=config, may_grow=may_grow)

    from rlplat.jobs import report

    _run("resume", work, json, trust, show=report.print_submitted, results=report.submitted_results)


@app.command()
def jobs(cluster: ClusterAddress = None, runs: Runs = None, json: Json = None) -> None:
    """List jobs and runs: state, progress, what they wait for. Works with the cluster down, too."""

    def work() -> Overview:
        from rlplat.jobs.overview import overview

        return overview(runs, cluster)

    from rlplat.jobs import report

    _run("jobs", work, json, show=report.print_jobs, results=report.job_results)


@app.command()
def status(
    run: Annotated[str | None, typer.Argument(metavar="[RUN]", help="Name of a run, or its folder.")] = None,
    cluster: ClusterAddress = None,
    runs: Runs = None,
    json: Json = None,
) -> None:
    """Show all about one run; without RUN, the list of jobs. Works with the cluster down, too."""
    if run is None:
        jobs(cluster, runs, json)
        return

    def work() -> Status:
        from rlplat.jobs import overview

        return overview.status(overview.find_run(run, runs), cluster)

    from rlplat.jobs import report

    _run("status", work, json, show=report.print_status, results=report.status_results)


@app.command()
def logs(
    run: RunName,
    follow: Annotated[bool, typer.Option("-f", "--follow", help="Go on until the run ends.")] = False,
    cluster: ClusterAddress = None,
    runs: Runs = None,
) -> None:
    """Print what a run's jobs have printed. Works with the cluster down, too."""
    from rlplat.jobs import control
    from rlplat.jobs.overview import find_run

    for text in control.follow(find_run(run, runs), cluster, forever=follow):
        print(text, end="", flush=True)


@app.command()
def stop(
    run: RunName,
    timeout: Annotated[float, typer.Option(min=0, metavar="SECONDS", help="How long to wait for its end.")] = 600,
    cluster: ClusterAddress = None,
    runs: Runs = None,
    json: Json = None,
) -> None:
    """Stop the job of a run: it writes a checkpoint, then ends. `rlplat resume` goes on with it."""

    def work() -> list[Result]:
        from rlplat.jobs.control import stop as stop_run
        from rlplat.jobs.local import find_cluster
        from rlplat.jobs.overview import find_run

        return stop_run(find_run(run, runs), find_cluster(cluster), timeout_s=timeout)

    from rlplat.jobs import report

    _run("stop", work, json, show=report.print_stopped)


def _run(
    command: str,
    work: Callable[[], Any],
    json: str | None,
    trust: list[str] | None = None,
    *,
    show: Callable[[Any], None] | None = None,
    results: Callable[[Any], list[Result]] = list,
) -> Any:
    """Do a command's work, show what it found to people, and write it for programs; returns what it found.

    What is found is a list of results, or else `show` prints it and `results` turns it into such a list.
    """
    from rlplat import registry, reports, tables

    registry.trust(*(trust or []))
    if json is not None:
        reports.check_target(json)
    if json == "-":
        with reports.stdout_to_stderr():
            found = work()
    else:
        found = work()
        (show or tables.print_results)(found)
    if json is not None:
        reports.write_json(reports.report(command, results(found)), json)
    return found


def _number(text: str) -> tuple[str, float]:
    name, _, value = text.partition("=")
    try:
        return name, float(value)
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} must look like rows=6", param_hint="-p") from error


def _range(text: str) -> tuple[int, int]:
    first, _, last = text.partition("-")
    if not (first.isdecimal() and (last or first).isdecimal()):
        raise typer.BadParameter(f"{text!r} must look like 15-28, or 12", param_hint="--plies")
    return int(first), int(last or first)


def main() -> None:
    """Run the command line and leave with its exit code."""
    app()
