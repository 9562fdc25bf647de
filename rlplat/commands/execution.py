"""How every command does its work: trust, errors of the target of results, tables for people, JSON for programs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rlplat.reports import Result


def execute(
    command: str,
    work: Callable[[], Any],
    json: str | None,
    trust: list[str] | None = None,
    *,
    show: Callable[[Any], None] | None = None,
    results: Callable[[Any], list[Result]] = list,
) -> Any:
    """Do a command's work, show what it found to people, and write it for programs; returns what it found.

    What is found is a list of results, or else `show` prints it and `results` turns it into such a list.
    """
    from rlplat import registry, reports, tables

    registry.trust(*(trust or []))
    if json is not None:
        reports.check_target(json)
    if json == "-":
        with reports.stdout_to_stderr():
            found = work()
    else:
        found = work()
        (show or tables.print_results)(found)
    if json is not None:
        reports.write_json(reports.report(command, results(found)), json)
    return found
