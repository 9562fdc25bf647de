"""Submits runs as jobs: new ones, and those that go on."""

from __future__ import annotations

import json
import platform
import re
import shlex
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from rlplat import registry
from rlplat.config import RunConfig, config_text, load_config
from rlplat.environments.resolve import resolve
from rlplat.errors import JobError, RunError
from rlplat.hardware import git_commit, versions
from rlplat.jobs.client import RUN_KEY, WANTS_KEY, Cluster, Job, Node
from rlplat.jobs.package import LIBRARIES_FOLDER, Checkout, make_package, package_name, read_checkout
from rlplat.jobs.submission import CONFIG_FILE, DIFF_FILE, SUBMISSION_FILE, Submission
from rlplat.placement import JOB_VARIABLE, room
from rlplat.runs.durable import plain
from rlplat.runs.folder import RunFolder, describe_run
from rlplat.runs.lock import is_locked
from rlplat.search import library
from rlplat.training.changes import Changes, differences, unnamed

STOP_S = 600
"""How long a job may take to end after it was told to, before Ray kills it: a checkpoint has to be written."""


@dataclass(frozen=True)
class Submitted:
    """What `submit` and `resume` did."""

    submission: Submission
    num_bytes: int
    """Size of what the job carries."""
    num_files: int
    untracked: tuple[str, ...]
    """Sources that were left behind, as git does not track them."""
    waits_for: str | None
    """What the job has to wait for as things stand; None if it can start at once."""
    changes: Changes = field(default_factory=dict)
    """What differs from the configuration that a resumed run had."""


def submit(
    config_path: Path,
    overrides: Sequence[str],
    *,
    cluster: Cluster,
    runs: Path,
    name: str | None,
    trust: Sequence[str] = (),
    may_grow: bool = False,
) -> Submitted:
    """Submit a new run, which will be in the folder `runs/<name>` of the cluster's machines.

    Args:
        config_path: the configuration.
        overrides: changes to it, as `training.max_updates=500`.
        cluster: where to.
        runs: folder of the runs; absolute, and shared by all machines of the cluster.
        name: name of the run; None: that of the configuration.
        trust: packages that the configuration may name objects of.
        may_grow: do not compare with the machines that the cluster has now.

    Raises RlplatError: see each part.
    """
    registry.trust(*trust)
    renamed = [] if name is None else [f"name={json.dumps(name)}"]
    config = load_config(config_path, [*overrides, *renamed])
    run = runs / config.name
    if (run / "run.json").exists():
        raise RunError(
            f"{run} already holds a run ({describe_run(run).state}): choose another with --name, or go on with it: "
            f"rlplat resume {config.name}"
        )
    return _submit(config, run, cluster, resume=False, named=(), may_grow=may_grow)


def resume(
    run: Path,
    overrides: Sequence[str],
    *,
    cluster: Cluster,
    config_path: Path | None = None,
    trust: Sequence[str] = (),
    may_grow: bool = False,
) -> Submitted:
    """Submit a job that goes on with a run from its last checkpoint.

    The configuration is the run's own, or that at `config_path`, with overrides. What differs from the run's own and
    touches what is learned must be named by an override.
    """
    registry.trust(*trust)
    folder = RunFolder.open(run)
    if is_locked(run):
        with folder.lock():  # says who holds it
            pass
    before = load_config(folder.config_path)
    after = load_config(folder.config_path if config_path is None else config_path, overrides)
    after = after.model_copy(update={"name": before.name})
    changes = differences(before, after)
    named = tuple(text.partition("=")[0].strip() for text in overrides)
    if refused := unnamed(changes, named):
        wanted = " ".join(f"-o {shlex.quote(f'{key}={json.dumps(new)}')}" for key, (_, new) in refused.items())
        raise RunError(
            f"{run} was begun with another configuration than {config_path}:\n{in_lines(refused)}\n"
            f"Leave out --config to go on as before, or name the changes: {wanted}"
        )
    if folder.state == "finished" and not any(key.startswith("training.max_") for key in changes):
        raise RunError(f"{run} has reached its budget; to go on, raise it: -o training.max_updates=...")
    done = _submit(after, run, cluster, resume=True, named=named, may_grow=may_grow)
    return replace(done, changes=changes)


def in_lines(changes: Changes) -> str:
    """Return changes of a configuration, one a line: `  seed: 0 -> 1`."""
    return "\n".join(f"  {key}: {old!r} -> {new!r}" for key, (old, new) in changes.items())


def _submit(
    config: RunConfig, run: Path, cluster: Cluster, *, resume: bool, named: tuple[str, ...], may_grow: bool
) -> Submitted:
    cluster.check_versions()
    jobs = cluster.jobs()
    _refuse_a_second(run, jobs)
    nodes = cluster.nodes()
    config = _placed(config, nodes)
    wanted = room.bundles(config, num_gpus=room.total(node.total for node in nodes).get("GPU", 0))
    if not may_grow:
        _refuse_what_never_fits(wanted, nodes, cluster)
    checkout = read_checkout(Path.cwd())
    submission = Submission(
        job=_job_name(run.name, jobs),
        cluster=cluster.address,
        run=str(run),
        resume=resume,
        named=named,
        trust=registry.trusted(),
        git=git_commit(checkout.root),
        versions=versions(),
        wants=room.total(wanted),
        submitted=datetime.now(UTC).isoformat(timespec="milliseconds"),
        host=platform.node(),
    )
    num_bytes = _send(submission, config, checkout, cluster)
    waits = not room.fits(wanted, [node.free for node in nodes])
    free = room.waits_for(wanted, room.total(n.free for n in nodes), room.total(n.total for n in nodes))
    return Submitted(submission, num_bytes, len(checkout.files), checkout.untracked, free if waits else None)


def _placed(config: RunConfig, nodes: Sequence[Node]) -> RunConfig:
    """The configuration with what only the cluster can say: how many collectors there are."""
    placement = config.placement
    if placement.mode != "ray":
        raise JobError(
            f"placement.mode is {placement.mode}, and a job runs on Ray: submit with -o placement.mode=ray, or train "
            "in this process with `rlplat train`"
        )
    num_actors = placement.num_actors or room.num_collectors_that_fit(config, [node.total for node in nodes])
    placed = placement.model_copy(update={"num_actors": num_actors, "address": None})
    return config.model_copy(update={"placement": placed})


def _refuse_a_second(run: Path, jobs: Sequence[Job]) -> None:
    for job in jobs:
        if job.run == run and job.is_active:
            raise RunError(
                f"{run} is in the hands of job {job.job} ({job.status.lower()}) already: wait for it, stop it with "
                f"`rlplat stop {run.name}`, or submit under another name with --name"
            )


def _refuse_what_never_fits(wanted: Sequence[room.Resources], nodes: Sequence[Node], cluster: Cluster) -> None:
    there = [node.total for node in nodes]
    if room.fits(wanted, there):
        return
    machines = " and ".join(f"a machine of {room.in_words(node)}" for node in there) or "no machine"
    largest = max(wanted, key=lambda bundle: (bundle.get("GPU", 0), bundle["CPU"]))
    raise JobError(
        f"the run can never start on {cluster.address}: it asks for {room.in_words(room.total(wanted))} in "
        f"{len(wanted)} processes, the largest of {room.in_words(largest)}; the cluster has {machines}. Ask for less "
        "with -o placement.num_actors=N, -o placement.threads_per_actor=N or -o placement.device=cpu, or wait for more "
        "machines with --may-grow"
    )


def _job_name(run: str, jobs: Sequence[Job]) -> str:
    """The first free one of `name-1`, `name-2`, ...: of two that submit at once, Ray refuses the second."""
    stem = re.sub(r"[^A-Za-z0-9._-]", "_", run)[:60]
    taken = {job.job for job in jobs}
    return next(name for number in range(1, len(taken) + 2) if (name := f"{stem}-{number}") not in taken)


def _send(submission: Submission, config: RunConfig, checkout: Checkout, cluster: Cluster) -> int:
    libraries = resolve(config.env.id).libraries()
    carried = {
        SUBMISSION_FILE: json.dumps(plain(asdict(submission)), indent=2),
        CONFIG_FILE: config_text(config),
        DIFF_FILE: checkout.diff,
    }
    package = make_package(checkout, libraries, carried)
    address = cluster.upload(package_name(package), package)
    environment = {
        JOB_VARIABLE: submission.job,
        library.LIBRARIES_VARIABLE: LIBRARIES_FOLDER,  # below the working directory, wherever that is
        "RAY_JOB_STOP_WAIT_TIME_S": str(STOP_S),
    }
    cluster.submit(
        {
            "entrypoint": "exec python -m rlplat.jobs.driver",
            "submission_id": submission.job,
            "runtime_env": {"working_dir": address, "env_vars": environment},
            "metadata": {RUN_KEY: submission.run, WANTS_KEY: room.in_words(submission.wants)},
        }
    )
    return len(package)
