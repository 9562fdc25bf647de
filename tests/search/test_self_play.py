"""Self-play: the games it plays, what it records of them, and that it can be put aside and taken up again."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from networks import HashNetwork

from envs.games.connect_four import connect_four
from envs.games.tictactoe import tictactoe
from rlplat.errors import DivergedError, GameError
from rlplat.search.analysis import ROLLOUT, UNIFORM, SearchParams, analyse
from rlplat.search.game import GameDefinition
from rlplat.search.self_play import SelfPlay, SelfPlayParams

GAMES = Path(__file__).parents[1] / "csrc" / "games"
SMALL = connect_four.load(rows=4, columns=5, line=3)
TICTACTOE = tictactoe.load()
LADDER = GameDefinition("ladder", GAMES / "ladder.hpp")
SEARCH = SearchParams(num_simulations=25, noise_fraction=0.25, dirichlet_alpha=0.5)


def make(game=SMALL, search=SEARCH, evaluator=None, **changes):
    values = {
        "num_searches": 8,
        "num_groups": 2,
        "cache_bytes": 1 << 16,
        "kept_visits": 75,
        "seed": 5,
        "opening_plies": 3,
        "temperature_plies": 6,
    }
    return SelfPlay(game, search, SelfPlayParams(**{**values, **changes}), evaluator=evaluator)


def advance(play, rounds, network=None):
    """Every group descends and is evaluated, `rounds` times."""
    network = network or HashNetwork(play.game.num_actions)
    observations = np.zeros((play.rows_per_group, *play.game.plane_shape), np.float32)
    for _ in range(rounds):
        for group in range(play.num_groups):
            rows = play.select(group, observations)
            if rows:
                play.backup(group, *network.evaluate(observations[:rows]))


def play_positions(play, count):
    while play.finished_positions < count:
        advance(play, 20)
    return play.take_finished()


def each_game(records):
    """Slices of the flat arrays: `(index, positions, policy lists)` of each game."""
    first = entry = 0
    for index, length in enumerate(records["num_positions"]):
        policies = []
        for num_legal in records["num_legal"][first : first + length].tolist():
            policies.append(records["policy"][entry : entry + num_legal])
            entry += num_legal
        yield index, slice(first, first + length), policies
        first += length
    assert first == len(records["action"])
    assert entry == len(records["policy"])


def assert_same(one, other):
    assert one.keys() == other.keys()
    for name in one:
        assert one[name].dtype == other[name].dtype
        assert one[name].tobytes() == other[name].tobytes(), name


def walk(name):
    return GameDefinition(name, GAMES / f"{name}.hpp").load(cells=10, length=20)


@pytest.mark.parametrize("evaluator", [None, UNIFORM, ROLLOUT], ids=["network", "uniform", "rollout"])
@pytest.mark.parametrize("game", ["small", "tictactoe", "ladder", "walk_all", "walk_three"])
def test_every_game_is_legal_from_start_to_end_and_its_record_complete(game, evaluator):
    if game.startswith("walk"):
        game = walk(game)
    else:
        game = {"small": SMALL, "tictactoe": TICTACTOE, "ladder": LADDER.load(width=9, length=6, turns=2)}[game]
    records = play_positions(make(game, evaluator=evaluator), 150)
    assert len(set(records["game_number"].tolist())) == len(records["game_number"]) > 5
    for index, positions, policies in each_game(records):
        state = game.initial_state()
        opening = records["opening_plies"][index]
        for ply, action in enumerate(records["action"][positions]):
            row = positions.start + ply
            legal = state.legal_actions()
            assert records["states"][row].tobytes() == state.position.state
            assert records["player"][row] == state.player
            assert abs(records["root_value"][row]) <= 1
            if ply < opening:
                assert records["num_legal"][row] == 0
                assert records["root_value"][row] == 0
            else:
                assert records["num_legal"][row] == len(legal)
                assert abs(int(policies[ply].sum(dtype=np.int64)) - 65535) <= len(legal)
                assert policies[ply][legal.tolist().index(action)] > 0
            state.apply(int(action))  # GameError if it is not legal
        assert state.is_terminal
        assert records["outcome"][index] == state.returns[0]
        assert opening < records["num_positions"][index]


def test_positions_with_a_target_are_counted_until_they_are_taken():
    play = make()
    while play.finished_positions == 0:
        advance(play, 1)
    count = play.finished_positions
    records = play.take_finished()
    assert np.count_nonzero(records["num_legal"]) == count
    assert play.finished_positions == 0
    assert len(play.take_finished()["game_number"]) == 0


def test_finished_games_come_by_number():
    numbers = play_positions(make(), 400)["game_number"]
    assert (np.diff(numbers) > 0).all()


def test_game_numbers_are_unique_over_collectors():
    numbers = []
    for index in range(3):
        play = make(first_game=8 * index, game_stride=24)
        numbers += play_positions(play, 200)["game_number"].tolist()
        numbers += play.suspend()["game_number"].tolist()
    assert len(set(numbers)) == len(numbers)
    assert set(range(24)) <= set(numbers)


def test_a_stride_that_gives_two_searches_one_game_is_refused():
    with pytest.raises(ValueError, match="game_stride"):
        make(game_stride=7)
    with pytest.raises(ValueError, match="num_groups"):
        make(num_groups=3)
    with pytest.raises(ValueError, match="at least one simulation"):
        make(search=SearchParams(num_simulations=0))


@pytest.mark.parametrize("num_threads", [2, 3])
def test_the_same_seed_plays_the_same_games_at_any_number_of_threads(num_threads):
    one, other = make(), make(num_threads=num_threads)
    for _ in range(4):
        advance(one, 100)
        advance(other, 100)
        assert one.counters == other.counters
        assert_same(one.take_finished(), other.take_finished())
    assert_same(one.suspend(), other.suspend())


def test_another_seed_plays_other_games():
    one, other = play_positions(make(), 100), play_positions(make(seed=6), 100)
    assert one["action"].tobytes() != other["action"].tobytes()


def test_a_game_depends_on_its_number_and_not_on_its_neighbours():
    """Without a cache, games of a collector of two equal the same numbers played by one alone."""
    one = make(cache_bytes=0, num_searches=8, game_stride=8)
    half = make(cache_bytes=0, num_searches=4, num_groups=1, game_stride=8)
    advance(one, 400)
    advance(half, 400)
    wanted = {number: moves for number, moves in games(half.take_finished())}
    found = dict(games(one.take_finished()))
    assert len(wanted) > 8
    assert wanted == {number: found[number] for number in wanted}


def games(records):
    for index, positions, policies in each_game(records):
        policy = b"".join(part.tobytes() for part in policies)
        yield int(records["game_number"][index]), (records["action"][positions].tobytes(), policy)


def test_rows_of_a_batch_are_in_the_order_of_the_searches():
    play = make(num_groups=1, opening_plies=9, num_threads=2)
    observations = np.zeros((8, *SMALL.plane_shape), np.float32)
    assert play.select(0, observations) == 8
    suspended = play.suspend()
    for row, positions, _ in each_game(suspended):
        state = SMALL.state_from_moves(suspended["action"][positions].tolist())
        np.testing.assert_array_equal(observations[row], state.planes())


def test_a_cache_does_not_change_the_games_only_the_work():
    without, small, large = (make(search=SearchParams(25), cache_bytes=size) for size in (0, 4000, 1 << 20))
    played = []
    for play in (without, small, large):
        found = {}
        while len(found) < 24:
            advance(play, 50)
            found |= dict(games(play.take_finished()))
        played.append(found)
    for number in range(8):  # the first game of every search
        assert played[0][number] == played[1][number] == played[2][number]
    assert without.counters["cache_hits"] == 0
    assert large.counters["cache_hits"] > small.counters["cache_hits"] > 0


def test_clearing_the_cache_brings_every_evaluation_back_to_the_network():
    play = make(cache_bytes=1 << 20)
    advance(play, 200)
    network = HashNetwork(SMALL.num_actions)
    spoilt = HashNetwork(SMALL.num_actions)
    spoilt.evaluate = lambda planes: tuple(-part for part in network.evaluate(planes))
    before = play.counters["cache_hits"]
    play.clear_cache()
    observations = np.zeros((play.rows_per_group, *SMALL.plane_shape), np.float32)
    rows = play.select(0, observations)
    assert rows == play.rows_per_group
    assert play.counters["cache_hits"] == before
    play.backup(0, *spoilt.evaluate(observations[:rows]))


@pytest.mark.parametrize("kind", ["small", "walk_all", "fast"])
def test_suspended_games_go_on_elsewhere_byte_for_byte_as_they_do_here(kind):
    game = walk(kind) if kind == "walk_all" else SMALL
    changes = {"fast_share": 0.5, "fast_simulations": 6} if kind == "fast" else {}
    rng = np.random.default_rng(1)
    here = make(game, **changes)
    for moment in range(6):
        advance(here, int(rng.integers(0, 120)))
        if moment % 2:
            here.select(0, np.zeros((here.rows_per_group, *game.plane_shape), np.float32))
        here.take_finished()
        state = here.suspend()
        assert len(state["game_number"]) == 8
        there = make(game, num_threads=2, **changes)
        there.resume({name: array.copy() for name, array in state.items()})
        assert_same(there.suspend(), state)
        for _ in range(2):
            advance(here, 120)
            advance(there, 120)
            assert_same(here.take_finished(), there.take_finished())


def test_suspending_loses_and_repeats_no_game():
    play, numbers = make(), []
    for _ in range(6):
        advance(play, 90)
        numbers += play.take_finished()["game_number"].tolist()
        state = play.suspend()
        play = make()
        play.resume(state)
    assert len(numbers) > 16
    assert len(set(numbers)) == len(numbers)
    assert set(range(min(numbers), max(numbers) - 24)) <= set(numbers)


def test_records_of_another_game_or_collector_are_refused():
    play = make(opening_plies=0)
    advance(play, 80)
    state = play.suspend()
    assert (state["num_positions"] > 0).all()
    with pytest.raises(ValueError, match="belongs to no search"):
        make(first_game=100).resume(state)
    with pytest.raises(ValueError, match="states: axis 1 has length 16, expected 4"):
        make(TICTACTOE).resume(state)
    changed = {**state, "action": np.full_like(state["action"], 77)}
    with pytest.raises(ValueError, match="action 77 is not legal"):
        make().resume(changed)
    changed = {**state, "num_positions": state["num_positions"] + 1}
    with pytest.raises(ValueError, match="num_positions does not add up"):
        make().resume(changed)
    wider = connect_four.load(rows=4, columns=6, line=3)
    swapped = {**state, "states": state["states"][::-1].copy()}
    with pytest.raises(ValueError, match="another game"):
        make(wider).resume(swapped)


@pytest.mark.parametrize("temperature", [0.3, 1.0, 2.0])
def test_the_policy_target_is_the_share_of_visits_whatever_the_temperature(temperature):
    play = make(kept_visits=0, temperature=temperature, temperature_plies=100)
    for _, _, policies in each_game(play_positions(play, 200)):
        for policy in policies:
            if len(policy):
                visits = policy * (25 / 65535)
                np.testing.assert_allclose(visits, visits.round(), atol=1e-3)
                assert visits.round().sum() == 25


def test_temperature_zero_plays_the_most_visited_move():
    played = play_positions(make(temperature_plies=0, final_temperature=0.0), 300)
    assert all(share == highest for share, highest in chosen_shares(played))


def test_temperature_plies_count_the_opening_and_end_the_sampling():
    records = play_positions(make(temperature=50.0, temperature_plies=5, opening_plies=3), 2500)
    greedy = {True: [], False: []}
    for _, positions, policies in each_game(records):
        state = SMALL.initial_state()
        for ply, action in enumerate(records["action"][positions].tolist()):
            if len(policies[ply]):
                share = policies[ply][state.legal_actions().tolist().index(action)]
                greedy[ply < 5].append(share == policies[ply].max())
            state.apply(action)
    assert all(greedy[False])
    assert np.mean(greedy[True]) < 0.6


def chosen_shares(records):
    """Share of the visits of the move played, and the highest share, of every searched position."""
    for _, positions, policies in each_game(records):
        state = SMALL.initial_state()
        for policy, action in zip(policies, records["action"][positions].tolist(), strict=True):
            if len(policy):
                yield policy[state.legal_actions().tolist().index(action)], policy.max()
            state.apply(action)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_moves_are_drawn_by_visits_to_the_power_of_one_over_the_temperature(temperature):
    """The mean share of the move played is what these probabilities make it, within five standard errors."""
    game = LADDER.load(width=4, length=8)
    play = make(game, temperature=temperature, temperature_plies=100, opening_plies=0, cache_bytes=0)
    records = play_positions(play, 4000)
    excess, variance = 0.0, 0.0
    for _, positions, policies in each_game(records):
        for policy, action in zip(policies, records["action"][positions], strict=True):
            share = policy / policy.sum()
            chance = share ** (1 / temperature)
            chance /= chance.sum()
            excess += share[action] - (chance * share).sum()
            variance += (chance * share**2).sum() - (chance * share).sum() ** 2
    assert variance > 1
    assert abs(excess) < 5 * np.sqrt(variance)


def test_lengths_of_the_opening_are_uniform():
    game = LADDER.load(width=4, length=5)
    records = play_positions(make(game, SearchParams(1), UNIFORM, opening_plies=3), 6000)
    counts = np.bincount(records["opening_plies"], minlength=4)
    games_played = counts.sum()
    assert len(counts) == 4
    assert np.abs(counts - games_played / 4).max() < 5 * np.sqrt(games_played * 3 / 16)


def test_moves_of_the_opening_are_uniform():
    game = LADDER.load(width=4, length=5)
    records = play_positions(make(game, SearchParams(1), UNIFORM, opening_plies=4), 6000)
    counts = np.bincount(records["action"][records["num_legal"] == 0], minlength=4)
    assert np.abs(counts - counts.sum() / 4).max() < 5 * np.sqrt(counts.sum() * 3 / 16)


def test_an_opening_never_ends_a_game_however_long_it_may_be():
    records = play_positions(make(TICTACTOE, SearchParams(2), UNIFORM, opening_plies=20), 500)
    searched = records["num_positions"] - records["opening_plies"]
    assert (searched >= 1).all()
    assert (searched == 1).any()  # some were stopped at the last moment


def test_noise_makes_games_differ_and_its_absence_lets_them_repeat():
    def lines(noise):
        search = SearchParams(num_simulations=25, noise_fraction=noise, dirichlet_alpha=0.5)
        play = make(search=search, opening_plies=0, temperature_plies=0, cache_bytes=0)
        advance(play, 600)
        return {moves for _, moves in games(play.take_finished())}

    assert len(lines(0.0)) == 1
    assert len(lines(0.25)) > 8


def test_the_share_of_fast_searches_takes_few_simulations_and_leaves_no_target():
    changes = {"kept_visits": 0, "cache_bytes": 0, "fast_share": 0.75, "fast_simulations": 5}
    play = make(evaluator=UNIFORM, **changes)
    records = play_positions(play, 1500)
    targets = int(np.count_nonzero(records["num_legal"]))
    searched = int((records["num_positions"] - records["opening_plies"]).sum())
    assert targets / searched == pytest.approx(0.25, abs=0.03)
    assert targets >= 1500
    full_and_fast = targets * 25 + (searched - targets) * 5
    assert play.counters["simulations"] == pytest.approx(full_and_fast, rel=0.1)  # games under way count, too


def test_fast_searches_have_no_noise():
    """With all but every thousandth search fast, games of one opening repeat."""

    def num_lines(fast_share):
        play = make(
            opening_plies=0,
            temperature_plies=0,
            cache_bytes=0,
            fast_share=fast_share,
            fast_simulations=20,
            num_searches=16,
        )
        advance(play, 600)
        return len({moves for _, moves in games(play.take_finished())})

    assert num_lines(0.999) <= 2 < 8 < num_lines(0.0)


@pytest.mark.parametrize("fast_simulations", [0, 26])
def test_a_fast_search_of_more_simulations_than_a_full_one_is_refused(fast_simulations):
    with pytest.raises(ValueError, match="fast_simulations must be from 1 to num_simulations"):
        make(fast_share=0.5, fast_simulations=fast_simulations)


def test_arrays_of_another_shape_are_refused():
    play = make()
    with pytest.raises(ValueError, match="observations: axis 0 has length 3, expected at least 4"):
        play.select(0, np.zeros((3, *SMALL.plane_shape), np.float32))
    with pytest.raises(ValueError, match="observations: axis 2 has length 5, expected 4"):
        play.select(0, np.zeros((4, 2, 5, 4), np.float32))
    with pytest.raises(IndexError, match="group"):
        play.select(2, np.zeros((4, *SMALL.plane_shape), np.float32))
    with pytest.raises(TypeError):
        play.select(0, np.zeros((4, *SMALL.plane_shape), np.float64))


def test_records_are_not_written_into_a_converted_copy():
    play = make()
    advance(play, 50)
    records = play.core.suspend(SMALL.core)
    arrays = play.suspend()
    with pytest.raises(TypeError):
        records.write({**arrays, "action": arrays["action"].astype(np.int64)})
    with pytest.raises(ValueError, match="action: axis 0"):
        records.write({**arrays, "action": np.zeros(len(arrays["action"]) + 1, np.int32)})
    del arrays["outcome"]
    with pytest.raises(KeyError, match="no array named outcome"):
        records.write(arrays)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("place", ["logits", "values"])
def test_an_evaluation_that_is_not_finite_is_refused_with_its_game_and_what_to_do(bad, place):
    play = make(opening_plies=0, kept_visits=0)
    advance(play, 3)
    observations = np.zeros((4, *SMALL.plane_shape), np.float32)
    rows = play.select(1, observations)
    evaluation = dict(zip(("logits", "values"), HashNetwork(5).evaluate(observations[:rows]), strict=True))
    evaluation[place][2] = bad
    with pytest.raises(DivergedError, match=r"^game 6, move 1: .* row 2 is not finite: .*(nan|inf).*learning rate"):
        play.backup(1, **evaluation)
    assert play.select(1, observations) == rows  # the others went on, and that one asks again


def test_anything_may_stand_at_illegal_actions():
    play = make(TICTACTOE)
    observations = np.zeros((4, *TICTACTOE.plane_shape), np.float32)
    while play.finished_positions < 100:
        rows = play.select(0, observations)
        logits, values = HashNetwork(9).evaluate(observations[:rows])
        logits[observations[:rows, :2].any(axis=1).reshape(rows, 9)] = np.nan  # taken cells
        play.backup(0, logits, values)


def test_an_exception_of_the_rules_reaches_python():
    game = GameDefinition("thrower", GAMES / "thrower.hpp").load()
    with pytest.raises(GameError, match="refuse is 1"):
        GameDefinition("thrower", GAMES / "thrower.hpp").load(refuse=1)
    play = make(game, evaluator=UNIFORM, num_threads=2, opening_plies=0)
    with pytest.raises(RuntimeError, match="thrown by the rules"):
        play.select(0, np.zeros((4, 1, 1, 1), np.float32))


def test_the_surprise_is_the_divergence_of_the_target_from_the_priors_without_noise():
    network = HashNetwork(SMALL.num_actions)
    records = play_positions(make(kept_visits=0, fast_share=0.5, fast_simulations=5), 60)
    for _, positions, policies in each_game(records):
        state = SMALL.initial_state()
        for ply, action in enumerate(records["action"][positions]):
            found = records["surprise"][positions][ply]
            if len(policies[ply]) == 0:
                assert found == 0
            else:
                prior = analyse(SMALL, [state], network, SearchParams(0), seed=0).priors[0][state.legal_actions()]
                target = policies[ply] / policies[ply].sum()
                some = target > 0
                assert found == pytest.approx((target[some] * np.log(target[some] / prior[some])).sum(), abs=1e-3)
            state.apply(int(action))


class Certain(HashNetwork):
    """Priors far apart: shaped noise is even where all are above 1 %."""

    def evaluate(self, observations):
        logits, values = super().evaluate(observations)
        return 5 * logits, values


@pytest.mark.parametrize("changes", [{"forced_playouts": 2.0}, {"root_temperature": 1.5}, {"shaped_noise": True}])
def test_exploration_at_the_root_changes_full_searches_and_leaves_fast_ones_alone(changes):
    def moves(search, fast_share):
        play = make(search=search, fast_share=fast_share, fast_simulations=25)
        advance(play, 400, Certain(SMALL.num_actions))
        return play.take_finished()["action"].tolist()

    explored = replace(SEARCH, **changes)
    assert moves(explored, 1.0) == moves(SEARCH, 1.0) != []
    assert moves(explored, 0.0) != moves(SEARCH, 0.0)
