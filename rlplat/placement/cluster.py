"""Ray, started on this machine or joined elsewhere.

A run inside a job joins the cluster that runs the job, whatever `placement.address` says. A local Ray listens on the
loopback interface only and asks for a token that lives in the environment of this process and its children; nothing is
written to the user's home.
"""

from __future__ import annotations

import logging
import os
import secrets
import signal
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import ray
from ray.util.placement_group import PlacementGroup, placement_group, placement_group_table

from rlplat.config import PlacementConfig
from rlplat.errors import WorkerError
from rlplat.placement import JOB_VARIABLE, room
from rlplat.processes import no_orphans

WORKER_NICENESS = 5
"""Of every actor on a local Ray, whose own default of 15 leaves no room for collectors to be nicer than the learner."""

GRANT_WAIT_S = 1.0
"""Time between two looks at whether the cluster has made room."""

_log = logging.getLogger(__name__)


def connect(placement: PlacementConfig) -> bool:
    """Join the cluster of the job that this process is, or the one at `placement.address`, or else start Ray here.

    Returns whether Ray was started here, where no machine will join it. Raises WorkerError if that fails. What happens
    on SIGTERM stays as it was: Ray would have its drivers end at once.
    """
    before = signal.getsignal(signal.SIGTERM)
    # Answers that nobody waits for any more, as their actor was replaced, come as errors; all others are read.
    os.environ.setdefault("RAY_IGNORE_UNHANDLED_ERRORS", "1")
    try:
        if JOB_VARIABLE in os.environ:
            _join(os.environ["RAY_ADDRESS"], "this job's cluster cannot be joined")
        elif placement.address is not None:
            _join(placement.address, f"placement.address is {placement.address}")
        else:
            _start(placement)
            return True
    finally:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, before)
    return False


def reserve(wanted: Sequence[room.Resources], waiting: Callable[[str], None]) -> PlacementGroup:
    """Reserve the bundles, all together, on the cluster that this process has joined; tells `waiting` every second what
    is still lacking.
    """
    group: PlacementGroup = placement_group([dict(bundle) for bundle in wanted], strategy="PACK")
    while not group.wait(GRANT_WAIT_S):
        waiting(room.waits_for(wanted, _numbers(ray.available_resources), _numbers(ray.cluster_resources)))
    return group


def has_lost_room(group: PlacementGroup) -> bool:
    """Tell whether some of what was reserved went with a machine, and has no other place yet."""
    table: Any = placement_group_table  # untyped
    return str(table(group)["state"]) != "CREATED"


def _numbers(resources: Any) -> dict[str, float]:
    return dict(resources())  # untyped in Ray


def _join(address: str, what: str) -> None:
    try:
        ray.init(address=address, log_to_driver=True, logging_level=logging.WARNING)
    except (ConnectionError, RuntimeError, ValueError) as error:
        raise WorkerError(
            f"{what}: {error}. Start a cluster there with 'ray start --head', or set placement.address to null to "
            "start Ray on this machine"
        ) from error


def _start(placement: PlacementConfig) -> None:
    _ask_for_a_token()
    _stay_on_loopback()
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_worker_niceness", str(WORKER_NICENESS))
    try:
        with no_orphans():  # Ray's agents look for their parent only once they have come up
            ray.init(
                address="local",
                num_cpus=placement.resolve_num_actors() * placement.threads_per_actor + room.spare_cpus(placement),
                object_store_memory=placement.object_store_mib << 20,
                include_dashboard=False,
                log_to_driver=True,
                logging_level=logging.WARNING,
                _temp_dir=_short_folder(),
            )
    except Exception as error:  # Ray has no narrower one where a part of it does not come up
        raise WorkerError(
            f"Ray did not start on this machine: {error} Is the machine very busy, or short of memory? `rlplat doctor` "
            "says what is missing. --resume tries again, and --inline trains without Ray"
        ) from error
    _log.info("Ray %s on this machine, %d collectors", ray.__version__, placement.resolve_num_actors())


def _ask_for_a_token() -> None:
    """Make a token for this start alone. Ray reads both variables once, at its import, unless told to look again."""
    os.environ["RAY_AUTH_MODE"] = "token"
    os.environ["RAY_AUTH_TOKEN"] = secrets.token_hex(32)
    core: Any = ray._raylet
    core.Config.initialize("")
    core.AuthenticationTokenLoader.instance().reset_cache()


def _stay_on_loopback() -> None:
    """Make every process of Ray listen on 127.0.0.1 alone.

    Ray turns a node address of 127.0.0.1 into the machine's public one, unless it takes this system for one without
    clusters, as it does on macOS and Windows. It reads the variable once, at its import.
    """
    os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"
    constants: Any = ray._private.ray_constants
    constants.ENABLE_RAY_CLUSTER = False


def _short_folder() -> str:
    """Ray's sockets live below it, and the path of a socket is at most 107 bytes long."""
    preferred = Path(tempfile.gettempdir())
    return str((preferred if len(str(preferred)) < 40 else Path("/tmp")) / f"rlplat-ray-{os.getuid()}")


@contextmanager
def environment() -> Iterator[None]:
    """Give back the environment as it was: Ray and `connect` write to it."""
    before = dict(os.environ)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
