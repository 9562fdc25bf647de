"""What the pages say of links, files, commands and targets of make is so."""

import re
import shlex
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import typer

from rlplat.cli import app

ROOT = Path(__file__).resolve().parents[1]
PAGES = subprocess.run(
    ["git", "-C", str(ROOT), "ls-files", "*.md"], capture_output=True, text=True, check=True
).stdout.split()
FENCED = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)

pages = pytest.mark.parametrize("page", PAGES)


@cache
def text_of(page: str | Path) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def prose(page: str | Path) -> str:
    return FENCED.sub("", text_of(page))


def anchors(page: Path) -> set[str]:
    """As GitHub makes them of headings."""
    headings = re.findall(r"^#+ (.*)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def code_lines(page: str) -> Iterator[str]:
    """Lines of code blocks, continued ones joined, without prompts and remarks; and code within sentences."""
    for block in FENCED.findall(text_of(page)):
        for line in block.replace("\\\n", " ").splitlines()[1:-1]:
            yield line.removeprefix("$ ").partition(" #")[0].strip()
    yield from re.findall(r"`([^`\n]+)`", prose(page))


@cache
def command(name: str):
    return typer.main.get_command(app).commands[name]


@pages
def test_links_lead_to_files_and_headings(page):
    for link in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
        if not link.startswith("https://"):
            path, _, anchor = link.partition("#")
            target = (ROOT / page).parent / path if path else ROOT / page
            assert target.exists(), link
            assert not anchor or anchor in anchors(target), link


@pages
def test_commands_have_the_options_that_are_named(page):
    for line in code_lines(page):
        _, is_command, call = re.sub(r"^\.venv/bin/", "", line).partition("rlplat ")
        words = shlex.split(call) if is_command == "rlplat " and re.match(r"(\.venv/bin/)?rlplat ", line) else []
        if words and re.fullmatch(r"[a-z][a-z-]+", words[0]):
            known = {name for option in command(words[0]).params for name in option.opts} | {"--help"}
            assert {word for word in words[1:] if re.match(r"--?[a-z]", word)} <= known, line


@pages
def test_configurations_that_are_named_are_there(page):
    for line in code_lines(page):
        for name in re.findall(r"(?<![\w/])(?:configs|docs/pictures|examples)/[a-z0-9_/]+\.[a-z]+", line):
            assert (ROOT / name).is_file(), line


@pages
def test_targets_of_make_and_learning_results_that_are_named_are_there(page):
    targets = set(re.findall(r"^([a-z-]+):.*##", text_of("Makefile"), re.MULTILINE))
    learning = "".join(f"{path.stem}\n{path.read_text()}" for path in (ROOT / "tests/learning").glob("test_*.py"))
    for line in code_lines(page):
        if line.startswith("make "):
            words = line.split()[1:]
            assert {word for word in words if re.fullmatch(r"[a-z-]+", word)} <= targets, line
            only = [word.removeprefix("ONLY=") for word in words if word.startswith("ONLY=") and word != "ONLY=name"]
            assert all(name in learning for name in only), line
