from dataclasses import replace
from pathlib import Path

import pytest

from rlplat.errors import GameError
from rlplat.registry import resolve
from rlplat.search.game import GameDefinition
from rlplat.testing import CHECKS, check_game

FAULTY = GameDefinition("faulty", header=Path(__file__).parent / "faulty" / "faulty.hpp")

FAULTS = [
    ("kMaxLegalAboveActions", "sizes", "max_legal_actions is 10; it must lie in 1 .. num_actions 9"),
    ("kMinAboveMax", "sizes", "min_length 10 must lie in 1 .. max_length 9"),
    ("kStartsFinished", "start", "the initial state is terminal"),
    ("kStartVaries", "start", "two initial states differ in"),
    ("kDescendingLegal", "legal actions", "they must ascend"),
    ("kActionOutOfRange", "legal actions", "they must lie in 0 .. 8"),
    ("kStuck", "legal actions", "no legal action after"),
    ("kThirdPlayer", "players", "is 2; it must be 0 or 1"),
    ("kOnePlayer", "players", "only player 0 ever moves"),
    ("kHugeReturn", "returns", "they must lie in [-1, 1]"),
    ("kEndsEarly", "length", "a game ended in 5 plies"),
    ("kEndsLate", "length", "beyond max_length 8"),
    ("kSharedMemory", "copies", "changed text of its original"),
    ("kMovesVary", "replay", "played a second time, the position differs in hash"),
    ("kEqualActionTexts", "action texts", "is written '8'"),
    ("kSpacedActionText", "action texts", "needs a text without spaces"),
    ("kEmptyText", "text", "the text is empty"),
    ("kHiddenMove", "text", "the text does not show the last move"),
    ("kConstantHash", "hashes", "different positions have one hash"),
    ("kHashOfLastMove", "hashes", "one position has two hashes"),
    ("kCoarseEvaluationKey", "evaluation keys", "one evaluation key but different planes"),
    ("kKeyForgetsShownMove", "evaluation keys", "one evaluation key but different planes"),
    ("kNanPlane", "planes", "planes hold NaN"),
    ("kNoPermutation", "symmetries", "symmetry 3: cells [7, 7, 6, 5, 4, 3, 2, 1, 0] is no permutation"),
    ("kNoIdentity", "symmetries", "symmetry 0: cells"),
    ("kNoGroup", "symmetries", "symmetry 1 followed by symmetry 2"),
    ("kEqualSymmetries", "symmetries", "is none of the game's symmetries"),
    ("kSymmetryForgetsActions", "mirrored games", "are not the permuted planes"),
    ("kAsymmetricRules", "mirrored games", "are not the permuted ones"),
    ("kRolloutForTheMover", "rollouts", "a rollout returns"),
    ("kHopefulWinningAction", "winning actions", "does not win at once"),
    ("kHeuristicTooLarge", "heuristic", "it must lie in [-1, 1]"),
    ("kHeuristicVaries", "heuristic", "when asked again"),
    ("kLopsidedHeuristic", "heuristic", "in its mirror image, after"),
    ("kHeuristicOfFirstPlayer", "heuristic", "it must be from the view of the player to move"),
    ("kScoreOfFirstPlayer", "exact score", "the signs must agree"),
    ("kScoreForgetsChildren", "exact score", "it must be the best of them"),
    ("kLopsidedScore", "exact score", "in its mirror image, after"),
    ("kThrows", "random games", "faulty: the rules threw RuntimeError: no cell (after the actions "),
    ("kThrowsHeuristic", "heuristic", "the rules threw RuntimeError: no view"),
    (
        "kMaxLegalTooSmall",
        "random games",
        "the rules threw RuntimeError: legal_actions gave 9 actions, shape().max_legal_actions is 8 (at the start)",
    ),
]


def fault_number(name):
    """Read the place of a fault in the header's list, so that the two cannot drift apart."""
    listed = FAULTY.header.read_text().partition("enum Fault {")[2].partition("};")[0]
    return [fault.strip() for fault in listed.split(",")].index(name)


def test_every_fault_is_tried():
    listed = FAULTY.header.read_text().partition("enum Fault {")[2].partition("};")[0]
    assert {fault.strip() for fault in listed.split(",")} - {"", "kNone"} == {name for name, _, _ in FAULTS}


def test_every_check_can_fail():
    """But for illegal actions: what refuses them is not the rules but the code that all games share. For records, see
    below: they are no matter of the header. All checks look at random games, which are played first.
    """
    assert {check for _, check, _ in FAULTS} == {"random games", *CHECKS} - {"illegal actions", "records"}


@pytest.mark.parametrize("fault, check, message", FAULTS, ids=[name for name, _, _ in FAULTS])
def test_a_fault_is_named(fault, check, message):
    report = check_game(FAULTY.load(fault=fault_number(fault)))
    found = {failed.name: failed.failure for failed in report.failures}
    assert not report.passed
    assert check in found, report
    assert message in found[check]
    assert message in " ".join(str(report).split("\n"))


def test_a_form_of_records_that_cannot_write_a_pass_is_named():
    othello = resolve("othello", kind="game")
    definition = replace(othello, record=replace(othello.record, moves={}))
    (failure,) = check_game(definition.load(size=6)).failures
    assert failure.name == "records"
    assert "cannot be written or read: the record, line" in failure.failure


def test_the_same_rules_without_a_fault_pass_every_check():
    report = check_game(FAULTY.load())
    assert report.passed, report
    assert [check.name for check in report.checks] == list(CHECKS)


def test_a_report_says_what_was_played_and_how_fast():
    report = check_game(resolve("tictactoe", kind="game").load(), num_games=7)
    assert report.game == "tictactoe"
    assert report.num_games == 7
    assert 7 * 6 <= report.num_positions <= 7 * 10
    assert report.moves_per_second > 100
    assert f"{len(CHECKS)} of {len(CHECKS)} checks passed; 7 random games" in str(report)


def test_checks_that_rest_on_a_failed_one_are_left_out_and_named():
    report = check_game(FAULTY.load(fault=fault_number("kStuck")))
    assert [check.name for check in report.checks] == ["sizes", "start", "legal actions"]
    assert "left out until this is mended: players, illegal actions," in str(report)


def test_equal_seeds_check_equal_games():
    game = FAULTY.load(fault=fault_number("kEndsLate"))
    one, same, other = (check_game(game, seed=seed).failures for seed in (1, 1, 2))
    assert one == same
    assert one != other


def test_a_header_that_does_not_compile_is_refused_with_the_compilers_words(tmp_path):
    header = tmp_path / "broken.hpp"
    header.write_text(FAULTY.header.read_text().replace("std::uint64_t hash(", "std::uint64_t hush("))
    with pytest.raises(GameError, match=r"broken\.hpp does not compile"):
        GameDefinition("faulty", header=header).load()
