"""What a run says: on the console, and in logs/train.log."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from rlplat.runs.console import Console
from rlplat.runs.folder import RunFolder


@contextmanager
def log_to(folder: RunFolder, console: Console) -> Iterator[None]:
    """Log to the console, where a record is one line unless it is a terminal, and to logs/train.log."""
    from rich.logging import RichHandler

    file = _LogFile(folder.logs_path / "train.log")
    file.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    screen: logging.Handler
    if console.plain:
        screen = logging.StreamHandler(console.rich.file)
        screen.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s", "%H:%M:%S"))
    else:
        screen = RichHandler(console=console.rich, show_path=False, log_time_format="%H:%M:%S")
    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.INFO)
    for handler in (file, screen):
        root.addHandler(handler)
    try:
        yield
    finally:
        for handler in (file, screen):
            root.removeHandler(handler)
        file.close()
        root.setLevel(level)


class _LogFile(logging.FileHandler):
    """A log that is worth less than the run: what the disk refuses is left out."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, delay=True)

    def emit(self, record: logging.LogRecord) -> None:
        with suppress(OSError):
            super().emit(record)

    def handleError(self, record: logging.LogRecord) -> None:
        if not isinstance(sys.exc_info()[1], OSError):
            super().handleError(record)

    def close(self) -> None:
        with suppress(OSError):
            super().close()
