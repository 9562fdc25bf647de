"""Ray, started on this machine or joined elsewhere.

A local Ray listens on the loopback interface only and asks for a token that lives in the environment of this process
and its children; nothing is written to the user's home.
"""

from __future__ import annotations

import logging
import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import ray

from rlplat.config import PlacementConfig
from rlplat.errors import WorkerError

SPARE_CPUS = 2
"""Logical CPUs beside the collectors': the learner's and the evaluator's. Ray counts them, it does not enforce them."""

_log = logging.getLogger(__name__)


def connect(placement: PlacementConfig) -> None:
    """Start Ray here, or join the cluster at `placement.address`. WorkerError if that fails."""
    if placement.address is not None:
        try:
            ray.init(address=placement.address, log_to_driver=True, logging_level=logging.WARNING)
        except (ConnectionError, RuntimeError, ValueError) as error:
            raise WorkerError(
                f"placement.address is {placement.address}: {error}. Start a cluster there with "
                "'ray start --head', or set placement.address to null to start Ray on this machine"
            ) from error
        return
    _ask_for_a_token()
    _stay_on_loopback()
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    ray.init(
        address="local",
        num_cpus=placement.resolve_num_actors() * placement.threads_per_actor + SPARE_CPUS,
        object_store_memory=placement.object_store_mib << 20,
        include_dashboard=False,
        log_to_driver=True,
        logging_level=logging.WARNING,
        _temp_dir=_short_folder(),
    )
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
