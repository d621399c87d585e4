"""When a rollout counts as failed: what lasts, what comes again, and what is excused."""

from __future__ import annotations

import pytest

from breakeven.core.outcome import PATIENCE_S, Failure, Judge, Look, describe, explain, serving
from breakeven.core.pod_state import Kind, PodState, Trouble


def pod(kind: Kind | None, name: str = "p", *, restarts: int = 0, leaving: bool = False) -> PodState:
    trouble = Trouble(kind=kind, reason="Reason", message="why", restarts=restarts) if kind else None
    return PodState(name=name, node="n", ready=kind is None, leaving=leaving, revision="r", trouble=trouble)


def look(*pods: PodState, refusal: str = "", scaling: bool = False, leaving: bool = False) -> Look:
    return Look(pods=pods, refusal=refusal, scaling=scaling, leaving=leaving)


@pytest.mark.parametrize("kind", ["unplaced", "image", "configuration"])
def test_what_lasts_is_final(kind: Kind) -> None:
    judge = Judge()
    assert judge.failure(look(pod(kind)), 100.0) is None
    assert judge.failure(look(pod(kind)), 99.9 + PATIENCE_S[kind]) is None
    failure = judge.failure(look(pod(kind)), 100.0 + PATIENCE_S[kind])
    assert failure
    assert failure.pod == "p"


def test_what_passes_and_comes_back_is_given_its_time_again() -> None:
    judge = Judge()
    judge.failure(look(pod("image")), 0)
    judge.failure(look(pod("starting")), 20)
    assert judge.failure(look(pod("image")), 31) is None
    assert judge.failure(look(pod("image")), 61)


def test_another_pod_with_the_same_trouble_has_its_own_time() -> None:
    judge = Judge()
    judge.failure(look(pod("image", "a")), 0)
    assert judge.failure(look(pod("image", "b")), 40) is None


@pytest.mark.parametrize("kind", ["starting", "failed"])
def test_a_slow_start_and_an_evicted_pod_are_never_final(kind: Kind) -> None:
    judge = Judge()
    assert judge.failure(look(pod(kind)), 0) is None
    assert judge.failure(look(pod(kind)), 1e6) is None


def test_a_second_crash_is_final_when_it_happens_under_our_eyes() -> None:
    judge = Judge()
    assert judge.failure(look(pod("crash", restarts=1)), 0) is None
    assert judge.failure(look(pod("crash", restarts=2)), 5) is not None


def test_crashes_of_before_count_only_when_there_is_another() -> None:
    judge = Judge()
    assert judge.failure(look(pod("crash", restarts=7)), 0) is None
    assert judge.failure(look(pod("crash", restarts=7)), 1e6) is None
    assert judge.failure(look(pod("crash", restarts=8)), 1e6) is not None


@pytest.mark.parametrize("excuse", ["scaling", "leaving"])
def test_a_pod_without_a_place_waits_for_a_node_or_for_others_to_leave(excuse: str) -> None:
    judge = Judge()
    excused = look(pod("unplaced"), scaling=excuse == "scaling", leaving=excuse == "leaving")
    judge.failure(excused, 0)
    assert judge.failure(excused, 1000) is None
    # Its time begins when the excuse ends.
    assert judge.failure(look(pod("unplaced")), 1001) is None
    assert judge.failure(look(pod("unplaced")), 1001 + PATIENCE_S["unplaced"])


def test_a_cluster_that_makes_no_pods() -> None:
    judge = Judge()
    assert judge.failure(look(refusal="exceeded quota"), 0) is None
    failure = judge.failure(look(refusal="exceeded quota"), 20)
    assert failure
    assert explain(failure, ready=0, wanted=1) == (
        "the rollout failed: the cluster refuses its pods\n"
        "  pods: exceeded quota\n"
        "none of 1 replica is ready: nothing serves now"
    )


def test_pods_that_leave_are_no_ones_trouble() -> None:
    judge = Judge()
    judge.failure(look(pod("image", leaving=True)), 0)
    assert judge.failure(look(pod("image", leaving=True)), 1000) is None


def test_the_commonest_trouble_is_told() -> None:
    failure = describe(look(pod("image", "a"), pod("crash", "b"), pod("crash", "c"), pod(None, "d")))
    assert failure.what == "2 of 4 pods crash again and again"
    assert failure.pod == "b"
    assert describe(look()) == Failure(what="its pods did not become ready in time")


def test_the_explanation_has_the_log() -> None:
    trouble = Trouble(kind="crash", reason="CrashLoopBackOff", message="exit code 1")
    failure = Failure(what="1 of 1 pod crashes again and again", pod="p", trouble=trouble, log=("one", "two"))
    assert explain(failure, ready=2, wanted=3).splitlines() == [
        "the rollout failed: 1 of 1 pod crashes again and again",
        "  p: CrashLoopBackOff: exit code 1",
        "  last lines of its log:",
        "    one",
        "    two",
        "2 of 3 replicas are ready and go on serving",
    ]
    assert serving(1, 2) == "1 of 2 replicas is ready and goes on serving"
