"""Commands about jobs on clusters."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rlplat.commands.execution import execute
from rlplat.commands.options import ClusterAddress, Config, Json, MayGrow, Override, RunName, Runs, Trust

if TYPE_CHECKING:
    from rlplat.jobs.local import LocalCluster
    from rlplat.jobs.overview import Overview, Status
    from rlplat.jobs.submit import Submitted
    from rlplat.reports import Result

commands = typer.Typer()


@commands.command()
def up(
    runs: Annotated[Path, typer.Option(metavar="DIR", help="Folder for the runs of jobs.")] = Path("runs"),
    cpus: Annotated[
        int | None, typer.Option(min=2, help="CPUs to give out; default: cores and 2, as learners idle.")
    ] = None,
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="Default: 8265, or one that is free.")] = None,
    object_store_mib: Annotated[int, typer.Option(min=80, help="Shared memory for data on its way.")] = 256,
    json: Json = None,
) -> None:
    """Start a cluster on this machine, and TensorBoard beside it.

    Both listen on loopback only, and the cluster asks for a token.
    """

    def work() -> tuple[LocalCluster, bool]:
        from rlplat.jobs import local

        return local.up(runs=runs, num_cpus=cpus, port=port, object_store_mib=object_store_mib)

    from rlplat.jobs import report

    execute("up", work, json, show=report.print_up, results=report.up_results)


@commands.command()
def down(
    now: Annotated[bool, typer.Option("--now", help="Do not wait for running jobs to write a checkpoint.")] = False,
    json: Json = None,
) -> None:
    """End the cluster on this machine.

    Jobs stop with a checkpoint, then all that `up` started ends.
    """

    def work() -> list[Result]:
        from rlplat.jobs.control import take_down

        return take_down(now=now)

    from rlplat.jobs import report

    execute("down", work, json, show=report.print_down)


@commands.command()
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
    """Train as a job on a cluster; returns at once."""

    def work() -> Submitted:
        from rlplat.jobs.local import find_cluster
        from rlplat.jobs.overview import runs_folder

        there, root = find_cluster(cluster), runs_folder(runs)

        from rlplat.jobs.submit import submit as submit_run  # slow: a missing cluster is told before

        return submit_run(config, override or [], cluster=there, runs=root, name=name, may_grow=may_grow)

    from rlplat.jobs import report

    execute("submit", work, json, trust, show=report.print_submitted, results=report.submitted_results)


@commands.command()
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

    execute("resume", work, json, trust, show=report.print_submitted, results=report.submitted_results)


@commands.command()
def jobs(cluster: ClusterAddress = None, runs: Runs = None, json: Json = None) -> None:
    """List jobs and runs: state, progress, what they wait for. Works with the cluster down, too."""

    def work() -> Overview:
        from rlplat.jobs.overview import overview

        return overview(runs, cluster)

    from rlplat.jobs import report

    execute("jobs", work, json, show=report.print_jobs, results=report.job_results)


@commands.command()
def status(
    run: Annotated[str | None, typer.Argument(metavar="RUN", help="Name of a run, or its folder.")] = None,
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

    execute("status", work, json, show=report.print_status, results=report.status_results)


@commands.command()
def logs(
    run: RunName,
    follow: Annotated[bool, typer.Option("-f", "--follow", help="Go on until the run ends.")] = False,
    cluster: ClusterAddress = None,
    runs: Runs = None,
    json: Json = None,
) -> None:
    """Print what a run's jobs have printed. Works with the cluster down, too."""
    from rlplat.jobs import report
    from rlplat.jobs.control import follow as parts_of_log
    from rlplat.jobs.overview import find_run

    folder = find_run(run, runs)

    def work() -> tuple[str, str]:
        parts = []
        for part in parts_of_log(folder, cluster, forever=follow):
            print(part, end="", flush=True)
            parts.append(part)
        return folder.name, "".join(parts)

    execute("logs", work, json, show=lambda _: None, results=report.log_results)


@commands.command()
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

    execute("stop", work, json, show=report.print_stopped)
