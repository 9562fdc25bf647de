import sys
from pathlib import Path

import pytest

from rlplat import registry
from rlplat.errors import ConfigError, RegistryError

ROOT = Path(__file__).resolve().parents[1]

GAME = """
class Game:
    name = "hex"
    def load(self, **parameters): ...
hex_game = Game()
no_game = object()
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A fresh current folder without settings; what is imported and trusted in the test is forgotten after it."""
    before = set(sys.modules)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr(registry, "_trusted", [])
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("RLPLAT_SETTINGS", raising=False)
    yield tmp_path
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(tmp_path)):
            del sys.modules[name]


@pytest.fixture
def checkout(folder, monkeypatch):
    """A checkout of its own in that folder: rlplat there is empty, `envs` and `agents` are its content."""
    files = {
        "agents/__init__.py": "",
        "agents/learner_one/__init__.py": "from agents.learner_one.agent import AGENT\n",
        "agents/learner_one/agent.py": """
from rlplat.config import AgentConfig
class Config(AgentConfig): ...
class Agent:
    Config = Config
    def __call__(self, config, env): ...
AGENT = Agent()
""",
        "agents/networks.py": "raise RuntimeError('imported for a list of names')\n",
        "agents/baselines/__init__.py": "",
        "agents/baselines/chance.py": """
class Baseline:
    usage = "chance: by chance"
    def __call__(self, argument, game, seed): ...
BASELINE = Baseline()
""",
        "envs/__init__.py": "",
        "envs/games/__init__.py": "",
        "envs/games/hex.py": GAME.replace("hex_game", "hex"),
        "envs/games/_shared.py": "_shared = 1\n",
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    ours = {name: module for name, module in sys.modules.items() if name.split(".")[0] in ("envs", "agents")}
    for name in ours:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(registry, "__file__", str(folder / "rlplat" / "registry.py"))
    monkeypatch.setattr(sys, "path", [str(folder), *(p for p in sys.path if Path(p or ".").resolve() != ROOT)])
    return folder


def refusal(name: str, kind: registry.Kind, trust=()) -> str:
    with pytest.raises(RegistryError) as caught:
        registry.resolve(name, kind=kind, trust=trust)
    return str(caught.value)


def test_bare_names_are_found_by_folder(checkout):
    assert registry.names("game") == ["hex"]
    assert registry.names("agent") == ["learner_one"]
    assert registry.names("baseline") == ["chance"]


def test_names_are_listed_without_importing_anything(checkout):
    registry.names("agent")
    assert "agents" not in sys.modules


def test_a_bare_name_is_the_object_of_its_module(checkout):
    game = registry.resolve("hex", kind="game")
    assert game is sys.modules["envs.games.hex"].hex
    assert registry.resolve("learner_one", kind="agent") is sys.modules["agents.learner_one"].AGENT
    assert registry.resolve("chance", kind="baseline") is sys.modules["agents.baselines.chance"].BASELINE
    assert registry.resolve("envs.games.hex:hex", kind="game") is game


def test_an_unknown_bare_name_brings_the_nearest_or_all_names(checkout):
    assert refusal("hexx", "game") == "no game is named 'hexx'; did you mean hex?"
    assert refusal("zzz", "agent") == "no agent is named 'zzz'; there are: learner_one"


@pytest.mark.parametrize("name", ["", ":", "a:", ":b", "a b:c", "../x:y", "envs..games:x", "os.system('x'):y", "hex:"])
def test_a_malformed_name_is_refused(checkout, name):
    with pytest.raises(RegistryError, match=r"names no game|no game is named|not trusted"):
        registry.resolve(name, kind="game")


def test_an_untrusted_module_is_refused_without_being_imported(folder):
    (folder / "stranger.py").write_text("import pathlib; pathlib.Path('imported').touch()\n" + GAME)
    message = refusal("stranger:hex_game", "game")
    assert message.startswith(
        "'stranger:hex_game' lies in the package stranger, which is not trusted, and was not imported."
    )
    assert "--trust stranger" in message
    assert str(folder / ".config/rlplat/settings.yaml") in message
    assert "stranger" not in sys.modules
    assert not (folder / "imported").exists()


@pytest.mark.parametrize("name", ["os:system", "subprocess:Popen", "rlplat.cli:main", "builtins:eval", "agentsx.a:B"])
def test_modules_that_are_installed_anyway_are_not_trusted_either(folder, name):
    assert "which is not trusted" in refusal(name, "game")


def test_a_module_of_the_current_folder_is_found_once_it_is_trusted(folder):
    (folder / "trusted_a.py").write_text(GAME)
    assert registry.resolve("trusted_a:hex_game", kind="game", trust=["trusted_a"]).name == "hex"


def test_the_current_folder_hides_nothing_and_comes_last(folder):
    (folder / "trusted_b.py").write_text(GAME)
    registry.resolve("trusted_b:hex_game", kind="game", trust=["trusted_b"])
    assert sys.path[-1] == str(folder)


def test_trust_reaches_below_a_package_and_not_beside_it(folder):
    (folder / "trusted_c").mkdir()
    (folder / "trusted_c" / "games.py").write_text(GAME)
    (folder / "trusted_c" / "other.py").write_text(GAME)
    assert registry.resolve("trusted_c.games:hex_game", kind="game", trust=["trusted_c.games"]).name == "hex"
    assert "not trusted" in refusal("trusted_c.other:hex_game", "game", trust=["trusted_c.games"])
    assert "not trusted" in refusal("trusted_cc:x", "game", trust=["trusted_c"])


def test_packages_can_be_trusted_for_the_whole_process(folder):
    (folder / "trusted_d.py").write_text(GAME)
    registry.trust("trusted_d")
    assert registry.trusted() == ("trusted_d",)
    assert registry.resolve("trusted_d:hex_game", kind="game").name == "hex"
    with pytest.raises(RegistryError, match="not the name of a package, such as my_games"):
        registry.trust("a/b")


@pytest.mark.parametrize("place", ["home", "variable"])
def test_packages_in_the_settings_file_are_trusted(folder, monkeypatch, place):
    file = folder / (".config/rlplat/settings.yaml" if place == "home" else "mine.yaml")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("trust: [trusted_e]\n")
    if place == "variable":
        monkeypatch.setenv("RLPLAT_SETTINGS", str(file))
    (folder / "trusted_e.py").write_text(GAME)
    assert registry.resolve("trusted_e:hex_game", kind="game").name == "hex"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("trust: trusted_e", "trust is the text 'trusted_e'; it must be a list of package names"),
        ("trusted: [x]", "unknown key trusted; did you mean trust?"),
        ("trust: [", "this is not YAML"),
        (None, "there is no such file"),
    ],
)
def test_a_wrong_settings_file_is_named(folder, monkeypatch, text, problem):
    file = folder / "settings.yaml"
    monkeypatch.setenv("RLPLAT_SETTINGS", str(file))
    if text is not None:
        file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        registry.trusted()
    assert str(caught.value).startswith(f"{file}: ")
    assert problem in str(caught.value)


def test_what_is_loaded_must_fulfil_its_contract(folder):
    (folder / "trusted_f.py").write_text(
        GAME + "class Agent:\n    Config = dict\nclass Uncallable: ...\nbare = Uncallable()\n"
    )
    file = folder / "trusted_f.py"
    trust = ["trusted_f"]
    assert refusal("trusted_f:no_game", "game", trust) == (
        f"trusted_f:no_game: no_game in {file} is no game: it must have a method load(**parameters) and a text name"
    )
    assert "a class Config derived from rlplat.config.AgentConfig" in refusal("trusted_f:Agent", "agent", trust)
    assert "a text usage and a way to be called" in refusal("trusted_f:bare", "baseline", trust)


def test_a_contract_is_checked_without_calling_what_was_loaded(folder):
    (folder / "trusted_g.py").write_text("def run(*args, **kwargs): raise SystemExit('called')\n")
    assert "is no agent" in refusal("trusted_g:run", "agent", ["trusted_g"])


def test_a_missing_attribute_brings_the_nearest_names(folder):
    (folder / "trusted_h.py").write_text(GAME)
    message = refusal("trusted_h:hex_gam", "game", ["trusted_h"])
    assert message == f"trusted_h:hex_gam: {folder / 'trusted_h.py'} has no hex_gam; did you mean hex_game?"


def test_a_missing_module_is_told_apart_from_a_missing_import_inside_it(checkout):
    (checkout / "envs/games/go.py").write_text("\nimport no_such_library\n")
    inside = refusal("envs.games.go:go", "game")
    assert f"{checkout / 'envs/games/go.py'}, line 2: ModuleNotFoundError: No module named 'no_such_library'" in inside
    missing = refusal("envs.games.chess:chess", "game")
    assert missing == (
        f"'envs.games.chess:chess': there is no module envs.games.chess in {checkout / 'envs/games/__init__.py'}"
    )
    assert "there is no package trusted_z to import" in refusal("trusted_z:x", "game", ["trusted_z"])


@pytest.mark.parametrize(
    ("source", "problem"),
    [("\n\n1 / 0\n", "line 3: ZeroDivisionError: division by zero"), ("\ndef f(:\n", "line 2: SyntaxError:")],
)
def test_an_error_at_import_is_told_with_file_and_line(folder, source, problem):
    (folder / "trusted_i.py").write_text(source)
    message = refusal("trusted_i:x", "game", ["trusted_i"])
    assert message.startswith(f"'trusted_i:x' cannot be imported: {folder / 'trusted_i.py'}, {problem}")


def test_an_installed_package_with_the_same_name_is_refused_without_being_imported(checkout, monkeypatch):
    foreign = checkout / "lib" / "site-packages"
    (foreign / "agents").mkdir(parents=True)
    (foreign / "agents" / "__init__.py").write_text("raise RuntimeError('imported')\n")
    monkeypatch.setattr(sys, "path", [str(foreign), *sys.path])
    message = refusal("agents.learner_one:AGENT", "agent")
    assert message.startswith(f"the package agents comes from {foreign / 'agents'}, not from a checkout of rlplat; ")
    monkeypatch.setattr(registry, "__file__", str(foreign / "rlplat" / "registry.py"))
    assert "not from a checkout of rlplat" in refusal("agents.learner_one:AGENT", "agent")


def test_without_a_checkout_there_are_no_names(folder, monkeypatch):
    monkeypatch.setattr(sys, "path", [str(folder)])
    assert registry.names("game") == []
    assert refusal("connect_four", "game") == "no game is named 'connect_four'; there are none"


def test_importing_content_runs_its_packages(checkout):
    (checkout / "agents/__init__.py").write_text("import pathlib; pathlib.Path('ran').touch()\n")
    registry.import_content()
    assert (checkout / "ran").exists()


@pytest.mark.parametrize("kind", ["game", "agent", "baseline"])
def test_everything_that_the_checkout_ships_fulfils_its_contract(kind):
    names = registry.names(kind)
    assert names
    for name in names:
        registry.resolve(name, kind=kind)


def test_a_header_is_named_from_the_folder_of_a_trusted_package_on(folder, monkeypatch):
    (folder / "mine" / "boards").mkdir(parents=True)
    (folder / "mine" / "boards" / "quick.hpp").write_text("#pragma once\n")
    monkeypatch.chdir(folder)
    name = "mine/boards/quick.hpp"
    assert "not trusted" in refusal(name, "game")
    game = registry.resolve(name, kind="game", trust=["mine"])
    assert (game.name, game.header) == ("quick", folder / "mine" / "boards" / "quick.hpp")
    assert "there is no such file in" in refusal("mine/slow.hpp", "game", trust=["mine"])
    for wrong in ("quick.hpp", "/mine/quick.hpp", "mine/../quick.hpp"):
        assert "it must look like my_games/hex.hpp" in refusal(wrong, "game", trust=["mine"])
