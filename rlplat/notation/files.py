"""Files of recorded games, and the games that runs have kept."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rlplat import registry
from rlplat.config import load_config
from rlplat.errors import NotationError
from rlplat.notation.record import GameRecord, RecordForm, read_game_line
from rlplat.reports import Result
from rlplat.runs.durable import write_text
from rlplat.runs.folder import RunFolder

if TYPE_CHECKING:
    from rlplat.search.game import GameType


def read_games(path: Path, definition: GameType, **parameters: float) -> list[GameRecord]:
    """Read a file of games in the form of their game; `parameters` are those that the file does not tell.

    Raises NotationError, with line and column, for what is malformed or cannot have been played.
    """
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise NotationError(f"{path} cannot be read: {error.strerror}") from error
    return form_of(definition).read(text, definition, parameters, source=str(path))


def write_games(path: Path, records: Sequence[GameRecord]) -> None:
    """Write games of one kind to a file, all or nothing."""
    text = form_of(records[0].state.game.definition).write(records) if records else ""
    try:
        write_text(path, text)
    except OSError as error:
        raise NotationError(f"{path} cannot be written: {error.strerror}") from error


def form_of(definition: GameType) -> RecordForm:
    """How games of this kind are written down; NotationError if its definition does not say."""
    if definition.record is None:
        raise NotationError(
            f"{definition.name} does not say how its games are written down; give its GameDefinition a `record`, as "
            "SgfForm or PgnForm"
        )
    return definition.record


def games_of_run(run_path: Path, *, trust: Sequence[str] = ()) -> list[GameRecord]:
    """The games that a run has kept, oldest first; the players are the weights after so many updates.

    Raises RunError, ConfigError, RegistryError or NotationError: no run, or lines that are none of its game.
    """
    run = RunFolder.open(run_path)
    config = load_config(run.config_path, trust=trust)
    game = registry.resolve(config.env.id, kind="game", trust=trust).load(**config.env.parameters)
    form_of(game.definition)
    records = []
    for path in sorted(run.games_path.glob("*.txt")):
        player = f"{run.path.absolute().name}@{int(path.stem)}"
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            found = read_game_line(line, game, source=f"{path}, line {number}")
            records.append(GameRecord(found.state, found.outcome, (player, player), found.event))
    return records


def export_run(run_path: Path, output: Path | None, *, trust: Sequence[str] = ()) -> list[Result]:
    """Write the games that a run has kept to a file, by default `games/games.sgf` or `.pgn` in its folder."""
    start = time.perf_counter()
    records = games_of_run(run_path, trust=trust)
    if not records:
        raise NotationError(f"{run_path} has kept no games yet; training.records_every says how often it keeps some")
    path = output or run_path / "games" / f"games{form_of(records[0].state.game.definition).suffix}"
    write_games(path, records)
    return [
        Result("games.written", len(records), "games", path=str(path), seconds=time.perf_counter() - start),
    ]
