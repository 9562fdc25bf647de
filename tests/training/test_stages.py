"""Where the time goes: what hosts measure, and the shares that are made of it."""

import time

import pytest

from rlplat.interfaces import Collected, Demand, Progress, Summary
from rlplat.training.hosts import CollectorHost, LearnerHost, Report
from rlplat.training.stages import Stages


def call(collector, version=1, **stages):
    return Summary(1, 1, version, 1.0, stages=stages, collector=collector)


def turn(seconds, **stages):
    return Report(Progress(0, 0, 0, 1, 0), Demand(1), 1, {}, seconds, stages=stages)


class Sleeper:
    """A collector and a learner whose work is sleeping."""

    def set_weights(self, version, weights):
        time.sleep(0.02)

    def collect(self, demand):
        time.sleep(0.03)
        return Collected({}, Summary(1, 1, 1, 0.03))

    def demand(self):
        return Demand(1)

    def ingest(self, arrays, summary):
        time.sleep(0.01)

    def update(self, max_updates):
        time.sleep(0.05)
        return {"loss/total": 1.0, "timing/draw": 0.01}

    def progress(self):
        self.updates = getattr(self, "updates", -2) + 2  # asked for before and after the updates
        return Progress(self.updates, 0, 0, 1, 0)

    def publish(self):
        time.sleep(0.04)
        return {}

    def publish_due(self):
        return True


def test_a_collectors_host_adds_the_transport_of_weights_and_the_wait_between_calls():
    host = CollectorHost(Sleeper(), 3)
    first = host.collect(Demand(1), 1, {}, fetch_s=0.5).summary
    assert first.collector == 3
    assert first.stages == {"collect": 0.03, "transport": pytest.approx(0.52, abs=0.015), "wait": 0.0}
    time.sleep(0.1)
    second = host.collect(Demand(1), 1, None, fetch_s=0.04).summary
    assert second.stages["transport"] == pytest.approx(0.04, abs=0.01)
    assert second.stages["wait"] == pytest.approx(0.06, abs=0.02)


def test_a_learners_host_tells_its_stages_apart_and_takes_them_out_of_the_metrics():
    report = LearnerHost(Sleeper()).turn([({}, Summary(1, 1, 1, 1.0))], 5)
    assert report.num_updates == 2 and report.metrics == {"loss/total": 1.0}
    assert report.stages["draw"] == 0.02
    assert report.stages["ingest"] >= 0.01 and report.stages["publish"] >= 0.04 and report.stages["learn"] >= 0.03
    assert sum(report.stages.values()) == pytest.approx(report.seconds)


def test_shares_are_of_all_collectors_together_and_of_each():
    stages = Stages()
    stages.add_call(call(0, version=4, search=1.0, wait=1.0), newest_version=5)
    stages.add_call(call(0, version=5, search=2.0, wait=0.0), newest_version=5)
    stages.add_call(call(1, version=2, search=1.0, inference=3.0, wait=0.0), newest_version=5)
    stages.add_elapsed(4.0, None)
    metrics = stages.metrics()
    assert metrics["timing/collectors/search"] == 0.5
    assert metrics["timing/collectors/inference"] == 0.375
    assert (metrics["timing/collectors/search/0"], metrics["timing/collectors/search/1"]) == (0.75, 0.25)
    assert (metrics["timing/collectors/inference/0"], metrics["timing/collectors/wait/1"]) == (0.0, 0.0)
    assert metrics["self_play/policy_lag"] == pytest.approx(4 / 3)
    assert (metrics["self_play/policy_lag/0"], metrics["self_play/policy_lag/1"]) == (0.5, 3.0)
    assert "timing/driver" not in metrics


def test_one_collector_is_not_written_twice():
    stages = Stages()
    stages.add_call(call(0, search=1.0), newest_version=1)
    assert set(stages.metrics()) == {"timing/collectors/search", "self_play/policy_lag", "timing/learner/wait"}


def test_of_many_collectors_the_ends_and_the_middle_are_written():
    stages = Stages()
    for index, search_s in enumerate((0.1, 0.2, 0.3, 0.4, 0.9)):
        stages.add_call(call(index, version=index, search=search_s, wait=1.0 - search_s), newest_version=4)
    metrics = stages.metrics()
    ends = [metrics[f"timing/collectors/search/{end}"] for end in ("lowest", "median", "highest")]
    assert ends == pytest.approx([0.1, 0.3, 0.9])
    assert [metrics[f"self_play/policy_lag/{end}"] for end in ("lowest", "median", "highest")] == [0, 2, 4]
    assert "timing/collectors/search/0" not in metrics


def test_the_learners_shares_are_of_the_interval_and_what_is_left_is_waiting():
    stages = Stages()
    stages.add_turn(turn(3.0, learn=2.0, draw=1.0), seconds=3.5)
    stages.add_save(0.5)
    stages.add_elapsed(10.0, 0.25)
    metrics = stages.metrics()
    assert metrics == {
        "timing/learner/learn": 0.2,
        "timing/learner/draw": 0.1,
        "timing/learner/transport": 0.05,
        "timing/learner/save": 0.05,
        "timing/learner/wait": pytest.approx(0.6),
        "timing/driver": 0.025,
    }


def test_intervals_add_up():
    parts = []
    for learn_s, elapsed_s in ((1.0, 2.0), (1.0, 8.0)):
        stages = Stages()
        stages.add_turn(turn(learn_s, learn=learn_s), seconds=learn_s)
        stages.add_call(call(0, version=1, search=learn_s, wait=1.0), newest_version=2)
        stages.add_elapsed(elapsed_s, 0.1)
        parts.append(stages)
    metrics = Stages.total(parts).metrics()
    assert metrics["timing/learner/learn"] == 0.2
    assert metrics["timing/driver"] == 0.02
    assert metrics["timing/collectors/search"] == 0.5
    assert metrics["self_play/policy_lag"] == 1.0
    assert Stages.total(parts[:1]).metrics() == parts[0].metrics()
