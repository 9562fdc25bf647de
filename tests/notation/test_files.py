"""Files of recorded games, and what a run has kept."""

import pytest
from conftest import TINY, untrained_run
from hypothesis import given, settings
from hypothesis import strategies as st

from examples.nim import Nim
from rlplat.config import config_text, load_config
from rlplat.errors import NotationError
from rlplat.evaluation.evaluate import evaluate_run
from rlplat.notation.files import export_run, games_of_run, read_games
from rlplat.notation.record import GameRecord, game_line, read_game_line
from rlplat.registry import resolve
from rlplat.runs.folder import RunFolder


def run_of(folder, game, **lines):
    """A run of another game than the tiny one's, which kept these lines."""
    folder.joinpath("config.yaml").write_text(TINY.replace("{id: tictactoe}", game))
    run = RunFolder.create(folder / "run", config_text=config_text(load_config(folder / "config.yaml")), info={})
    for step, line in lines.items():
        run.write_records(int(step[1:]), [line])
    return run.path


def test_the_games_of_a_run_are_written_in_the_form_of_its_game_and_read_again(tmp_path):
    game = resolve("othello", kind="game").load(size=4)
    state = game.initial_state()
    while not state.is_terminal:
        state.apply(int(state.legal_actions()[0]))
    line = game_line("game 7 opening 2", state, float(state.returns[0]))
    run = run_of(tmp_path, "{id: othello, parameters: {size: 4}}", _20=line)
    (result,) = export_run(run, None)
    assert (result.value, result.fields["path"]) == (1, str(run / "games" / "games.sgf"))
    (record,) = read_games(run / "games" / "games.sgf", game.definition)
    assert record.state.actions == state.actions
    assert (record.players, record.event) == (("run@20", "run@20"), "game 7 opening 2")
    assert record.outcome == state.returns[0]
    export_run(run, tmp_path / "out.sgf")
    assert (tmp_path / "out.sgf").read_text() == (run / "games" / "games.sgf").read_text()


def test_lines_of_every_game_are_read_as_they_were_written():
    for name, moves in (("connect_four", "4453"), ("tictactoe", ""), ("chess", "e4 e5"), ("breakthrough", "b2c3")):
        game = resolve(name, kind="game").load()
        found = read_game_line(game_line("game 1", game.state_from_moves(moves), 0.0), game, source="here")
        assert (found.state.moves_text(), found.event, found.outcome) == (moves, "game 1", 0.0)


@pytest.mark.parametrize("outcome", [0.5, -0.25, 0.99999])
def test_results_that_are_no_win_draw_or_loss_are_numbers(outcome):
    nim, othello = Nim.load(heaps=1), resolve("othello", kind="game").load(size=4)
    found = read_game_line(game_line("game 1", nim.state_from_moves("a5"), outcome), nim, source="here")
    assert found.outcome == pytest.approx(outcome, abs=1e-4)
    state = othello.state_from_moves("b1")
    (found,) = othello.definition.record.read(
        othello.definition.record.write([GameRecord(state, outcome)]), othello.definition, {}, source="here"
    )
    assert (found.state.actions, found.outcome) == (state.actions, None)


pieces = st.sampled_from(["game 1", ":", " ", *"159", "1-0", "0-1", "1/2-1/2", "b2", "pass", "é", "\n"])


@settings(max_examples=150, deadline=None)
@given(st.lists(pieces, max_size=12).map("".join) | st.text(max_size=30))
def test_any_line_is_a_game_or_refused_with_its_source(line):
    game = resolve("tictactoe", kind="game").load()
    try:
        record = read_game_line(line, game, source="here")
    except NotationError as error:
        assert str(error).startswith("here: ")
    else:
        assert read_game_line(game_line("again", record.state, record.outcome), game, source="here").state.hash == (
            record.state.hash
        )


def test_what_cannot_be_written_or_read_is_told(tmp_path, tiny_run):
    with pytest.raises(NotationError, match="tictactoe does not say how its games are written down"):
        games_of_run(tiny_run)
    (tmp_path / "empty").mkdir()
    with pytest.raises(NotationError, match="has kept no games yet"):
        export_run(run_of(tmp_path / "empty", "{id: hex}"), None)
    run = run_of(tmp_path, "{id: hex}", _5="game 1: b4 b4 1-0")
    with pytest.raises(NotationError, match=r"00000005\.txt, line 1: hex: 'b4' is no legal move here"):
        games_of_run(run)
    with pytest.raises(NotationError, match=r"nothing\.sgf cannot be read: No such file"):
        read_games(tmp_path / "nothing.sgf", resolve("hex", kind="game"))


def test_the_games_of_a_match_are_written_with_who_won_them(tmp_path, tiny_run):
    run = untrained_run(tmp_path, "{id: othello, parameters: {size: 4}}")
    options = {"against": ["random"], "num_games": 6, "num_simulations": 2, "seed": 0}
    (row,) = evaluate_run(run, record=tmp_path / "match.sgf", **options)
    records = read_games(tmp_path / "match.sgf", resolve("othello", kind="game"))
    assert [record.players for record in records] == [("run@5", "random"), ("random", "run@5")] * 3
    points = [record.outcome * (1 if record.players[0] == "run@5" else -1) for record in records]
    assert (points.count(1.0), points.count(0.0), points.count(-1.0)) == (row.wins, row.draws, row.losses)
    assert all(record.outcome == record.state.returns[0] for record in records)
    with pytest.raises(NotationError, match="tictactoe does not say"):
        evaluate_run(tiny_run, record=tmp_path / "other.sgf", **options)
