"""The advice names what limits a run, from the shares of time of its stages."""

import pytest

from rlplat.interfaces import Summary
from rlplat.training.advice import Advisor, advise
from rlplat.training.stages import Stages

REMEDIES = {
    "search": "lower agent.simulations",
    "inference": "take a smaller network",
    "learn": "lower agent.samples",
    "draw": "draw less",
    "transport": "publish less",
    "calls": "raise agent.amount",
}


def advice(*, takes_turns=False, remedies=REMEDIES, evaluation=0.0, driver=0.0, **shares):
    timing = {f"timing/{name.replace('__', '/')}": value for name, value in shares.items()}
    timing |= {"timing/evaluation": evaluation, "timing/driver": driver}
    return advise(timing, remedies, takes_turns=takes_turns)


BUSY_COLLECTORS = {"collectors__inference": 0.96, "collectors__search": 0.04, "collectors__wait": 0.0}
BUSY_LEARNER = {"learner__learn": 0.9, "learner__draw": 0.1, "learner__wait": 0.0}


def test_collectors_that_wait_make_the_learner_the_limit():
    found = advice(
        collectors__inference=0.5, collectors__search=0.1, collectors__wait=0.4, learner__learn=0.8, learner__wait=0.05
    )
    assert found.limit == "learner"
    assert found.sentence == (
        "collectors wait for the learner 40 % of the time: it is the limit (updating the network takes 80 % of its "
        "time); lower agent.samples, or give it more threads (placement.learner_threads)"
    )


def test_the_learners_largest_stage_decides_what_to_change():
    found = advice(collectors__inference=0.6, collectors__wait=0.4, learner__learn=0.3, learner__draw=0.6)
    assert "(drawing of batches takes 60 % of its time); draw less, or" in found.sentence


def test_a_learner_that_waits_makes_the_collectors_the_limit_and_their_largest_stage_decides():
    found = advice(**BUSY_COLLECTORS, learner__learn=0.4, learner__wait=0.6)
    assert found.limit == "collectors"
    assert found.sentence == (
        "the learner waits for data 60 % of the time: the collectors are the limit, where the network takes 96 %; "
        "take a smaller network, or add cores for more collectors"
    )
    searching = advice(collectors__search=0.7, collectors__inference=0.3, learner__learn=0.4, learner__wait=0.6)
    assert "the tree search takes 70 %; lower agent.simulations, or" in searching.sentence


def test_an_agent_with_stages_and_no_remedies_of_its_own_still_gets_a_sentence():
    found = advice(remedies={}, collectors__physics=1.0, learner__learn=0.4, learner__wait=0.6)
    assert "physics takes 100 %; add cores for more collectors" in found.sentence


def test_collectors_whose_calls_do_not_end_wait_if_the_learner_works_and_are_the_limit_if_it_waits():
    idle = advice(**BUSY_LEARNER)
    assert idle.limit == "learner" and "collectors wait for the learner 100 % of the time" in idle.sentence
    slow = advice(learner__learn=0.1, learner__wait=0.9)
    assert slow.limit == "collectors" and "no call has ended for long; add cores" in slow.sentence
    assert advice(**BUSY_LEARNER, takes_turns=True).limit == "learner"


def test_when_both_wait_the_limit_lies_between_them():
    found = advice(collectors__inference=0.6, collectors__wait=0.4, learner__learn=0.5, learner__wait=0.5)
    assert found.limit == "transport"
    assert found.sentence == (
        "collectors wait 40 % of the time and the learner waits 50 %: what goes on between them is the limit; "
        "raise agent.amount"
    )


def test_fetching_of_weights_is_noticed():
    found = advice(collectors__inference=0.8, collectors__transport=0.2, learner__learn=0.5, learner__wait=0.5)
    assert (found.limit, found.sentence) == (
        "weights",
        "collectors spend 20 % of the time on fetching weights; publish less, or publish less often",
    )


def test_a_busy_driver_is_noticed_first_of_all_but_evaluations():
    found = advice(**BUSY_COLLECTORS, **BUSY_LEARNER, driver=0.6)
    assert (found.limit, found.sentence) == ("driver", "the driver takes 60 % of a core; raise agent.amount")
    found = advice(**BUSY_COLLECTORS, **BUSY_LEARNER, driver=0.6, evaluation=0.7)
    assert found.limit == "evaluation"
    assert found.sentence == (
        "evaluations are under way 70 % of the time, on cores that the collectors could use; raise evaluation.every, "
        "or lower evaluation.num_games"
    )


def test_a_run_in_which_nothing_waits_is_balanced():
    found = advice(**BUSY_COLLECTORS, learner__learn=0.9, learner__wait=0.1)
    assert found.limit == "none"
    assert (
        "nothing waits for long (collectors 0 % of the time, the learner 10 %): the run is balanced" in found.sentence
    )


@pytest.mark.parametrize(
    ("shares", "limit", "change"),
    [
        (
            {"collectors__inference": 0.4, "collectors__search": 0.1, "collectors__wait": 0.5, "learner__learn": 0.3},
            "collectors",
            "collecting takes 50 % of the time, learning 30 %, evaluations 0 %; in collecting the network takes 80 %; "
            "take a smaller network, or let",
        ),
        (
            {"collectors__inference": 0.2, "collectors__wait": 0.8, "learner__learn": 0.7},
            "learner",
            "lower agent.samples",
        ),
        (
            {"collectors__search": 0.2, "collectors__wait": 0.8, "learner__learn": 0.2, "evaluation": 0.6},
            "evaluation",
            "evaluations 60 %; raise evaluation.every, or lower evaluation.num_games, or let",
        ),
    ],
)
def test_where_parts_take_turns_the_one_that_works_longest_is_the_limit(shares, limit, change):
    found = advice(takes_turns=True, **shares)
    assert found.limit == limit
    assert change in found.sentence and found.sentence.endswith("(placement.mode=ray)")


def test_waiting_of_single_collectors_does_not_count_twice():
    shares = {**BUSY_COLLECTORS, "collectors__inference__0": 1.0, "collectors__wait__1": 0.9}
    assert advice(**shares, learner__wait=0.6).limit == "collectors"


def test_an_advisor_keeps_its_sentence_until_the_limit_changes_or_it_is_asked_to_renew():
    def interval(search_s, wait_s):
        stages = Stages()
        stages.add_call(Summary(1, 1, 1, 1.0, stages={"search": search_s, "wait": wait_s}), 1)
        stages.add_elapsed(1.0, 0.0)
        return stages

    advisor = Advisor({}, takes_turns=True)
    assert advisor.sentence == ""
    assert advisor.add(interval(1.0, 0.0), 0.0)
    first = advisor.sentence
    assert "collecting takes 100 %" in first
    assert not advisor.add(interval(0.8, 0.2), 0.0) and advisor.sentence == first
    assert advisor.add(interval(0.8, 0.2), 0.0, renew=True) and "collecting takes 87 %" in advisor.sentence
    assert advisor.add(interval(0.0, 1.0), 0.9) and "raise evaluation.every" in advisor.sentence
    for _ in range(20):  # what is long past no longer counts
        advisor.add(interval(0.5, 0.5), 0.0, renew=True)
    assert "collecting takes 50 %" in advisor.sentence
