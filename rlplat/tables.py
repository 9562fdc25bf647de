"""Tables on the terminal, for people. What programs read is in `rlplat.reports`."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from rlplat.reports import Result
from rlplat.runs.progress import percent, percents

if TYPE_CHECKING:
    from rich.console import Console

    from rlplat.doctor import Row
    from rlplat.evaluation.episodes import Returns
    from rlplat.evaluation.evaluate import Evaluation
    from rlplat.evaluation.judge import Judgement
    from rlplat.evaluation.ratings import Ratings
    from rlplat.evaluation.seeds import AcrossRuns
    from rlplat.evaluation.strength import RunStrength
    from rlplat.runs.folder import RunInfo
    from rlplat.testing import CheckReport

_UNLIMITED = 100_000
"""Columns where there is no terminal: whoever reads a pipe or a file wants each row in one line."""


def _console() -> Console:
    from rich.console import Console

    return Console(width=None if sys.stdout.isatty() else _UNLIMITED, highlight=False, markup=False)


def print_table(
    columns: Sequence[str], rows: Iterable[Sequence[str]], *, right: Sequence[str] = (), folds: Sequence[str] = ()
) -> None:
    """Print rows below the names of their columns; those in `right` stand at the right of theirs.

    On a terminal that is too narrow the columns in `folds` are broken into several lines, and all others stay whole.
    Elsewhere each row is one line.
    """
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        justify: Any = "right" if column in right else "left"
        table.add_column(column, justify=justify, overflow="fold", no_wrap=column not in folds)
    for row in rows:
        table.add_row(*row)
    _console().print(table)


def print_results(results: Sequence[Result]) -> None:
    """Print name, value and unit of results, and the other fields behind them, or below them where that is too wide."""
    rows = []
    for result in results:
        details = ", ".join(f"{name} {shown(value)}" for name, value in result.fields.items())
        rows.append([result.name, shown(result.value), result.unit, details])
    columns = ["name", "value", "unit", "details"]
    widths = [max(map(len, column)) for column in zip(columns, *rows, strict=True)]
    console = _console()
    if sum(widths) + 2 * len(widths[1:]) <= console.width:
        print_table(columns, rows, right=["value"])
        return

    from rich.padding import Padding
    from rich.text import Text

    for name, value, unit, details in rows:
        console.print(f"{name:{widths[0]}}  {value:>{widths[1]}}  {unit}")
        if details:
            console.print(Padding(Text(details, style="dim"), (0, 0, 0, 4)))


def evaluation_results(evaluations: Sequence[Evaluation]) -> list[Result]:
    """Return `evaluation.<opponent>.score` for each match, with all else that is known of it."""
    return [
        Result(f"evaluation.{each.opponent}.score", each.score, "points/game", **_fields(each, "score"))
        for each in evaluations
    ]


def print_evaluations(evaluations: Sequence[Evaluation]) -> None:
    """Print games, results, score and Elo difference of each match, both with their 95 % intervals."""
    rows = []
    for each in evaluations:
        counts = [str(count) for count in (each.num_games, each.wins, each.draws, each.losses)]
        interval = f"[{each.score_low:.3f}, {each.score_high:.3f}]"
        elo = f"{each.elo:+.0f}", f"[{each.elo_low:+.0f}, {each.elo_high:+.0f}]"
        rows.append([each.opponent, *counts, f"{each.score:.3f}", interval, *elo])
    columns = ["against", "games", "win", "draw", "loss", "score", "95 %", "Elo", "95 % of Elo"]
    print_table(columns, rows, right=["games", "win", "draw", "loss", "score", "Elo"], folds=["against"])


def judgement_results(judgements: Sequence[Judgement]) -> list[Result]:
    """Return `positions.<group>.result_changed` and `positions.<group>.not_best` for each group and way of playing."""
    results = []
    for each in judgements:
        fields = _fields(each, "group")
        for measure in ("result_changed", "not_best"):
            own = {f"{measure}{end}": fields.pop(f"{measure}{end}") for end in ("", "_low", "_high")}
            low, high = own[f"{measure}_low"], own[f"{measure}_high"]
            results.append((f"positions.{each.group}.{measure}", own[measure], {"low": low, "high": high}, fields))
    return [Result(name, value, "share", **interval, **common) for name, value, interval, common in results]


def print_judgements(judgements: Sequence[Judgement]) -> None:
    """Print how often moves change the result and are not the best, by group of positions, with 95 % intervals."""
    rows = []
    for each in judgements:
        row = ["as trained" if each.simulations is None else str(each.simulations), each.group, str(each.num_positions)]
        for measure in ("result_changed", "not_best"):
            low, high = getattr(each, f"{measure}_low"), getattr(each, f"{measure}_high")
            row += [percent(getattr(each, measure)), percents(low, high)]
        rows.append(row)
    columns = ["simulations", "positions", "count", "changed", "95 %", "not best", "95 %"]
    print_table(columns, rows, right=["simulations", "count", "changed", "not best"])


def judgement_lines(judgements: Sequence[Judgement]) -> list[str]:
    """Return a sentence per way of playing: how often its moves change the result, by group of positions."""
    by_player: dict[str, list[str]] = {}
    for each in judgements:
        player = {0: "the network alone", None: "with search"}.get(each.simulations, f"{each.simulations} simulations")
        by_player.setdefault(player, []).append(f"{each.group} {percent(each.result_changed)}")
    return [f"result changed, {player}: {', '.join(shares)} of positions" for player, shares in by_player.items()]


def episode_results(episodes: Sequence[Returns]) -> list[Result]:
    """Return `evaluation.<player>.return` for each player of a task's episodes, with all else that is known of it; in a
    split `evaluation.split_<name>.<player>.return`.
    """
    results = []
    for each in episodes:
        split = "" if each.is_as_trained else f"split_{each.split}."
        fields = _fields(each, "player", "mean_return")
        results.append(Result(f"evaluation.{split}{each.player}.return", each.mean_return, "reward/episode", **fields))
    return results


def print_episodes(episodes: Sequence[Returns]) -> None:
    """Print episodes, mean return, share of successes (both with their 95 % intervals) and length of each player."""
    rows = []
    has_splits = len({each.split for each in episodes}) > 1
    for each in episodes:
        success = interval = ""
        if each.success is not None and each.success_low is not None and each.success_high is not None:
            success, interval = percent(each.success), percents(each.success_low, each.success_high)
        returns = shown(each.mean_return), f"[{shown(each.return_low)}, {shown(each.return_high)}]"
        split = [each.split] if has_splits else []
        rows.append([*split, each.player, str(each.num_episodes), *returns, success, interval, shown(each.mean_length)])
    columns = ["player", "episodes", "return", "95 %", "success", "95 %", "steps"]
    columns = [*(["split"] if has_splits else []), *columns]
    print_table(columns, rows, right=["episodes", "return", "success", "steps"])
    if any(each.measures for each in episodes):
        print()
        _print_measures(episodes)


def _print_measures(episodes: Sequence[Returns]) -> None:
    """Print what the environment says of the episodes of each player: a line for each of its measures."""
    names = list(dict.fromkeys(name for each in episodes for name in each.measures))
    rows = []
    for name in names:
        for each in episodes:
            found = each.measures.get(name)
            if found is not None:
                rows.append([name, each.title, shown(found.mean), f"[{shown(found.low)}, {shown(found.high)}]"])
    print_table(["measure", "player", "mean", "95 %"], rows, right=["mean"])


def across_runs_results(found: Sequence[AcrossRuns]) -> list[Result]:
    """Return `evaluation.runs.<split>.<player>.<measure>` for each measure of several runs together."""
    units = {"return": "reward/episode", "success": "share"}
    return [
        Result(
            f"evaluation.runs.{each.split}.{each.player}.{each.measure}",
            each.mean,
            units[each.measure],
            **_fields(each, "measure", "player", "split", "mean"),
        )
        for each in found
    ]


def print_across_runs(found: Sequence[AcrossRuns]) -> None:
    """Print the interquartile mean of several runs, its 95 % interval, and what each run achieved."""

    def said(each: AcrossRuns, value: float) -> str:
        return percent(value) if each.measure == "success" else shown(value)

    rows = [
        [
            each.split,
            each.player,
            each.measure,
            str(each.num_runs),
            said(each, each.mean),
            percents(each.low, each.high) if each.measure == "success" else f"[{shown(each.low)}, {shown(each.high)}]",
            ", ".join(said(each, value) for value in each.runs),
        ]
        for each in found
    ]
    columns = ["split", "player", "measure", "runs", "IQM", "95 %", "each run"]
    print_table(columns, rows, right=["runs", "IQM"], folds=["each run"])


def strength_results(judgements: Sequence[Judgement], rows: Sequence[Evaluation | Returns]) -> list[Result]:
    """Return the results of positions, and of matches or episodes."""
    matches, episodes = _apart(rows)
    return [*judgement_results(judgements), *evaluation_results(matches), *episode_results(episodes)]


def run_strength_results(found: Sequence[RunStrength], together: Sequence[AcrossRuns]) -> list[Result]:
    """Return what was found of each run, which names the run if there are several, and of all together."""
    results: list[Result] = []
    for run, judgements, rows in found:
        own = strength_results(judgements, rows)
        if len(found) > 1:
            own = [Result(each.name, each.value, each.unit, run=run, **each.fields) for each in own]
        results += own
    return results + across_runs_results(together)


def print_run_strength(found: Sequence[RunStrength], together: Sequence[AcrossRuns]) -> None:
    """Print what was found of each run, and of all together."""
    for run, judgements, rows in found:
        if len(found) > 1:
            print(f"{run}:")
        print_strength(judgements, rows)
        if len(found) > 1:
            print()
    if together:
        print_across_runs(together)


def print_strength(judgements: Sequence[Judgement], rows: Sequence[Evaluation | Returns]) -> None:
    """Print what was found on positions, and in matches or episodes, whichever there is."""
    if judgements:
        print_judgements(judgements)
    if judgements and rows:
        print()
    matches, episodes = _apart(rows)
    if matches:
        print_evaluations(matches)
    if episodes:
        print_episodes(episodes)


def _apart(rows: Sequence[Evaluation | Returns]) -> tuple[list[Evaluation], list[Returns]]:
    """Matches and episodes: of one run there is one kind only."""
    episodes: list[Any] = [row for row in rows if hasattr(row, "mean_return")]
    matches: list[Any] = [row for row in rows if not hasattr(row, "mean_return")]
    return matches, episodes


def rating_results(ratings: Ratings) -> list[Result]:
    """Return `ratings.<player>.elo` for each player, the strongest first; null for those not linked to the anchor."""
    rated = [
        Result(
            f"ratings.{each.player}.elo",
            each.elo,
            "Elo",
            player=each.player,
            low=each.low,
            high=each.high,
            num_games=each.num_games,
            anchor=ratings.anchor,
        )
        for each in ratings.rated
    ]
    unknown = {"low": None, "high": None, "num_games": None, "anchor": ratings.anchor}
    return rated + [Result(f"ratings.{name}.elo", None, "Elo", player=name, **unknown) for name in ratings.unconnected]


def print_ratings(ratings: Ratings) -> None:
    """Print rating, 95 % interval and games of each player, the strongest first."""
    rows = [
        [each.player, f"{each.elo:+.0f}", f"[{each.low:+.0f}, {each.high:+.0f}]", shown(round(each.num_games, 1))]
        if each.player != ratings.anchor
        else [each.player, "0", "the anchor", shown(round(each.num_games, 1))]
        for each in ratings.rated
    ]
    print_table(["player", "Elo", "95 %", "games"], rows, right=["Elo", "games"], folds=["player"])
    if ratings.unconnected:
        print(
            f"no games link these to {ratings.anchor}: {', '.join(ratings.unconnected)}; "
            "play some with --play 20, or choose another --anchor"
        )


def run_results(runs: Sequence[RunInfo]) -> list[Result]:
    """Return `runs.<name>.state` for each run, with its folder, times, progress and last metrics."""
    return [Result(f"runs.{run.name}.state", run.state, **_fields(run, "name", "state")) for run in runs]


def print_runs(runs: Sequence[RunInfo]) -> None:
    """Print state, progress and last metrics of each run: its losses and scores, where it has any."""
    if not runs:
        print("no runs here; start one with `rlplat train CONFIG`, or name another folder")
        return
    rows = []
    for run in runs:
        progress = ", ".join(f"{name} {shown(value)}" for name, value in run.progress.items())
        rows.append([run.name, run.state, progress, headline(run.metrics or {}, 4), local_time(run.updated)])
    columns = ["run", "state", "progress", "last metrics", "updated"]
    print_table(columns, rows, folds=["run", "progress", "last metrics"])


def doctor_results(rows: Sequence[Row]) -> list[Result]:
    """Return `doctor.<name>` for each row: `ok`, `warn` or `fail`, with what was found and what mends it."""
    return [Result(f"doctor.{row.name}", row.state, found=row.found, mend=row.mend) for row in rows]


def print_doctor(rows: Sequence[Row]) -> None:
    """Print the rows, with the mending command below each that has one."""
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False, soft_wrap=True)
    width = max((len(row.name) for row in rows), default=0)
    for row in rows:
        colour = {"ok": "green", "warn": "yellow", "fail": "bold red"}[row.state]
        console.print(Text.assemble((f"{row.state:4}", colour), f"  {row.name:{width}}  {row.found}"))
        if row.mend:
            console.print(Text(f"{'':{width + 8}}-> {row.mend}", style="cyan"))


def check_results(report: CheckReport) -> list[Result]:
    """Return `check_game.<game>.<check>` for each check: `ok` or `fail`, with what failed."""
    return [
        Result(
            f"check_game.{report.game}.{check.name.replace(' ', '_')}",
            "fail" if check.failure else "ok",
            failure=check.failure,
        )
        for check in report.checks
    ]


def headline(metrics: Mapping[str, Any], most: int) -> str:
    """Return what matters of a row of metrics, in at most so many figures: its losses, or what an evaluation found."""
    losses = {name: value for name, value in metrics.items() if name.startswith("loss/")}
    found = {
        name.removeprefix("final/").removeprefix("evaluation/"): value
        for name, value in metrics.items()
        if name.endswith(("/score", "/return", "/success"))
    }
    return ", ".join(f"{name} {shown(value)}" for name, value in list((losses or found).items())[:most])


def shown(value: Any) -> str:
    """Return a value as people read it: `1,234,567`, `0.0123`, `[0.41, 0.52]`, and nothing for None."""
    if value is None:
        return ""
    if isinstance(value, bool | str):
        return str(value)
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(shown(item) for item in value)}]"
    return str(value)


def local_time(utc: str | None) -> str:
    """Return an ISO 8601 time as the clock on the wall shows it, to the second; nothing for None."""
    return "" if utc is None else f"{datetime.fromisoformat(utc).astimezone():%Y-%m-%d %H:%M:%S}"


def _fields(record: Any, *without: str) -> dict[str, Any]:
    """Return the fields of a dataclass instance by name."""
    found = {field.name: getattr(record, field.name) for field in dataclasses.fields(record)}
    return {
        name: dict(value) if isinstance(value, Mapping) else value
        for name, value in found.items()
        if name not in without
    }
