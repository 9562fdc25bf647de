"""Talks to another program in lines of text: starts it, waits for its answers no longer than told, ends it."""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import subprocess
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Sequence
from typing import IO

from rlplat.errors import ProgramError

END_S = 2.0
"""Seconds that a program may take to leave once it is asked to; then it is killed."""

LAST_WORDS_S = 0.5
"""Seconds to wait for the exit code and the last complaints of a program that is lost."""

_LONGEST_LINE = 1 << 16
_MOST_UNHEARD = 10_000
"""Lines that wait to be heard; a program that says more has to wait itself."""


class LostProgramError(ProgramError):
    """The program has ended, or does not answer: it may be started again."""


class Conversation:
    """A running program with its three pipes.

    Args:
        name: what messages call it.
        command: its command line. ProgramError if it cannot be started.
    """

    def __init__(self, name: str, command: Sequence[str]) -> None:
        self._name = name
        try:
            # In a session of its own: Ctrl-C is for us, and who it starts itself can be ended with it.
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                encoding="utf-8",
                errors="replace",
                start_new_session=True,
            )
        except OSError as error:
            raise ProgramError(f"{name}: {command[0]} cannot be started: {error.strerror}") from error
        assert self._process.stdin and self._process.stdout and self._process.stderr
        self._input = self._process.stdin
        self._lines: queue.Queue[str | None] = queue.Queue(_MOST_UNHEARD)
        self._complaints: deque[str | None] = deque(maxlen=3)
        # The threads must not know this object, or it would live, and the program with it, as long as they do.
        _listen(self._process.stdout, self._lines.put)
        self._listener = _listen(self._process.stderr, self._complaints.append)
        self._end = weakref.finalize(self, _end, self._process)  # at the end of this process, too

    @property
    def pid(self) -> int:
        return self._process.pid

    def say(self, line: str) -> None:
        """Send a line; LostProgramError if nobody reads it any more."""
        try:
            self._input.write(f"{line}\n")
            self._input.flush()
        except (OSError, ValueError) as error:  # ValueError: after `end`
            raise self._lost("has ended") from error

    def hear(self, until_s: float) -> str:
        """The next line, without its end. `until_s` is a time of `time.monotonic()`.

        LostProgramError if the program ends before, or says nothing until then.
        """
        left_s = until_s - time.monotonic()
        try:
            if left_s <= 0:  # of a program that talks without end there is always another line
                raise queue.Empty
            line = self._lines.get(timeout=left_s)
        except queue.Empty:
            raise self._lost("did not answer in time") from None
        if line is None:
            raise self._lost("has ended")
        return line.rstrip("\r\n")

    def end(self) -> None:
        """Ask the program to leave, and kill it with all that it has started if it does not."""
        self._end()

    def _lost(self, what: str) -> LostProgramError:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(LAST_WORDS_S)
            self._listener.join(LAST_WORDS_S)
        code = self._process.poll()
        ended = "" if code is None else f" with signal {-code}" if code < 0 else f" with exit code {code}"
        said = " | ".join(line.strip() for line in list(self._complaints) if line is not None and line.strip())
        return LostProgramError(f"{self._name} {what}{ended}{f'; it said: {said}' if said else ''}")


def _listen(pipe: IO[str], heard: Callable[[str | None], None]) -> threading.Thread:
    """Hand on every line, and None at the end, from a thread of its own."""

    def listen() -> None:
        with pipe, contextlib.suppress(OSError):
            while line := pipe.readline(_LONGEST_LINE):
                heard(line)
        heard(None)

    thread = threading.Thread(target=listen, daemon=True)
    thread.start()
    return thread


def _end(process: subprocess.Popen[str]) -> None:
    with contextlib.suppress(OSError, ValueError):
        assert process.stdin is not None
        process.stdin.write("quit\n")
        process.stdin.close()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(END_S)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
