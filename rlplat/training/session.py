"""One run of training from the command line: prepares the folder, brings up the pool, runs the loop, evaluates."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rlplat.config import RunConfig, config_hash, config_text, load_config
from rlplat.errors import (
    CheckpointError,
    ConfigError,
    DeviceError,
    GameError,
    ProgramError,
    RegistryError,
    RunError,
    WorkerError,
)
from rlplat.interfaces import Arrays
from rlplat.reports import Result
from rlplat.runs.arrays import load_arrays
from rlplat.runs.checkpoint import WEIGHTS_FILE, Checkpoint, CheckpointStore
from rlplat.runs.console import Console
from rlplat.runs.folder import RunFolder
from rlplat.runs.log import log_to
from rlplat.runs.metrics import MetricsWriter
from rlplat.tables import judgement_lines, strength_results
from rlplat.training.build import Built, build
from rlplat.training.changes import differences, unnamed
from rlplat.training.evaluating import (
    Strength,
    check_opponents,
    evaluate_weights,
    give_up,
    rating_metrics,
    rating_of,
    save_strength,
    strength_layout,
    write_strength,
)
from rlplat.training.hosts import TIMING
from rlplat.training.inline import InlinePool
from rlplat.training.loop import Output, TrainingLoop
from rlplat.training.pool import LearnerLostError, Pool, check_placement
from rlplat.training.signals import StopSignals
from rlplat.training.stages import COLLECTOR_STAGES, LEARNER_STAGES

RUNS_FOLDER = Path("runs")
MENDABLE = (CheckpointError, ConfigError, DeviceError, GameError, RegistryError)
"""Errors of what was asked for: a new run that ends so at once leaves no folder, so the mended command may follow."""
MOST_RECOVERIES = 5
"""Learners that may be lost one after another without a new checkpoint in between. A fault that comes again at once is
not mended by a new process; one that comes once a day is. A lost machine takes two, as Ray may put a learner there
until it has noticed."""

_log = logging.getLogger(__name__)


def train(
    config: RunConfig,
    *,
    run_dir: Path | None = None,
    resume: bool = False,
    init_from: Path | None = None,
    trust: Sequence[str] = (),
    named: Sequence[str] = (),
    facts: Mapping[str, Any] | None = None,
    on_open: Callable[[RunFolder], None] = lambda _: None,
) -> list[Result]:
    """Train until a budget is spent and evaluate the last checkpoint.

    SIGINT and SIGTERM end the run cleanly, with a checkpoint; KeyboardInterrupt is raised afterwards. A second one ends
    it at once. Before training and in evaluations there is nothing to save, so there the first one strikes at once.

    `named` are keys of the configuration that a resumed run may change besides those that alter nothing learned.
    `facts` go to a new run's run.json, see `RunFolder.create`. `on_open` is called with the run's folder once this
    process holds its lock, before anything is printed.
    """
    if resume and init_from is not None:
        raise RunError(
            "--resume continues a run, --init-from begins a new one from another's weights: give one of them"
        )
    check_placement(config.placement)
    run_dir = RUNS_FOLDER / config.name if run_dir is None else run_dir
    built = build(config, trust=trust)
    check_opponents(config, built.env, trust)
    initial_weights = None if init_from is None else weights_of(init_from)
    if resume:
        folder, changes = _open(config, run_dir, trust, named)
    else:
        folder, changes = _create(built, run_dir, init_from, facts or {}), {}
    try:
        with folder.lock(), StopSignals() as stop:
            on_open(folder)
            with Console(folder.path.name) as console, log_to(folder, console):
                strength = _train(built, folder, console, stop, initial_weights, resume, changes)
    except MENDABLE:
        if not resume:
            folder.discard_unused()
        raise
    if stop.requested:
        raise KeyboardInterrupt
    return strength_results(strength.judgements, strength.rows)


def weights_of(source: Path) -> Arrays:
    """The published weights of a run's newest checkpoint, or of one that is named by its folder below `checkpoints`."""
    run, checkpoint = source, "latest"
    if source.absolute().parent.name == "checkpoints":
        run, checkpoint = source.absolute().parents[1], source.name
    found = CheckpointStore(RunFolder.open(run).checkpoints_path, keep=1).resolve(checkpoint)
    return load_arrays(found.path / WEIGHTS_FILE)


def _create(built: Built, run_dir: Path, init_from: Path | None, facts: Mapping[str, Any]) -> RunFolder:
    config = built.config
    info: dict[str, Any] = {
        "seed": config.seed,
        "env": config.env.id,
        "env_parameters": dict(built.env.parameters),
        "agent": config.agent.id,
        "config_hash": config_hash(config),
        "init_from": None if init_from is None else str(init_from),
        **facts,
    }
    return RunFolder.create(run_dir, config_text=config_text(config), info=info)


def _open(
    config: RunConfig, run_dir: Path, trust: Sequence[str], named: Sequence[str]
) -> tuple[RunFolder, Mapping[str, tuple[Any, Any]]]:
    folder = RunFolder.open(run_dir)
    changes = differences(load_config(folder.config_path, trust=trust), config)
    if refused := unnamed(changes, named):
        found = "; ".join(f"{name} was {old!r}, is now {new!r}" for name, (old, new) in refused.items())
        raise RunError(
            f"{run_dir} was begun with another configuration: {found}. Resume with its own "
            f"({folder.config_path}), or begin a new run with --run-dir and --init-from {run_dir}"
        )
    return folder, changes


def _train(
    built: Built,
    folder: RunFolder,
    console: Console,
    stop: StopSignals,
    initial_weights: Arrays | None,
    resume: bool,
    changes: Mapping[str, tuple[Any, Any]],
) -> Strength:
    config = built.config
    store = CheckpointStore(folder.checkpoints_path, keep=config.training.keep_checkpoints)
    checkpoint = store.latest() if resume else None
    if resume and checkpoint is None and folder.info["init_from"] is not None:
        initial_weights = weights_of(Path(folder.info["init_from"]))  # it was stopped before its first checkpoint
    step = _step(checkpoint)
    if resume:
        folder.drop_records_after(step)
        if changes:
            folder.reconfigure(config_text(config), step, changes)
        console.message(f"resuming {folder.path} from update {step}")
    console.message(f"run folder {folder.path}; watch it with: rlplat watch {folder.path.parent}")
    writer = MetricsWriter(folder, layout=_layout(built), hparams=_hparams(config), purge_from=step if resume else None)
    pool = make_pool(built, _waiting(folder, console))
    with writer, _state(folder):
        try:
            output = Output(folder, store, writer, console)
            step = _learn(built, pool, output, stop, checkpoint, initial_weights)
        finally:
            pool.close()
        strength = Strength([], [])
        if not stop.requested:
            with stop.interruptible():
                strength = _final_evaluation(built, folder, store, writer, console)
        if stop.requested:
            folder.update("stopped")
            console.message(f"stopped at update {step}; continue with --resume")
            return Strength([], [])
        folder.update("finished")
        return strength


def _learn(
    built: Built,
    pool: Pool,
    output: Output,
    stop: StopSignals,
    checkpoint: Checkpoint | None,
    initial_weights: Arrays | None,
) -> int:
    """Run the loop to its end, with a new learner from the newest checkpoint whenever one is lost. Returns the step."""
    where = "in this process" if built.config.placement.mode == "inline" else "on Ray"
    num_recoveries = 0
    while not stop.requested:
        try:
            output.console.phase(f"starting learner and collectors {where}")
            report = None
            with stop.interruptible():
                report = pool.start(None if checkpoint is None else checkpoint.path, initial_weights)
            if report is not None:
                output.folder.update("running")
                loop = TrainingLoop(built.config, built.agent, pool, output, stop)
                return loop.run(checkpoint, report).progress.updates
        except LearnerLostError as error:
            step = _step(checkpoint)
            checkpoint = output.checkpoints.latest()
            num_recoveries = num_recoveries + 1 if _step(checkpoint) == step else 1
            if num_recoveries > MOST_RECOVERIES:
                raise WorkerError(
                    f"the learner was lost {num_recoveries} times after update {step}, the last time: {error}. "
                    "Look for a lack of memory (dmesg) or run with --inline to see the fault; --resume goes on"
                ) from error
            _rewind(output, _step(checkpoint), error)
    return _step(checkpoint)


def _rewind(output: Output, step: int, error: LearnerLostError) -> None:
    origin = "update 0, as there is no checkpoint yet" if step == 0 else f"the checkpoint of update {step}"
    _log.error("the learner was lost (%s); what came after is dropped, and the run goes on from %s", error, origin)
    output.metrics.rewind(step)
    output.folder.drop_records_after(step)


def _step(checkpoint: Checkpoint | None) -> int:
    return 0 if checkpoint is None else checkpoint.step


def make_pool(built: Built, waiting: Callable[[str], None] = lambda _: None) -> Pool:
    """The pool that `placement.mode` asks for; it tells `waiting` again and again what it waits for as it starts."""
    if built.config.placement.mode == "inline":
        return InlinePool(built.config, built.env, built.agent)
    from rlplat.placement.ray_pool import RayPool

    return RayPool(built.config, built.env, built.agent, waiting)


def _waiting(folder: RunFolder, console: Console) -> Callable[[str], None]:
    def waiting(what: str) -> None:
        if folder.info.get("waits_for") != what:
            folder.wait(what)
            console.message(f"waiting for {what}")

    return waiting


def _final_evaluation(
    built: Built, folder: RunFolder, store: CheckpointStore, writer: MetricsWriter, console: Console
) -> Strength:
    settings, last = built.config.evaluation, store.latest()
    is_game = built.config.env.is_game
    amount = settings.final_num_games if is_game else settings.final_num_episodes
    if amount == 0 or (is_game and not settings.against) or last is None:
        return Strength([], [])
    opponents = ", ".join(settings.against)
    what = (
        f"{amount} games each against {opponents}" if is_game else f"{amount} episodes, beside {opponents or 'nobody'}"
    )
    console.phase(f"evaluating update {last.step}: {what}")
    weights = load_arrays(last.path / WEIGHTS_FILE)
    try:
        strength = evaluate_weights(built.config, built.env, built.agent, weights, last.step, final=True)
    except ProgramError as error:
        give_up(last.step, error)
        return Strength([], [])
    save_strength(folder, last.step, strength)
    rating = rating_of(built.config, folder.path, last.step)
    write_strength(writer, last.step, strength, rating)
    metrics = strength.metrics() | rating_metrics(rating)
    writer.hparams_result({f"final/{name}": value for name, value in metrics.items()})
    console.phase("finished")
    console.result_table(f"update {last.step}", strength.rows)
    for line in [*([str(rating)] if rating else []), *judgement_lines(strength.judgements)]:
        console.message(line)
    return strength


def _layout(built: Built) -> dict[str, Mapping[str, Sequence[str]]]:
    of_strength, strength = strength_layout(built.config, built.env)
    of_agent = dict(built.agent.metrics_layout())
    first = {
        **of_strength,
        **of_agent.pop("first", {}),
        "waiting: who waits for whom?": [f"{TIMING}collectors/wait", f"{TIMING}learner/wait"],
    }
    time = {
        "collectors": [f"{TIMING}collectors/{stage}" for stage in COLLECTOR_STAGES],
        "learner": [f"{TIMING}learner/{stage}" for stage in LEARNER_STAGES],
        "driver and evaluations": [f"{TIMING}driver", f"{TIMING}evaluation"],
    }
    return {"first": first, "strength": strength, **of_agent, "where the time goes": time}


def _hparams(config: RunConfig) -> dict[str, bool | int | float | str]:
    flat: dict[str, bool | int | float | str] = {}

    def add(values: Mapping[str, Any], at: str) -> None:
        for key, value in values.items():
            if isinstance(value, dict):
                add(value, f"{at}{key}.")
            elif isinstance(value, bool | int | float | str):
                flat[f"{at}{key}"] = value

    add({"seed": config.seed, "agent": config.agent.model_dump(mode="json")}, "")
    return flat


@contextmanager
def _state(folder: RunFolder) -> Iterator[None]:
    folder.update("running")
    try:
        yield
    except KeyboardInterrupt:
        folder.update("stopped")
        raise
    except BaseException:
        folder.update("failed")
        raise
