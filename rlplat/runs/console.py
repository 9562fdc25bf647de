"""The display of a run: a live panel on a terminal, plain lines elsewhere."""

from __future__ import annotations

import atexit
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import TracebackType
from typing import TextIO, TypeVar

from rich import box
from rich.columns import Columns
from rich.console import Console as RichConsole
from rich.console import ConsoleOptions, Group, RenderableType, RenderResult
from rich.live import Live
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from rlplat.runs.progress import (
    EpisodesRow,
    MatchRow,
    ProgressView,
    ResultRow,
    duration,
    elo_text,
    number,
    percent,
    plain_line,
    return_text,
    score_text,
    success_text,
)

_REFRESH_S = 0.1
"""Shortest time between two drawings of the panel: more is only flicker."""
_SHORTEST_BAR = 16
"""Columns below which a bar shows too little to stand beside its text."""
_PLAIN_WIDTH = 120
"""Columns of a table where there is no terminal to ask."""


class Console:
    """Shows one run. A context manager, which gives the terminal back whatever ends the block.

    While the panel is up, output of others on stdout and stderr appears above it; a logging handler should write to
    `rich` (for instance `rich.logging.RichHandler(console=console.rich)`) or look up `sys.stderr` at each record.
    """

    def __init__(
        self, title: str, *, plain: bool | None = None, interval_s: float = 10.0, stream: TextIO | None = None
    ) -> None:
        """Prepare a display.

        Args:
            title: name of the run.
            plain: True for lines, False for the panel; None: the panel if the stream is a terminal that can show it.
            interval_s: shortest time between two plain lines, in seconds.
            stream: where to write; None: stdout.
        """
        stream = sys.stdout if stream is None else stream
        dumb = not stream.isatty() or RichConsole(file=stream).is_dumb_terminal
        self.plain = dumb if plain is None else plain
        width = None if stream.isatty() else _PLAIN_WIDTH
        self.rich = RichConsole(file=stream, width=width, highlight=False, force_terminal=None if self.plain else True)
        self._title = title
        self._wait_s = interval_s if self.plain else _REFRESH_S
        self._shown_at: float | None = None
        self._view = ProgressView(budgets=(), elapsed_s=0.0)
        self._evaluations: tuple[int | None, tuple[ResultRow, ...]] = (None, ())
        self._advice = ""
        self._live: Live | None = None

    def __enter__(self) -> Console:
        if not self.plain:
            live = Live(console=self.rich, auto_refresh=False, transient=False)
            self._live = live
            atexit.register(self.close)
            try:
                live.start()
            except BaseException:  # Ctrl-C between hiding the cursor and the end of `start`
                self.close()
                raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the terminal back; what is shown stays. Further messages and tables are still printed."""
        live, self._live = self._live, None
        if live is None:
            return
        try:
            live.stop()
        finally:
            self.rich.show_cursor(True)
            atexit.unregister(self.close)

    def show(self, view: ProgressView, *, force: bool = False) -> None:
        """Show a snapshot; calls that follow too fast are passed over unless `force`."""
        now = time.monotonic()
        fresh = (view.evaluated_at, view.evaluations)
        new_evaluation = bool(view.evaluations) and fresh != self._evaluations
        due = self._shown_at is None or now - self._shown_at >= self._wait_s
        if not (due or force or new_evaluation):
            return
        self._shown_at = now
        self._evaluations = fresh
        self._view, said, self._advice = view, self._advice, view.advice
        if self._live is not None:
            self._live.update(_panel(self._title, view), refresh=True)
        elif self.plain:
            self._line(f"{time.strftime('%H:%M:%S')} {plain_line(view)}")
            if view.advice != said:
                self._line(f"{time.strftime('%H:%M:%S')} advice: {view.advice}")
            if new_evaluation:
                for row in view.evaluations:
                    self._line(f"{time.strftime('%H:%M:%S')} {_evaluation_line(view.evaluated_at, row)}")
                if view.rating is not None:
                    self._line(f"{time.strftime('%H:%M:%S')} {view.rating}")

    def phase(self, text: str) -> None:
        """Say what is done now, on the panel and as a line elsewhere: it may take minutes without a snapshot."""
        self._view = replace(self._view, phase=text)
        if self._live is not None:
            self._live.update(_panel(self._title, self._view), refresh=True)
        elif self.plain:
            self._line(f"{time.strftime('%H:%M:%S')} {text}")

    def message(self, text: str) -> None:
        """Print a text, above the panel if there is one."""
        if self.plain:
            self._line(text)
        else:
            self.rich.print(Text(text))

    def result_table(self, title: str, rows: Sequence[ResultRow]) -> None:
        """Print the table of an evaluation's results."""
        self.rich.print(_result_table(rows, title=title))

    def _line(self, text: str) -> None:
        """Print without wrapping, so that one line stays one line for whoever reads the pipe."""
        self.rich.print(Text(text), soft_wrap=True)
        self.rich.file.flush()


def _panel(title: str, view: ProgressView) -> Panel:
    parts: list[RenderableType] = [_bar(view)] if view.counts or view.budgets else [Text(f"{view.phase} ...")]
    groups = [("done", view.counts), ("per second", view.rates), ("loss", view.losses), ("", view.measures)]
    groups = [(name, values) for name, values in groups if values]
    parts += [Text(), _figures(groups)] if groups else []
    if view.advice:
        parts += [Text(), Text.assemble(("advice  ", "dim"), view.advice)]
    if view.evaluations:
        when = "" if view.evaluated_at is None else f" at step {number(view.evaluated_at)}"
        parts += [Text(), Text(f"last evaluation{when}", style="dim"), _result_table(view.evaluations)]
    if view.rating is not None:
        parts.append(Text(str(view.rating)))
    return Panel(Group(*parts), title=Text(title), subtitle=Text(view.phase), border_style="blue", padding=(1, 2))


def _bar(view: ProgressView) -> RenderableType:
    times = f"{duration(view.elapsed_s)} elapsed"
    leading = view.leading
    if leading is None:
        return Text(times)
    bar = ProgressBar(total=1.0, completed=leading.fraction)
    amount = f"{number(round(leading.done))} / {number(leading.total)} {leading.unit}"
    text = Text(f"{percent(leading.fraction)}  {amount}  {times}  {duration(view.remaining_s)} left")
    row = Table.grid(padding=(0, 2), expand=True)
    row.add_column(ratio=1)
    row.add_column(no_wrap=True)
    row.add_row(bar, text)
    rows = Table.grid(expand=True)
    rows.add_row(bar)
    rows.add_row(text)
    return _Fitting((_SHORTEST_BAR + 2 + text.cell_len, row), (0, rows))


def _figures(groups: Sequence[tuple[str, Mapping[str, float]]]) -> RenderableType:
    """A row for each group, as a table; where that is too wide, each group is broken between its figures."""
    # Numbers are padded, so that columns stay where they are while numbers grow.
    cells = [
        [Text.assemble((f"{key} ", "dim"), (f"{number(value):<7}", "bold")) for key, value in values.items()]
        for _, values in groups
    ]
    table, lines = Table.grid(padding=(0, 2)), Table.grid(padding=(0, 2))
    for (name, _), figures in zip(groups, cells, strict=True):
        table.add_row(Text(name, style="dim"), *figures)
        lines.add_row(Text(name, style="dim"), Columns(figures, padding=(0, 2)))
    lines.columns[0].no_wrap = True
    return _Fitting((_width(table), table), (0, lines))


def _result_table(rows: Sequence[ResultRow], title: str | None = None) -> RenderableType:
    """One row per opponent or player, with as many columns as there is room for."""
    episodes = [row for row in rows if isinstance(row, EpisodesRow)]
    if episodes:
        return _table("player", [row.title for row in episodes], episodes, _EPISODES_COLUMNS, ((1, 3), (1, 2)), title)
    matches = [row for row in rows if not isinstance(row, EpisodesRow)]
    return _table("opponent", [row.opponent for row in matches], matches, _MATCH_COLUMNS, ((4, 6), (4, 5)), title)


_MATCH_COLUMNS: list[tuple[str, Callable[[MatchRow], str]]] = [
    ("games", lambda row: str(row.num_games)),
    ("win", lambda row: str(row.wins)),
    ("draw", lambda row: str(row.draws)),
    ("loss", lambda row: str(row.losses)),
    ("score [95 %]", score_text),
    ("Elo [95 %]", elo_text),
]
_EPISODES_COLUMNS: list[tuple[str, Callable[[EpisodesRow], str]]] = [
    ("episodes", lambda row: str(row.num_episodes)),
    ("return [95 %]", return_text),
    ("success [95 %]", success_text),
    ("steps", lambda row: number(row.mean_length)),
]

Row = TypeVar("Row")


def _table(
    heading: str,
    names: Sequence[str],
    rows: Sequence[Row],
    columns: Sequence[tuple[str, Callable[[Row], str]]],
    narrower: Sequence[tuple[int, int]],
    title: str | None,
) -> RenderableType:
    """A table with all columns or, where there is less room, with those of a narrower range."""
    tables = []
    for first, end in ((0, len(columns)), *narrower):
        table = Table(title=None if title is None else Text(title), box=box.SIMPLE_HEAD, title_justify="left")
        table.add_column(heading, no_wrap=True)
        for name, _ in columns[first:end]:
            table.add_column(name, justify="right", no_wrap=True)
        for row_name, row in zip(names, rows, strict=True):
            table.add_row(Text(row_name), *(cell(row) for _, cell in columns[first:end]))
        tables.append((_width(table), table))
    return _Fitting(*tables)


class _Fitting:
    """The first of several renderings that fits, each given with the columns that it needs; otherwise the last."""

    def __init__(self, *choices: tuple[int, RenderableType]) -> None:
        self._choices = choices

    def __rich_console__(self, console: RichConsole, options: ConsoleOptions) -> RenderResult:
        fitting = [choice for needed, choice in self._choices if needed <= options.max_width]
        yield fitting[0] if fitting else self._choices[-1][1]


def _width(renderable: RenderableType) -> int:
    """Columns that it needs for nothing to be cut or broken."""
    return RichConsole(width=1000).measure(renderable).maximum


def _evaluation_line(step: int | None, row: ResultRow) -> str:
    when = "" if step is None else f" at step {number(step)}"
    if isinstance(row, EpisodesRow):
        success = "" if row.success is None else f" | success {success_text(row)}"
        return f"evaluation{when} of {row.title}: return {return_text(row)}{success} | {row.num_episodes} episodes"
    counts = f"{row.wins} won, {row.draws} drawn, {row.losses} lost of {row.num_games}"
    return f"evaluation{when} against {row.opponent}: score {score_text(row)} | Elo {elo_text(row)} | {counts}"
