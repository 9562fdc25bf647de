"""Draws a position of any game with what an agent thinks of its moves: heat on the board that the game writes.

A game says nothing of where its moves lie. It writes its positions as text, so a move is found by making it: the one
cell that it fills. Moves that fill no cell of their own, such as a pass, are listed below the board.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from rlplat.search.game import Game, State

CELL = 44
"""Side of a cell in pixels."""
MARGIN = 16
LISTED_MOVES = 6
"""Most moves that are listed below a board, the likeliest first."""
BAR_WIDTH = 120
HEAT, INK, FAINT, RIGHT = (230, 110, 20), (25, 25, 25), (170, 170, 170), (20, 140, 60)
"""Colours: of a certain move, of pieces, of empty cells, and around moves that are known to be right."""

Cell = tuple[int, int]


@dataclass(frozen=True)
class Opinion:
    """What an agent thinks of a position."""

    title: str
    policy: NDArray[np.floating[Any]]
    """Probability of each action `[A]`; they sum to one."""
    value: float
    """From the view of the player to move."""


def draw_position(state: State, opinions: Sequence[Opinion], *, right_actions: Sequence[int] = ()) -> NDArray[np.uint8]:
    """Return a picture `[H, W, 3]` of a position that is not over, with one board for each opinion, side by side.

    `right_actions` are outlined in green.
    """
    grid = board_of(state)
    cells = cells_of_moves(state)
    elsewhere = [action for action in state.legal_actions().tolist() if action not in cells]
    rows, columns = len(grid), max(map(len, grid), default=0)  # 0: the game writes no board, all moves are listed
    width = max(columns * _pitch(grid) + CELL, 2 * BAR_WIDTH) + 2 * MARGIN
    list_height = min(len(elsewhere), LISTED_MOVES) * 22
    height = 46 + rows * CELL + list_height + 2 * MARGIN
    picture = Image.new("RGB", (width * len(opinions), height + 24), "white")
    pen = ImageDraw.Draw(picture)
    pen.text((MARGIN, 8), _caption(state), fill=INK, font=_font(15))
    for index, opinion in enumerate(opinions):
        at = (index * width + MARGIN, 24 + MARGIN)
        pen.text(at, opinion.title, fill=INK, font=_font(15))
        pen.text((at[0], at[1] + 20), f"value {opinion.value:+.2f}", fill=INK, font=_font(15))
        board_at = (at[0], at[1] + 46)
        _draw_board(pen, board_at, state, grid, _heat(cells, opinion.policy), {cells.get(a) for a in right_actions})
        _draw_list(pen, (at[0], board_at[1] + rows * CELL + 6), state, elsewhere, opinion.policy, right_actions)
    return np.asarray(picture, np.uint8)


def board_of(state: State) -> list[str]:
    """The game's text as a grid of characters: without notes such as `X to move`, and without the columns that are
    blank in all lines.
    """
    lines = [line for line in str(state).splitlines() if _is_of_board(line.split())]
    width = max(map(len, lines), default=0)
    lines = [line.ljust(width) for line in lines]
    kept = [column for column in range(width) if any(line[column] != " " for line in lines)]
    return ["".join(line[column] for column in kept) for line in lines]


def cells_of_moves(state: State) -> dict[int, Cell]:
    """The cell (row, column of `board_of`) that each legal action fills, for those that fill one of their own or, as a
    capture does, take one over.
    """
    empty, before = empty_mark(state.game), board_of(state)
    changes: dict[int, dict[Cell, tuple[str, str]]] = {}
    for action in state.legal_actions().tolist():
        after = state.copy()
        after.apply(action)
        changes[action] = _changes(before, board_of(after))
    # What every move changes is no cell, but the note whose turn it is.
    notes = set.intersection(*map(set, changes.values())) if len(changes) > 1 else set()
    found: dict[int, Cell] = {}
    for action, changed in changes.items():
        filled = {at: marks for at, marks in changed.items() if at not in notes and marks[1] != empty}
        fresh = [at for at, marks in filled.items() if marks[0] == empty]
        candidates = fresh or list(filled)
        if len(candidates) == 1:
            found[action] = candidates[0]
    return found


def empty_mark(game: Game) -> str:
    """The character of an empty cell: the most frequent one before the first move."""
    marks = Counter("".join(board_of(game.initial_state())).replace(" ", ""))
    return marks.most_common(1)[0][0] if marks else " "


def _is_of_board(words: Sequence[str]) -> bool:
    """Cells are single marks, apart or all in one word; beside them stand numbers of rows."""
    return len(words) == 1 or bool(words and max(map(len, words)) <= 2)


def _pitch(grid: Sequence[str]) -> int:
    """Pixels from column to column: half a cell where rows are shifted against each other, as those of hexagons."""
    touching = any(
        left != " " != right and not (left + right).isdigit()
        for line in grid
        for left, right in itertools.pairwise(line)
    )
    return CELL if touching else CELL // 2


def _changes(before: Sequence[str], after: Sequence[str]) -> dict[Cell, tuple[str, str]]:
    return {
        (row, column): (old, new)
        for row, (old_line, new_line) in enumerate(zip(before, after, strict=False))
        for column, (old, new) in enumerate(zip(old_line, new_line, strict=False))
        if old != new
    }


def _heat(cells: Mapping[int, Cell], policy: NDArray[np.floating[Any]]) -> Counter[Cell]:
    """Probability of each cell: moves of several pieces to one cell add up."""
    heat: Counter[Cell] = Counter()
    for action, cell in cells.items():
        heat.update({cell: float(policy[action])})
    return heat


def _draw_board(
    pen: ImageDraw.ImageDraw,
    at: tuple[int, int],
    state: State,
    grid: Sequence[str],
    heat: Mapping[Cell, float],
    right: set[Cell | None],
) -> None:
    empty, pitch = empty_mark(state.game), _pitch(grid)
    for row, line in enumerate(grid):
        for column, mark in enumerate(line):
            x, y = at[0] + column * pitch, at[1] + row * CELL
            box = (x + 1, y + 1, x + CELL - 2, y + CELL - 2)
            share = heat.get((row, column), 0.0)
            if (row, column) in heat:
                pen.rectangle(box, fill=_mix(share), outline=RIGHT if (row, column) in right else FAINT, width=1)
            if (row, column) in heat and (row, column) in right:
                pen.rectangle(box, outline=RIGHT, width=3)
            middle = (x + CELL / 2, y + CELL / 2)
            if (row, column) in heat and mark == empty:
                pen.text(middle, f"{100 * share:.0f}", fill=INK, font=_font(14), anchor="mm")
                continue
            pen.text(middle, mark, fill=FAINT if mark == empty else INK, font=_font(24), anchor="mm")
            if (row, column) in heat:  # a piece may be taken there
                pen.text((middle[0], y + CELL - 9), f"{100 * share:.0f}", fill=INK, font=_font(12), anchor="mm")


def _draw_list(
    pen: ImageDraw.ImageDraw,
    at: tuple[int, int],
    state: State,
    actions: Sequence[int],
    policy: NDArray[np.floating[Any]],
    right: Sequence[int],
) -> None:
    for index, action in enumerate(sorted(actions, key=lambda each: -policy[each])[:LISTED_MOVES]):
        x, y = at[0], at[1] + 22 * index
        share = float(policy[action])
        pen.text((x, y + 2), state.action_text(action), fill=RIGHT if action in right else INK, font=_font(14))
        pen.rectangle((x + 60, y + 2, x + 60 + BAR_WIDTH * share, y + 17), fill=HEAT)
        pen.text((x + 66 + BAR_WIDTH * share, y + 2), f"{100 * share:.0f} %", fill=INK, font=_font(14))


def _mix(share: float) -> tuple[int, int, int]:
    """White to the colour of heat; the root makes small shares visible."""
    weight = min(1.0, max(0.0, share)) ** 0.5
    red, green, blue = (round(255 + weight * (channel - 255)) for channel in HEAT)
    return red, green, blue


def _caption(state: State) -> str:
    moves = state.moves_text()
    when = f"after {moves if len(moves) <= 40 else f'{state.num_moves} moves'}" if moves else "first move"
    return f"{when}; player {state.player + 1} is to move"


def _font(size: int) -> Any:
    return ImageFont.load_default(size)
