"""The syntax of the Smart Game Format (SGF FF[4]): nodes of properties, whatever they mean."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rlplat.notation.record import Cursor

_SPACE = re.compile(r"\s*")
_NAME = re.compile(r"[A-Za-z]+")
_VALUE = re.compile(r"\[((?:[^\\\]]|\\.)*)\]", re.DOTALL)
_ESCAPED = re.compile(r"\\(\r\n|\n\r|.)", re.DOTALL)
MOVES_PER_LINE = 10


@dataclass(frozen=True)
class Property:
    """A named property of a node, with its values as they mean, and where it stands in the text."""

    name: str
    values: tuple[str, ...]
    at: int


Node = dict[str, Property]


@dataclass
class _Branch:
    """What lies between two parentheses."""

    at: int
    is_main: bool
    has_nodes: bool = False
    has_branches: bool = False


def read_main_lines(cursor: Cursor) -> list[list[Node]]:
    """Read all games of a text: of each its main line, the first branch wherever there are several.

    What is left out must be well-formed all the same. NotationError where it is not.
    """
    games: list[list[Node]] = []
    open_branches: list[_Branch] = []
    cursor.match(re.compile("\ufeff?"))
    while cursor.match(_SPACE) and not cursor.is_at_end:
        at, sign = cursor.at, cursor.text[cursor.at]
        branch = open_branches[-1] if open_branches else None
        cursor.at += 1
        if sign == "(" and (branch is None or branch.has_nodes):
            if branch is None:
                games.append([])
            open_branches.append(_Branch(at, branch is None or (branch.is_main and not branch.has_branches)))
            if branch is not None:
                branch.has_branches = True
        elif sign == ";" and branch is not None and not branch.has_branches:
            branch.has_nodes = True
            node = _read_node(cursor)
            if branch.is_main:
                games[-1].append(node)
        elif sign == ")" and branch is not None and branch.has_nodes:
            open_branches.pop()
        else:
            raise cursor.error(f"found {sign!r}; {_expected(branch)}", at)
    if open_branches:
        raise cursor.error("the text ends inside a game; this '(' lacks its ')'", open_branches[-1].at)
    if not games:
        raise cursor.error("there is no game; SGF begins with '(;'")
    return games


def _expected(branch: _Branch | None) -> str:
    if branch is None:
        return "a game begins with '(;'"
    if not branch.has_nodes:
        return "after '(' there must be ';'"
    return "after a branch there must be '(' or ')'" if branch.has_branches else "a node begins with ';'"


def _read_node(cursor: Cursor) -> Node:
    node: Node = {}
    while cursor.match(_SPACE) and (written := cursor.match(_NAME)):
        at = written.start()
        # Small letters in names are decoration of older versions: "Black" is "B".
        name = "".join(letter for letter in written[0] if letter.isupper())
        if not name or name in node:
            problem = f"{name} comes twice in one node" if name else f"{written[0]!r} has no capital letter"
            raise cursor.error(f"{problem}; each property comes once, as in B[dd]", at)
        values = []
        while cursor.match(_SPACE) and (value := cursor.match(_VALUE)):
            values.append(_ESCAPED.sub(lambda found: found[1].strip("\r\n"), value[1]))
        if cursor.text.startswith("[", cursor.at):
            raise cursor.error(f"this value of {name} lacks its ']'")
        if not values:
            raise cursor.error(f"{name} has no value: found {cursor.here()} instead of '['", cursor.at)
        node[name] = Property(name, tuple(values), at)
    return node


def write_game(root: Sequence[tuple[str, str]], moves: Sequence[tuple[str, str]]) -> str:
    """A game of one line: the properties of its first node, then a node for each move; (name, value) each."""
    written = [f";{name}[{_escaped(value)}]" for name, value in moves]
    rows = ["".join(written[i : i + MOVES_PER_LINE]) for i in range(0, len(written), MOVES_PER_LINE)]
    head = "(;" + "".join(f"{name}[{_escaped(value)}]" for name, value in root)
    return "\n".join([head, *rows]) + ")\n"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace("]", "\\]")
