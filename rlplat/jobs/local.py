"""The cluster on this machine: started by `rlplat up`, ended by `rlplat down`, behind a token and on loopback only."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rlplat import watch
from rlplat.errors import JobError
from rlplat.hardware import num_cores
from rlplat.jobs.client import Cluster, user_token
from rlplat.placement.room import SPARE_CPUS
from rlplat.processes import ProcessName, end, with_descendants
from rlplat.runs.durable import write_json

USUAL_PORT = 8265
"""Of Ray's dashboard; another is taken where it is in use."""

START_S = 120.0
"""How long the head may take to answer; on two busy cores it needs half a minute."""
END_S = 30.0

_RECORD_FILE = "cluster.json"


@dataclass(frozen=True)
class LocalCluster:
    """What `up` started."""

    address: str
    token_path: str
    runs: str
    """Absolute path of the folder that holds the runs of its jobs."""
    tensorboard: str
    started: str
    """UTC, ISO 8601."""
    temporary: str
    """Ray's own files, deleted by `down`."""
    roots: tuple[ProcessName, ...]
    """Ray's head and TensorBoard."""
    others: tuple[ProcessName, ...]
    """What these two had started when the cluster was up."""

    @property
    def is_alive(self) -> bool:
        return self.roots[0].process() is not None

    def cluster(self) -> Cluster:
        """The cluster's end point, with its token."""
        try:
            return Cluster(self.address, Path(self.token_path).read_text(encoding="utf-8").strip())
        except OSError as error:
            raise JobError(
                f"{self.token_path}, the token of {self.address}, cannot be read: {error.strerror}; start the cluster "
                "anew with `rlplat down` and `rlplat up`"
            ) from error


def state_folder() -> Path:
    """Where the record of the cluster lies: `$XDG_STATE_HOME/rlplat`, by default `~/.local/state/rlplat`."""
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "rlplat"


def local_cluster() -> LocalCluster | None:
    """Return the cluster that `up` has started here, alive or not; None if there is none."""
    path = state_folder() / _RECORD_FILE
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        names = {key: tuple(ProcessName(**each) for each in values[key]) for key in ("roots", "others")}
        return LocalCluster(**values | names)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise JobError(f"{path} cannot be read ({error!r}); remove it, and end Ray with `ray stop`") from error


def find_cluster(address: str | None) -> Cluster:
    """Return the end point at `address` (None: of the cluster on this machine), with the token that fits."""
    local = local_cluster()
    if address is None:
        if local is None or not local.is_alive:
            raise JobError("no cluster is up on this machine: start one with `rlplat up`, or name one with --cluster")
        return local.cluster()
    if local is not None and Cluster(address, None).address == local.address:
        return local.cluster()
    return Cluster(address, user_token())


def up(*, runs: Path, num_cpus: int | None, port: int | None, object_store_mib: int) -> tuple[LocalCluster, bool]:
    """Start a cluster on this machine and TensorBoard beside it.

    Returns the cluster and whether it was started now: one that is up already is left alone. Raises JobError.
    """
    there = local_cluster()
    if there is not None:
        if there.is_alive:
            return there, False
        down()
    if importlib.util.find_spec("ray") is None:
        raise JobError("Ray is not installed; pip install 'ray[default]', or train without it: rlplat train --inline")
    folder = state_folder()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    runs = runs.absolute()
    runs.mkdir(parents=True, exist_ok=True)
    token_path = folder / "token"
    _write_secret(token_path, secrets.token_hex(32))
    temporary = Path(tempfile.mkdtemp(prefix="rlplat-", dir=_short_folder()))
    port = watch.free_port(port, USUAL_PORT)
    pids: list[int] = []
    try:
        with (folder / "head.log").open("wb") as log:
            arguments = _head_arguments(temporary, port, num_cpus or num_cores() + SPARE_CPUS, object_store_mib)
            head = _start(arguments, _head_environment(token_path), log)
            pids.append(head.pid)
            address = f"http://127.0.0.1:{port}"
            _await_head(head, Cluster(address, token_path.read_text(encoding="utf-8")), folder / "head.log")
        with (folder / "tensorboard.log").open("wb") as log:
            tensorboard, board = watch.start(runs, None, log)
            pids.append(board.pid)
        watch.await_answer(board, tensorboard)
        everyone = with_descendants(pids)
        started = LocalCluster(
            address=address,
            token_path=str(token_path),
            runs=str(runs),
            tensorboard=tensorboard,
            started=datetime.now(UTC).isoformat(timespec="seconds"),
            temporary=str(temporary),
            roots=tuple(each for each in everyone if each.pid in pids),
            others=tuple(each for each in everyone if each.pid not in pids),
        )
        write_json(folder / _RECORD_FILE, asdict(started))
    except BaseException:
        everyone = with_descendants(pids)
        end([each for each in everyone if each.pid in pids], everyone, END_S)
        shutil.rmtree(temporary, ignore_errors=True)
        token_path.unlink(missing_ok=True)
        raise
    return started, True


def down() -> int:
    """End what `up` started, all of it and nothing else; returns how many processes had to be killed for it.

    Jobs that still run are cut off: stop them before. Raises JobError if no cluster was started here.
    """
    there = local_cluster()
    if there is None:
        raise JobError("no cluster was started on this machine with `rlplat up`: there is nothing to end")
    others = {*there.others, *with_descendants(root.pid for root in there.roots if root.process())}
    killed = end(there.roots, others, END_S)
    shutil.rmtree(there.temporary, ignore_errors=True)
    Path(there.token_path).unlink(missing_ok=True)
    (state_folder() / _RECORD_FILE).unlink(missing_ok=True)
    return killed


def _head_arguments(temporary: Path, port: int, num_cpus: int, object_store_mib: int) -> Sequence[str]:
    return [
        *("-m", "ray.scripts.scripts", "start", "--head", "--block", "--disable-usage-stats"),
        *("--node-ip-address", "127.0.0.1", "--port", "0", "--dashboard-host", "127.0.0.1"),
        *("--dashboard-port", str(port), "--dashboard-agent-listen-port", str(watch.free_port(None, 0))),
        *("--ray-client-server-port", str(watch.free_port(None, 0)), "--temp-dir", str(temporary)),
        *("--num-cpus", str(num_cpus), "--object-store-memory", str(object_store_mib << 20)),
    ]


def _head_environment(token_path: Path) -> Mapping[str, str]:
    """The environment of all that runs on the cluster: jobs inherit it."""
    given = {name: value for name, value in os.environ.items() if name not in ("RAY_ADDRESS", "RAY_AUTH_TOKEN")}
    return given | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN_PATH": str(token_path),
        # Ray would turn 127.0.0.1 into the machine's public address: see rlplat.placement.cluster.
        "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
        "RAY_GRACEFUL_SHUTDOWN_DRAIN_TIMEOUT_S": "2",  # `down` has stopped the jobs; 30 s would be waited for others
    }


def _start(arguments: Sequence[str], environment: Mapping[str, str], log: Any) -> subprocess.Popen[bytes]:
    command = [sys.executable, *arguments]
    return subprocess.Popen(
        command, env=dict(environment), stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
    )


def _await_head(head: subprocess.Popen[bytes], cluster: Cluster, log: Path) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        if head.poll() is not None:
            lines = log.read_text(errors="replace").strip().splitlines()
            raise JobError("\n".join([f"Ray did not start: exit code {head.returncode}; it said:", *lines[-5:]]))
        with contextlib.suppress(JobError):
            cluster.jobs()
            if cluster.nodes():
                return
        time.sleep(0.2)
    raise JobError(f"Ray did not answer within {START_S:.0f} s; see {log}")


def _write_secret(path: Path, text: str) -> None:
    """Write a file that was never readable for others, not even for a moment."""
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "w", encoding="utf-8") as file:
        file.write(text)


def _short_folder() -> str:
    """Ray's sockets live below it, and the path of a socket is at most 107 bytes long."""
    preferred = tempfile.gettempdir()
    return preferred if len(preferred) < 40 else "/tmp"
