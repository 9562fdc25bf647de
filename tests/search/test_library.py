"""Compiling games: the cache, libraries built elsewhere, and everything that can be wrong with a header."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from envs.games.tictactoe import tictactoe
from rlplat.errors import GameError
from rlplat.search import library
from rlplat.search.game import GameDefinition

ROOT = Path(__file__).parents[2]

# No game, but quick to compile: what a library exports is looked at when it is loaded.
QUICK = '#pragma once\nextern "C" __attribute__((visibility("default"))) int answer() { return %d; }\n'

TABLE = """#pragma once
extern "C" __attribute__((visibility("default"))) const void* rlplat_game_table() {
  static const unsigned table[256] = {%d, %d};
  return table;
}
"""


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv(library.LIBRARIES_VARIABLE, raising=False)
    return tmp_path / "cache" / "rlplat" / "games"


@pytest.fixture
def header(tmp_path):
    path = tmp_path / "rules" / "quick.hpp"
    path.parent.mkdir()
    path.write_text(QUICK % 42)
    return path


def test_a_header_is_compiled_once(header, cache):
    first = library.build(header)
    assert first.parent == cache
    assert first.name.startswith("quick-")
    time = first.stat().st_mtime_ns
    assert library.build(header) == first
    assert first.stat().st_mtime_ns == time
    assert [path for path in cache.iterdir() if path.suffix == ".so"] == [first]


def test_another_text_of_the_header_or_of_one_beside_it_is_another_library(header):
    paths = [library.build(header)]
    header.write_text(QUICK % 43)
    paths.append(library.build(header))
    (header.parent / "beside.hpp").write_text("#pragma once\n")
    paths.append(library.build(header))
    assert len(set(paths)) == 3
    header.write_text(QUICK % 42)
    (header.parent / "beside.hpp").unlink()
    assert library.build(header) == paths[0]


def test_another_target_processor_is_another_library(header, monkeypatch):
    first = library.build(header)
    monkeypatch.setenv("RLPLAT_MARCH", "native")
    assert library.build(header) != first


def test_a_header_that_does_not_compile_shows_the_compilers_words_and_the_command(header, cache):
    header.write_text('#pragma once\n#include "rlplat/game.hpp"\nint broken = undeclared_name;\n')
    with pytest.raises(GameError) as caught:
        library.build(header)
    message = str(caught.value)
    assert f"{header} does not compile" in message
    assert "undeclared_name" in message
    assert "command: " in message
    assert "-std=c++20" in message
    assert not [path for path in cache.iterdir() if path.suffix == ".so"]


def test_rules_that_lack_a_function_are_told_so(header):
    header.write_text('#pragma once\n#include "rlplat/game.hpp"\nstruct Bare {};\nRLPLAT_GAME("bare", Bare)\n')
    with pytest.raises(GameError, match=r"Bare does not fulfil rlplat::Rules"):
        library.build(header)


def test_a_header_that_is_not_there_is_named(tmp_path):
    with pytest.raises(GameError, match=r"absent.hpp: no such file"):
        library.build(tmp_path / "absent.hpp")


def test_a_cache_folder_that_cannot_be_written_is_named_with_the_variable_to_set(header, cache):
    cache.parent.parent.mkdir()
    cache.parent.write_text("a file where a folder should be")
    with pytest.raises(GameError, match=rf"quick.hpp cannot be compiled into {cache}.*directory.*XDG_CACHE_HOME"):
        library.build(header)


def test_a_full_disk_while_compiling_is_told_as_such(header, tmp_path, monkeypatch):
    compiler = tmp_path / "c++"
    compiler.write_text("#!/bin/sh\necho 'fatal error: a.so: No space left on device' >&2; exit 1\n")
    compiler.chmod(0o755)
    monkeypatch.setenv("CXX", str(compiler))
    with pytest.raises(GameError, match=r"No space left on device.*Give it room.*XDG_CACHE_HOME"):
        library.build(header)


def test_an_interrupted_compilation_leaves_no_process_and_no_file(header, cache, tmp_path):
    """The compiler here starts a child, as g++ does, and both would go on for ever."""
    compiler, started = tmp_path / "c++", tmp_path / "started"
    compiler.write_text(f"#!/bin/sh\n[ $1 = --version ] && exit\nsleep 1000 & echo $! > {started}.tmp\n"
                        f"mv {started}.tmp {started}\nwait\n")  # fmt: skip
    compiler.chmod(0o755)
    code = f"from pathlib import Path; from rlplat.search import library; library.build(Path({str(header)!r}))"
    driver = subprocess.Popen(
        [sys.executable, "-c", code], env={**os.environ, "CXX": str(compiler)}, cwd=ROOT, stderr=subprocess.DEVNULL
    )
    while not started.exists():
        assert driver.poll() is None
        time.sleep(0.02)
    driver.send_signal(signal.SIGINT)
    driver.wait(timeout=20)
    child = int(started.read_text())
    end = time.monotonic() + 10
    while psutil.pid_exists(child) and psutil.Process(child).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < end, "the compiler's child lives on"
        time.sleep(0.02)
    assert [path.suffix for path in cache.iterdir()] == [".lock"]


def test_a_library_of_another_contract_is_refused_with_what_to_do(header):
    header.write_text(TABLE % (99, 0))
    with pytest.raises(
        GameError, match=r"(?s)quick.hpp: .*contract version 99 .*, this rlplat has version 3 .*; compile"
    ):
        GameDefinition("quick", header).load()
    header.write_text(TABLE % (1, 8))
    with pytest.raises(GameError, match=r"compile the header again"):
        GameDefinition("quick", header).load()


def test_a_header_without_a_game_is_told_what_it_lacks(header):
    with pytest.raises(GameError, match=r'exports no game; end the header with RLPLAT_GAME\("name", Struct\)'):
        GameDefinition("quick", header).load()


def test_a_file_that_is_no_library_is_refused(header, tmp_path, monkeypatch):
    carried = tmp_path / "carried"
    carried.mkdir()
    (carried / library.build(header).name).write_bytes(b"no library at all")
    monkeypatch.setenv(library.LIBRARIES_VARIABLE, str(carried))
    with pytest.raises(GameError, match=r"quick.hpp: .*carried"):
        GameDefinition("quick", header).load()


def test_the_name_in_the_header_must_be_that_of_the_definition():
    with pytest.raises(GameError, match="says 'tictactoe', its GameDefinition 'noughts'"):
        GameDefinition("noughts", tictactoe.header).load()


def test_carried_libraries_come_first(header, tmp_path, monkeypatch):
    built = library.build(header)
    carried = tmp_path / "carried"
    carried.mkdir()
    monkeypatch.setenv(library.LIBRARIES_VARIABLE, str(carried))
    assert library.build(header) == built  # nothing carried for it
    shutil.copy(built, carried)
    assert library.build(header) == carried / built.name
    header.write_text(QUICK % 43)  # the carried one is of another text
    assert library.build(header).parent == built.parent


def test_carried_libraries_need_no_compiler_and_fit_whatever_compiler_there_is(header, tmp_path, monkeypatch):
    carried = tmp_path / "carried"
    carried.mkdir()
    shutil.copy(library.build(header), carried)
    monkeypatch.setenv(library.LIBRARIES_VARIABLE, str(carried))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CXX", raising=False)
    assert library.build(header).parent == carried
    other = tmp_path / "c++"
    other.write_text("#!/bin/sh\necho another compiler\n")
    other.chmod(0o755)
    assert library.build(header).parent == carried


def test_without_a_compiler_the_package_to_install_is_named(header, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CXX", raising=False)
    with pytest.raises(GameError, match=r"no C\+\+ compiler was found .*'apt-get install g\+\+'"):
        library.build(header)


def test_the_compiler_of_the_environment_is_taken(header, tmp_path, monkeypatch):
    compiler = tmp_path / "my-compiler"
    compiler.write_text(f'#!/bin/sh\necho used >> {tmp_path}/log\nexec {library.compiler()} "$@"\n')
    compiler.chmod(0o755)
    monkeypatch.setenv("CXX", str(compiler))
    library.build(header)
    assert (tmp_path / "log").exists()


def test_two_processes_that_need_the_same_game_compile_it_once(header, tmp_path, cache):
    compiler = tmp_path / "slow-compiler"
    compiler.write_text(
        f'#!/bin/sh\n[ "$1" = --version ] || {{ echo used >> {tmp_path}/log; sleep 1; }}\n'
        f'exec {library.compiler()} "$@"\n'
    )
    compiler.chmod(0o755)
    code = f"from pathlib import Path; from rlplat.search import library; print(library.build(Path({str(header)!r})))"
    environment = {**os.environ, "CXX": str(compiler), "PYTHONPATH": str(ROOT)}
    processes = [
        subprocess.Popen([sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    outputs = [process.communicate(timeout=60)[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    assert outputs[0] == outputs[1] != ""
    assert (tmp_path / "log").read_text() == "used\n"
    assert len([path for path in cache.iterdir() if path.suffix == ".so"]) == 1
