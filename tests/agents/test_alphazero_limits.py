import pytest

from agents.alphazero.limits import limit, shares

REMEDIES = {"search": "lower simulations", "inference": "take a smaller network", "calls": "raise positions"}


def test_shares_of_the_time_add_up_and_what_no_stage_takes_is_python():
    stages = {"inference": 5.0, "search": 2.0, "encoding": 1.0, "records": 1.5}
    assert shares(stages, processor_s=10.0, elapsed_s=10.0) == pytest.approx(
        {"network": 50.0, "tree": 20.0, "encoding": 10.0, "python": 20.0, "waiting": 0.0}
    )


def test_time_without_a_core_is_taken_off_all_parts_alike():
    stages = {"inference": 5.0, "search": 2.0, "encoding": 1.0, "records": 2.0}
    found = shares(stages, processor_s=6.0, elapsed_s=10.0)
    assert found == pytest.approx({"network": 30.0, "tree": 12.0, "encoding": 6.0, "python": 12.0, "waiting": 40.0})


def test_clocks_that_disagree_by_their_ticks_leave_no_negative_waiting():
    found = shares({"inference": 1.0, "search": 0.0, "encoding": 0.0, "records": 0.0}, 1.001, 1.0)
    assert found["waiting"] == 0.0
    assert sum(found.values()) == pytest.approx(100.0)


@pytest.mark.parametrize(
    "largest, sentence",
    [
        (
            "network",
            "the network takes 60 % of the time: that is the limit; take a smaller network, or add cores for more "
            "collectors",
        ),
        (
            "encoding",
            "writing positions down for the network takes 60 % of the time: that is the limit; add cores for more "
            "collectors",
        ),
        (
            "waiting",
            "collectors wait for a core, which other programs or another collector's Python have, 60 % of the time: "
            "that is the limit; end other programs, or play with fewer collectors",
        ),
    ],
)
def test_one_sentence_names_the_largest_part_and_what_to_change(largest, sentence):
    percent = dict.fromkeys(("network", "tree", "encoding", "python", "waiting"), 10.0) | {largest: 60.0}
    assert limit(percent, REMEDIES) == sentence
