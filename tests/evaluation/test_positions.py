"""Positions with exact scores: how they are made, written, read, and used to judge."""

import json

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from envs.games.connect_four import connect_four
from envs.games.tictactoe import tictactoe
from rlplat.errors import GameError
from rlplat.evaluation.judge import judge_policy, judge_run
from rlplat.evaluation.make_positions import draw_positions, make_positions
from rlplat.evaluation.positions import ScoredPosition, read_positions, sensible_actions, write_positions
from rlplat.registry import resolve
from rlplat.runs.folder import RunFolder

GAME = connect_four.load()
SMALL = connect_four.load(rows=4, columns=5)
TICTACTOE = tictactoe.load()


def drawn(game=GAME, **changes):
    options = {"first": 26, "last": 32, "count": 12, "seed": 0}
    return list(draw_positions(game, **options | changes))


def moves(positions):
    return [position.state.moves_text() for position in positions]


class Chooser:
    """Plays the action that `choose` picks of each position with its scores."""

    name = "chooser"

    def __init__(self, choose):
        self.choose = choose

    def act(self, states):
        return np.array([self.choose(state) for state in states])


def best(state):
    return state.legal_actions()[state.action_scores().argmax()]


def worst(state):
    return state.legal_actions()[state.action_scores().argmin()]


@pytest.mark.parametrize(
    "moves, actions",
    [
        ("152535", [3]),  # wins
        ("41414", [3]),  # must block
        ("33445", [0, 1, 2, 3, 4, 5, 6]),  # an open three: who stops one end loses at the other, so nothing is safe
        ("", [0, 1, 2, 3, 4, 5, 6]),
    ],
)
def test_sensible_actions_are_those_that_two_plies_leave(moves, actions):
    assert sensible_actions(GAME.state_from_moves(moves)) == actions


def test_drawn_positions_are_distinct_solved_and_half_of_them_hard():
    positions = drawn()
    assert len({position.state.evaluation_key for position in positions}) == len(positions) == 12
    assert sum(position.is_hard() for position in positions) == 6
    for position in positions:
        assert 26 <= position.state.num_moves <= 32
        assert not position.state.is_terminal
        assert position.scores.tolist() == position.state.action_scores().tolist()
        assert position.score == position.state.exact_score()
    assert moves(positions) == moves(drawn()) != moves(drawn(seed=1))


def test_a_choice_is_hard_only_if_looking_two_plies_ahead_does_not_decide_it():
    for position in drawn():
        state = position.state
        results = {np.sign(position.score_of(action)) for action in sensible_actions(state)}
        assert position.is_hard() == (len(results) > 1)
    won = GAME.state_from_moves("152535")  # one action wins, most others do not, and one ply shows it
    assert not ScoredPosition(won, won.action_scores()).is_hard()


def test_what_cannot_be_drawn_is_refused():
    with pytest.raises(GameError, match="10 to 50 plies were asked for; connect_four has 0 to 41"):
        drawn(first=10, last=50)
    with pytest.raises(GameError, match="has no exact scores"):
        drawn(connect_four.load(rows=8, columns=8))
    with pytest.raises(GameError, match=r"lacking and none were found in 5000 games; ask for fewer"):
        drawn(TICTACTOE, first=1, last=1, count=40)


@pytest.mark.parametrize("stage, plies", [("early", (0, 14)), ("middle", (15, 28)), ("late", (29, 41))])
def test_stages_are_thirds_of_the_longest_game(stage, plies):
    columns = [0] * 6 + [1] * 6 + [3, 2] + [2, 3] * 5 + [4] * 6 + [5] * 6 + [6] * 6
    for count in plies:
        state = GAME.initial_state()
        for action in columns[:count]:
            state.position.apply(action)
        assert ScoredPosition(state, np.zeros(1, np.int32)).stage == stage


def test_a_file_reads_back_as_it_was_written(tmp_path):
    positions = [*drawn(), ScoredPosition(GAME.state_from_moves("123456712345671234567"), np.zeros(7, np.int32))]
    write_positions(tmp_path / "p.txt", GAME, positions)
    text = (tmp_path / "p.txt").read_text()
    assert text.startswith("# game: connect_four rows=6 columns=7 line=4\n")
    read = read_positions(tmp_path / "p.txt", GAME)
    assert moves(read) == moves(positions)
    assert [position.scores.tolist() for position in read] == [position.scores.tolist() for position in positions]


def test_the_solver_fills_in_what_a_line_lacks(tmp_path):
    path = tmp_path / "p.txt"
    path.write_text("# of other people\n\n44444433 16\n")
    (position,) = read_positions(path, GAME)
    assert position.scores.tolist() == GAME.state_from_moves("44444433").action_scores().tolist()
    path.write_text("- 0\n")
    assert read_positions(path, TICTACTOE)[0].scores.tolist() == [0] * 9


@pytest.mark.parametrize(
    "line, message",
    [
        ("4444444 1", r"p.txt, line 2: .*'4' is no legal move here; legal are 1, 2, 3, 5, 6, 7"),
        ("4449 1", r"line 2: .*'9' is no legal move"),
        ("1122334 18", r"line 2: the game is over after 1122334, so there is no choice to judge"),
        ("444444", r"line 2: found 1 fields; a line is '<moves> <score>'"),
        ("4 4 4 1", r"line 2: found 4 fields"),
        ("444444 win", r"line 2: 'win' is no score; a score is a whole number"),
        ("444444 99999999999", r"line 2: '99999999999' is no score; a score is a whole number of at most 9 digits"),
        ("444444 1 1,2", r"line 2: 2 scores of actions for 6 legal actions"),
        ("44444433 3", r"line 2: the score is given as 3, but that of the best action is 16"),
        ("# game: tictactoe", r"line 2: these are positions of tictactoe, not of connect_four rows=6"),
        ("", r"p.txt: it holds no positions"),
    ],
)
def test_a_broken_file_is_refused_with_line_and_way_out(tmp_path, line, message):
    path = tmp_path / "p.txt"
    path.write_text(f"# comment\n{line}\n")
    with pytest.raises(GameError, match=message) as error:
        read_positions(path, GAME)
    assert "rlplat positions connect_four" in str(error.value) or line.startswith("#") or not line


pieces = st.sampled_from([*"159", " ", "-", "0", ",", "1,0,-1", "#", "99999999999", "é", "\n"])


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.lists(pieces, max_size=15).map("".join) | st.text(max_size=20))
def test_any_text_is_positions_or_refused_with_the_file(tmp_path, text):
    path = tmp_path / "p.txt"
    path.write_text(text, encoding="utf-8", errors="replace")
    try:
        positions = read_positions(path, TICTACTOE)
    except GameError as error:
        assert str(error).startswith(str(path))
    else:
        assert all(len(position.scores) == len(position.state.legal_actions()) for position in positions)


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(GameError, match=r"none.txt: no positions can be read.*make some with `rlplat positions conn"):
        read_positions(tmp_path / "none.txt", GAME)


def test_the_best_moves_are_never_wrong_and_the_worst_are_where_there_is_a_choice():
    positions = drawn()
    for row in judge_policy(Chooser(best), positions):
        assert (row.result_changed, row.not_best) == (0, 0)
        assert (row.result_changed_low, row.not_best_low) == (0, 0)
        assert row.result_changed_high > 0
    rows = {row.group: row for row in judge_policy(Chooser(worst), positions, simulations=9, step=4)}
    assert list(rows) == ["all", "middle", "late", "hard"]
    assert (rows["all"].num_positions, rows["hard"].num_positions) == (12, 6)
    assert rows["middle"].num_positions + rows["late"].num_positions == 12
    assert rows["hard"].result_changed == rows["hard"].not_best == 1
    expected = np.mean([np.sign(position.scores.min()) != np.sign(position.score) for position in positions])
    assert rows["all"].result_changed == pytest.approx(expected)
    assert rows["all"].not_best >= rows["all"].result_changed
    assert (rows["all"].simulations, rows["all"].step) == (9, 4)


def test_a_slow_win_is_not_best_and_changes_no_result():
    state = GAME.state_from_moves("44444433")
    scores = state.action_scores().tolist()
    slow = int(state.legal_actions()[scores.index(2)])
    (row, *_) = judge_policy(Chooser(lambda _: slow), [ScoredPosition(state, state.action_scores())])
    assert (row.group, row.result_changed, row.not_best) == ("all", 0, 1)


def test_an_illegal_choice_is_refused():
    with pytest.raises(GameError, match="chooser chose action 7, which is not legal"):
        judge_policy(Chooser(lambda _: 7), drawn()[:1])


def test_a_run_is_judged_alone_and_with_searches(tiny_run, tmp_path):
    path = tmp_path / "p.txt"
    (made,) = make_positions(TICTACTOE, path, first=2, last=6, count=20, seed=0)
    assert (made.value, made.fields["hard"]) == (20, 10)
    assert made.fields["won"] + made.fields["drawn"] + made.fields["lost"] == 20
    rows = judge_run(tiny_run, path, num_simulations=400, seed=0)
    alone, searched = (row for row in rows if row.group == "all")
    assert (alone.simulations, searched.simulations, alone.step) == (0, 400, 5)
    assert searched.result_changed < alone.result_changed
    kept = max(RunFolder.open(tiny_run).evaluations_path.iterdir())
    assert [row["group"] for row in json.loads(kept.read_text())["positions"]] == [row.group for row in rows]
    assert len({row.simulations for row in judge_run(tiny_run, path, num_simulations=0, seed=0)}) == 1


def test_mcts_is_wrong_less_often_with_more_simulations():
    positions = drawn(SMALL, first=6, last=12, count=60)
    shares = []
    for name in ("10", "1000"):
        policy = resolve("mcts", kind="baseline")(name, SMALL, 0)
        shares.append(judge_policy(policy, positions)[0].result_changed)
    assert shares[1] < shares[0]
