"""Plans of re-spacing: what is harvested, moved and planted, and where to."""

import numpy as np
import pytest

from envs.farm.spacing.lattice import Lattice
from envs.farm.spacing.respacing import Respacing, overlap_m2

LATTICE = Lattice(10, 20)
HARVEST = NURSERY = 200


def plan(rooms_m2, *, num_operations=30, ready=(), movable=True, num_new=0, new_room_m2=0.01):
    """Plan for benches of `{slot: room}`; return one list of (from, to) a bench."""
    room = np.zeros((len(rooms_m2), 200))
    for house, bench in enumerate(rooms_m2):
        for slot, room_m2 in bench.items():
            room[house, slot] = room_m2
    is_ready = np.zeros(room.shape, dtype=bool)
    is_ready[0, list(ready)] = True
    operations = Respacing(LATTICE, num_operations).plan(
        room,
        ready=is_ready,
        movable=np.full(room.shape, movable),
        num_new=np.broadcast_to(num_new, len(room)).astype(np.intp),
        new_room_m2=new_room_m2,
    )
    return [[tuple(one) for one in bench.tolist() if one[0] <= NURSERY] for bench in operations]


def test_discs_share_a_lens():
    """Two discs of radius 1 at distance 1 share 2 pi / 3 - sqrt(3) / 2."""
    assert overlap_m2(1.0, 1.0, 1.0) == pytest.approx(2 * np.pi / 3 - np.sqrt(3) / 2)
    assert overlap_m2(1.0, 1.0, 2.0) == 0 and overlap_m2(1.0, 0.5, 0.4) == pytest.approx(np.pi / 4)
    assert overlap_m2(1.0, 1.0, 0.0) == pytest.approx(np.pi)
    assert overlap_m2(0.3, 0.7, 0.6) == pytest.approx(overlap_m2(0.7, 0.3, 0.6))


def test_a_crowded_plant_moves_to_where_it_crowds_nobody_and_one_with_room_stays():
    moves = plan([{0: 0.04, 1: 0.04, 110: 0.04}])[0]
    assert len(moves) == 1 and moves[0][0] in (0, 1)
    stays = ({0, 1} - {moves[0][0]}).pop()
    distance_m = [LATTICE.distance_m[LATTICE.shift[moves[0][1], other]] for other in (stays, 110)]
    assert min(distance_m) >= 2 * np.sqrt(0.04 / np.pi)


def test_what_may_not_be_moved_stays():
    assert plan([{0: 0.04, 1: 0.04}], movable=False) == [[]]


def test_ready_heads_are_harvested_first_and_their_room_is_free():
    operations = plan([{0: 0.04, 1: 0.04}], ready=[0], num_new=1, new_room_m2=0.01)[0]
    assert operations[0] == (0, HARVEST) and len(operations) == 2
    assert operations[1][0] == NURSERY, "plant 1 has room now and stays"


def test_seedlings_fill_empty_slots_only_until_none_is_left():
    bench = {slot: 0.01 for slot in range(195)}
    operations = plan([bench], num_new=10)[0]
    assert sorted(target for _, target in operations) == [195, 196, 197, 198, 199]


def test_the_robot_does_no_more_than_it_can_and_planting_has_its_share():
    crowd = {slot: 0.25 for slot in range(40)}
    operations = plan([crowd], num_operations=8, ready=range(3), num_new=2)[0]
    assert len(operations) == 8
    assert operations[:3] == [(0, HARVEST), (1, HARVEST), (2, HARVEST)]
    assert [source for source, _ in operations[-2:]] == [NURSERY, NURSERY]


def test_fifty_plants_of_a_fiftieth_of_the_bench_come_close_to_a_square_lattice():
    targets = [target for _, target in plan([{}], num_operations=60, num_new=50, new_room_m2=0.04)[0]]
    radius_m = np.sqrt(0.04 / np.pi)
    distance_m = LATTICE.distance_m[LATTICE.shift[np.ix_(targets, targets)]]
    shared = overlap_m2(radius_m, radius_m, distance_m)[~np.eye(50, dtype=bool)].sum() / 50
    square = sum(overlap_m2(radius_m, radius_m, d) for d in (0.2, 0.2, 0.2, 0.2))
    random = np.random.default_rng(0).choice(200, 50, replace=False)
    distance_m = LATTICE.distance_m[LATTICE.shift[np.ix_(random, random)]]
    by_chance = overlap_m2(radius_m, radius_m, distance_m)[~np.eye(50, dtype=bool)].sum() / 50
    assert square <= shared < 0.5 * by_chance


def test_benches_are_planned_apart():
    benches = [{0: 0.04, 1: 0.04}, {}, {5: 0.1, 6: 0.02, 30: 0.09}]
    assert plan(benches, num_new=3) == [plan([bench], num_new=3)[0] for bench in benches]
