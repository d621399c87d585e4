"""Fitting the calibration to rows: least squares on logarithms, each constant held by its first guess.

Maximum a posteriori with log-normal priors and a robust loss, by Levenberg-Marquardt with numeric derivatives; no
dependency. A prior's width is how far its source would let it be from the truth.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import copysign, exp, log, sqrt
from typing import Final

from bench.throughput_rows import Row
from bench.throughput_run import predict

from breakeven.core.calibration import Calibration

# First guess, and its standard deviation on the logarithmic scale; core/calibration.py says where each is from.
PRIORS: Final[dict[str, tuple[float, float]]] = {
    "bandwidth_share": (0.85, 0.10),
    "kv_bandwidth_share": (0.75, 0.15),
    "matmul_share": (0.85, 0.12),
    "attention_share": (0.55, 0.25),
    "activation_traffic": (1.0, 0.35),
    "nvlink_share": (0.70, 0.20),
    "pcie_share": (0.65, 0.20),
    "all_reduce_s": (12e-6, 0.30),
    "layer_s": (20e-6, 0.30),
    "expert_layer_s": (25e-6, 0.35),
    "expert_matmul_share": (0.75, 0.20),
    "expert_bandwidth_share": (0.85, 0.12),
    "expert_tile_rows": (48.0, 0.40),
    "unpack_share": (0.65, 0.20),
    "step_s": (1.0e-3, 0.50),
    "sequence_s": (8e-6, 0.60),
    "roofline_power": (3.0, 0.30),
    "request_s": (25e-3, 0.40),
    "prompt_token_s": (3e-6, 0.50),
}
# What a row's figure may be off for reasons of its own, on the logarithmic scale; TTFT varies more.
_RATE_SIGMA: Final = 0.15
_TTFT_SIGMA: Final = 0.40
# Rows of one family share their errors: a large family counts as this many.
_FAMILY_ROWS: Final = 60
_FAMILY_TTFTS: Final = 20
_ROUNDS: Final = 12
_STEP: Final = 1e-4

Residuals = Callable[[Sequence[float]], list[float]]


@dataclass(frozen=True, slots=True)
class _Weight:
    rate: float
    ttft: float


def guess() -> Calibration:
    """The first guesses, with no row seen."""
    return _calibration([log(value) for value, _ in PRIORS.values()])


def fit(rows: Sequence[Row]) -> Calibration:
    """The constants that these rows and the priors agree on."""
    counts = Counter(row.family for row in rows)
    weights = {
        family: _Weight(rate=min(1.0, sqrt(_FAMILY_ROWS / n)), ttft=min(1.0, sqrt(_FAMILY_TTFTS / n)))
        for family, n in counts.items()
    }

    def residuals(point: Sequence[float]) -> list[float]:
        k = _calibration(point)
        found = [error for row in rows for error in _errors(row, k, weights[row.family])]
        return found + [(at - log(value)) / sigma for at, (value, sigma) in zip(point, PRIORS.values(), strict=True)]

    return _calibration(_minimise(residuals, [log(value) for value, _ in PRIORS.values()]))


def _calibration(point: Sequence[float]) -> Calibration:
    return Calibration(**{name: exp(at) for name, at in zip(PRIORS, point, strict=True)})


def _errors(row: Row, k: Calibration, weight: _Weight) -> list[float]:
    found = predict(row, k)
    errors = [_robust(log(found.requests_per_second / row.requests_per_second) / _RATE_SIGMA) * weight.rate]
    if found.ttft_ms and row.ttft_ms:
        errors.append(_robust(log(found.ttft_ms / row.ttft_ms) / _TTFT_SIGMA) * weight.ttft)
    return errors


def _robust(error: float) -> float:
    """Square root of 2 (√(1 + e²) − 1): quadratic for small errors, linear for outliers."""
    return copysign(sqrt(2 * (sqrt(1 + error * error) - 1)), error)


def _minimise(residuals: Residuals, start: list[float]) -> list[float]:
    """Levenberg-Marquardt: the damping falls with each success and rises with each failure."""
    point, damping = start, 1e-2
    errors = residuals(point)
    for _ in range(_ROUNDS):
        normal, gradient = _normal_equations(residuals, point, errors)
        for _ in range(4):
            damped = [[a * (1 + damping) if i == j else a for j, a in enumerate(line)] for i, line in enumerate(normal)]
            moved = [at - move for at, move in zip(point, _solve(damped, gradient), strict=True)]
            tried = residuals(moved)
            if _square(tried) < _square(errors):
                point, errors, damping = moved, tried, damping / 5
                break
            damping *= 5
    return point


def _square(errors: Sequence[float]) -> float:
    return sum(error * error for error in errors)


def _normal_equations(
    residuals: Residuals, point: Sequence[float], errors: Sequence[float]
) -> tuple[list[list[float]], list[float]]:
    columns = []
    for i in range(len(point)):
        moved = [at + _STEP if i == j else at for j, at in enumerate(point)]
        columns.append([(new - old) / _STEP for new, old in zip(residuals(moved), errors, strict=True)])
    normal = [[sum(x * y for x, y in zip(a, b, strict=True)) for b in columns] for a in columns]
    return normal, [sum(x * error for x, error in zip(column, errors, strict=True)) for column in columns]


def _solve(matrix: list[list[float]], right: list[float]) -> list[float]:
    """Gauss-Jordan; the priors make the matrix positive definite, so that no pivot is zero."""
    size = len(right)
    lines = [[*line, value] for line, value in zip(matrix, right, strict=True)]
    for i in range(size):
        pivot = lines[i][i]
        lines[i] = [value / pivot for value in lines[i]]
        for j in range(size):
            if j != i:
                factor = lines[j][i]
                lines[j] = [a - factor * b for a, b in zip(lines[j], lines[i], strict=True)]
    return [line[-1] for line in lines]
