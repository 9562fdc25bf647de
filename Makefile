# Every target sets up .venv first and does nothing that is already done: `make train` works on a fresh machine.
# Variables, on the command line or in the environment:
#   PYTHON       the interpreter that .venv is made from (3.11 or newer)
#   CXX          the C++20 compiler
#   TORCH_INDEX  a package index searched for torch besides pip's own (see the recipe of .venv/installed)
#   CONFIG, ARGS what `make train` runs; ARGS also reaches pytest and `rlplat bench`
#   ONLY         the one learning result that `make learning` repeats
#   SECONDS, GAME, CLANG   how long `make fuzz` feeds each game, the one game that it feeds, and its compiler

PYTHON ?= python3
ifeq ($(origin CXX),default)
CXX := c++
endif
export CXX
CONFIG ?= configs/connect_four_quick.yaml
CONSTRAINTS ?= constraints.txt
SECONDS ?= 20
CLANG ?= clang++

BIN := .venv/bin
CORE := CMakeLists.txt $(shell find rlplat/csrc -type f)
CPP := $(shell find rlplat/csrc envs tests -name '*.[ch]pp')
CPP_STYLE := {BasedOnStyle: Google, ColumnLimit: 120, AllowShortIfStatementsOnASingleLine: AllIfsAndElse}

.DEFAULT_GOAL := help
.PHONY: help install games train test drills learning check format bench test-cpp fuzz test-gpu clean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1|\2/p' Makefile | while IFS='|' read -r name what; do printf '  %-10s %s\n' "$$name" "$$what"; done

install: .venv/installed ## set up .venv with everything the other targets need

games: .venv/games ## compile the shipped games ahead of their first use

train: .venv/games ## train the agent of CONFIG=file (default: Connect Four, a few minutes), more options in ARGS=
	$(BIN)/rlplat train $(CONFIG) $(ARGS)

test: .venv/games ## run the tests, short learning proofs included
	$(BIN)/pytest -m "not gpu and not long and not drills" $(ARGS)

drills: .venv/games ## kill, stop and cut off the processes of runs; jobs on a real cluster; the story of the README
	$(BIN)/pytest -m drills $(ARGS)

learning: .venv/games ## repeat the learning results, or ONLY=name
	$(BIN)/pytest -m learning $(if $(ONLY),-k "$(ONLY)") $(ARGS)

check: .venv/installed ## format, lint, types and the stub of the extension; changes nothing
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/clang-format --dry-run -Werror --style='$(CPP_STYLE)' $(CPP)
	$(BIN)/mypy
	@mkdir -p build
	$(BIN)/python -m nanobind.stubgen -q -m rlplat._core -o build/_core.pyi
	diff -u rlplat/_core.pyi build/_core.pyi

format: .venv/installed ## format and mend what can be mended, and write the stub of the extension anew
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/clang-format -i --style='$(CPP_STYLE)' $(CPP)
	$(BIN)/python -m nanobind.stubgen -q -m rlplat._core -o rlplat/_core.pyi

bench: .venv/games ## measure search, rules, self-play, inference and learner on this machine
	$(BIN)/rlplat bench search rules selfplay inference learner $(ARGS)

test-cpp: .venv/installed ## run the C++ unit tests under AddressSanitizer and UndefinedBehaviorSanitizer
	$(BIN)/cmake -S . -B build/sanitize -G Ninja -DCMAKE_MAKE_PROGRAM=$(abspath $(BIN)/ninja) \
	  -DRLPLAT_BUILD_TESTS=ON -DRLPLAT_SANITIZE=ON
	$(BIN)/cmake --build build/sanitize
	$(BIN)/ctest --test-dir build/sanitize --output-on-failure --no-tests=error

fuzz: .venv/games ## feed the rules of each game random bytes for SECONDS=20, or of GAME=name alone; needs clang
	@sh -c "$$FUZZ_REQUIREMENTS"
	$(BIN)/cmake -S . -B build/fuzz -G Ninja -DCMAKE_MAKE_PROGRAM=$(abspath $(BIN)/ninja) \
	  -DCMAKE_CXX_COMPILER=$(CLANG) -DRLPLAT_BUILD_FUZZERS=ON
	$(BIN)/cmake --build build/fuzz --target $(if $(GAME),fuzz_$(GAME),fuzzers)
	$(BIN)/python tests/fuzz/seeds.py build/fuzz/seeds
	@sh -ec "$$FUZZ"

test-gpu: .venv/games ## run the tests that need a CUDA device
	@$(BIN)/python -c 'import sys, torch; torch.cuda.is_available() or sys.exit("make test-gpu: torch sees no CUDA device; rlplat doctor says why")'
	$(BIN)/pytest -m gpu $(ARGS)

clean: ## remove all that make made: .venv, build and caches; runs stay
	rm -rf .venv build .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The whole environment when dependencies changed, only the extension when C++ changed; Python is never reinstalled.
.venv/installed: pyproject.toml constraints.txt $(CORE)
ifeq ($(wildcard .venv/installed),)
	@sh -c "$$REQUIREMENTS"
	$(PYTHON) -m venv .venv
endif
	$(if $(filter pyproject.toml constraints.txt,$?),@sh -ec "$$INSTALL",$(BIN)/pip install --quiet --no-deps --no-build-isolation -e .)
	@touch $@

.venv/games: .venv/installed $(shell find envs -name '*.hpp')
	$(BIN)/python -m rlplat.search.library --all
	@touch $@

# torch for Linux on PyPI brings gigabytes of CUDA. Where no NVIDIA driver is found and pip is not set up with an index
# of its own (a mirror, local wheels), the small CPU build is taken from PyTorch's index.
define INSTALL
index='$(TORCH_INDEX)'
if [ -z "$$index" ] && ! command -v nvidia-smi >/dev/null && ! $(BIN)/pip config list | grep -Eq 'index|find-links'; then
  index=https://download.pytorch.org/whl/cpu
fi
set -x
$(BIN)/pip install -c $(CONSTRAINTS) scikit-build-core nanobind cmake ninja
$(BIN)/pip install -c $(CONSTRAINTS) $${index:+--extra-index-url $$index} --no-build-isolation -e '.[dev,farm,games,ray,robots]'
endef
export INSTALL

# Says all that is missing at once, each with the package that brings it.
define REQUIREMENTS
missing=0
need() {
  missing=1
  printf 'make: missing: %s\n  Debian, Ubuntu: apt-get install %s\n  Fedora:         dnf install %s\n' "$$1" "$$2" "$$3" >&2
}
printf '#include <concepts>\nint main() {}\n' | $(CXX) -std=c++20 -x c++ -fsyntax-only - 2>/dev/null ||
  need 'a C++20 compiler ($(CXX); name another with CXX=)' g++ gcc-c++
if ! $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
  need 'Python 3.11 or newer ($(PYTHON); name another with PYTHON=)' python3 python3
else
  $(PYTHON) -c 'import os, sys, sysconfig; sys.exit(not os.path.exists(sysconfig.get_path("include") + "/Python.h"))' ||
    need "the headers of $(PYTHON) (Python.h)" $(notdir $(PYTHON))-dev $(notdir $(PYTHON))-devel
  $(PYTHON) -c 'import ensurepip, venv' 2>/dev/null ||
    need "the module venv of $(PYTHON)" $(notdir $(PYTHON))-venv $(notdir $(PYTHON))
fi
exit $$missing
endef
export REQUIREMENTS

define FUZZ_REQUIREMENTS
printf '#include <cstdint>\nextern "C" int LLVMFuzzerTestOneInput(const std::uint8_t*, std::size_t) { return 0; }\n' |
  $(CLANG) -fsanitize=fuzzer,address -x c++ -o /dev/null - 2>/dev/null && exit
printf '%s\n' "make fuzz: missing: clang with libFuzzer and AddressSanitizer ($(CLANG); name another with CLANG=)" \
  '  Debian, Ubuntu: apt-get install clang, and libclang-rt-VERSION-dev of the version that clang --version names' \
  '  Fedora:         dnf install clang compiler-rt' >&2
exit 1
endef
export FUZZ_REQUIREMENTS

# What is found is kept in build/fuzz/found, and an input that breaks a promise in build/fuzz/GAME-crash-...
define FUZZ
for program in build/fuzz/tests/fuzz/fuzz_$(or $(GAME),*); do
  game=$${program##*/fuzz_}
  mkdir -p build/fuzz/found/$$game
  printf '%s: ' $$game
  if $$program -max_total_time=$(SECONDS) -max_len=400 -timeout=30 -artifact_prefix=build/fuzz/$$game- \
    build/fuzz/found/$$game build/fuzz/seeds/$$game >build/fuzz/$$game.log 2>&1; then
    grep '^Done' build/fuzz/$$game.log
  else
    tail -n 40 build/fuzz/$$game.log
    printf '\nmake fuzz: %s breaks a promise; %s FILE repeats it, on the file named above\n' $$game $$program
    exit 1
  fi
done
endef
export FUZZ
