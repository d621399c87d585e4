"""The traffic that is asked for, in one line."""

from __future__ import annotations

from breakeven.core.workload import Workload


def of(workload: Workload) -> str:
    """`1,000,000 requests a month of 500 input and 200 output tokens`."""
    shape = f"{workload.input_tokens:,} input and {workload.output_tokens:,} output tokens"
    return f"{workload.requests_per_month:,} requests a month of {shape}"


def with_mean(workload: Workload) -> str:
    """And how much of it a second. What rounds to nothing is not called 0."""
    mean = workload.mean_requests_per_second
    rate = "under 0.01" if mean < 0.01 else f"{mean:,.2f}"
    return f"{of(workload)}; {rate} requests/s on average"
