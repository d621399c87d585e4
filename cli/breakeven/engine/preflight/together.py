"""Several questions to a cluster at the same time, and an end to waiting."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from typing import Final, TypeVar

from breakeven.engine.cluster import AT_ONCE, Cluster
from breakeven.errors import ClusterError

_PATIENCE_S: Final = 45

T = TypeVar("T")


def together(cluster: Cluster, questions: Sequence[Callable[[], T]]) -> list[T]:
    """The answers in their order. Raises the first error, or ClusterError when it takes too long for all."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        asked = [pool.submit(question) for question in questions]
        done, late = wait(asked, timeout=_PATIENCE_S, return_when=FIRST_EXCEPTION)
        pool.shutdown(wait=False, cancel_futures=True)
        for answer in done:
            answer.result()
        if late:
            answered = f"{len(done)} of {len(asked)} questions in {_PATIENCE_S} s"
            raise ClusterError(f"{cluster.target.server} is too slow: it answered {answered}", hint="try again later")
    return [answer.result() for answer in asked]
