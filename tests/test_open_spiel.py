import pytest

from rlplat import registry
from rlplat.errors import RlplatError
from rlplat.evaluation.arena import draw_openings
from rlplat.open_spiel import TWINS, Twin

pytest.importorskip("pyspiel", reason="open_spiel is not installed (pip install open_spiel)")


def load(name):
    return registry.resolve(name, kind="game").load()


def test_every_shipped_game_has_a_twin():
    assert set(TWINS) == set(registry.names("game"))


@pytest.mark.parametrize("name", TWINS)
def test_a_position_is_carried_over_move_by_move(name):
    game, twin = load(name), TWINS[name]
    for state in draw_openings(game, 20, min(12, game.max_length // 2), seed=3):
        theirs = twin.follow(state)
        assert theirs.move_number() == state.num_moves
        ours = {state.parse_action(twin.our_text(theirs.action_to_string(a), game)) for a in theirs.legal_actions()}
        assert ours == set(state.legal_actions().tolist())


def test_a_move_that_is_none_there_is_named():
    swapped = registry.resolve("hex", kind="game").load(swap=1).state_from_moves("a1 swap")
    with pytest.raises(RlplatError, match="open_spiel's hex has no move swap in\n"):
        TWINS["hex"].follow(swapped)
    assert Twin("hex", parameters={"board_size": 9, "swap": True}).follow(swapped).move_number() == 2
