"""TensorBoard on a folder of runs, on this machine's loopback interface only."""

from __future__ import annotations

import contextlib
import importlib.util
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import IO, NoReturn
from urllib.parse import urlsplit

from rlplat.errors import RlplatError

USUAL_PORT = 6006
"""TensorBoard's own default; another is taken where it is in use."""

START_SECONDS = 60.0
"""How long TensorBoard may take to answer; on a busy machine its imports alone take ten."""


@contextlib.contextmanager
def serve(runs: Path, port: int | None = None) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """Run TensorBoard on `runs` while the context lasts; gives its address, once it answers, and its process.

    Raises RlplatError if there is no such folder, no TensorBoard, or it does not start.
    """
    with tempfile.TemporaryFile() as log:
        address, process = start(runs, port, log)
        before = signal.signal(signal.SIGTERM, _leave)  # without it, TensorBoard would outlive this process
        try:
            await_answer(process, address)
            yield address, process
        except _Ended as error:
            log.seek(0)
            lines = log.read().decode(errors="replace").strip().splitlines()
            raise RlplatError("\n".join([f"{error}; it said:", *lines[-5:]])) from error
        finally:
            signal.signal(signal.SIGTERM, before)
            process.terminate()
            process.wait()


def start(runs: Path, port: int | None, log: IO[bytes]) -> tuple[str, subprocess.Popen[bytes]]:
    """Start TensorBoard on `runs`, in a session of its own; returns its address, which does not answer yet, and its
    process. Raises RlplatError if there is no such folder, no TensorBoard, or the port is in use.
    """
    if not runs.is_dir():
        raise RlplatError(
            f"{runs}: there is no such folder; start a run with `rlplat train CONFIG`, or name its folder"
        )
    if importlib.util.find_spec("tensorboard") is None:
        raise RlplatError("TensorBoard is not installed; pip install tensorboard")
    port = free_port(port, USUAL_PORT)
    arguments = ["--logdir", str(runs), "--host", "127.0.0.1", "--port", str(port), "--reload_interval", "15"]
    command = [sys.executable, "-m", "tensorboard.main", *arguments]
    return f"http://127.0.0.1:{port}/", subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)


class _Ended(RlplatError):
    """TensorBoard ended or hung before it answered."""


def await_answer(process: subprocess.Popen[bytes], address: str) -> None:
    """Return once TensorBoard answers; raises RlplatError if it ends before, or takes too long."""
    port = urlsplit(address).port
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise _Ended(f"TensorBoard did not start: exit code {process.returncode}")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.1)
    raise _Ended(f"TensorBoard did not start: no answer on port {port} in {START_SECONDS:.0f} s")


def free_port(wanted: int | None, usual: int) -> int:
    """Return the wanted port (RlplatError if it is in use), or the usual one, or any that is free."""
    for port in (wanted,) if wanted is not None else (usual, 0):
        with contextlib.suppress(OSError), socket.socket() as server:
            # A port whose last connection has ended a minute ago is free for a server.
            server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            server.bind(("127.0.0.1", port or 0))
            return int(server.getsockname()[1])
    raise RlplatError(f"port {wanted} on 127.0.0.1 is in use or not allowed; leave out --port to take one that is free")


def _leave(signum: int, _: FrameType | None) -> NoReturn:
    raise SystemExit(128 + signum)
