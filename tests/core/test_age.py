from __future__ import annotations

from datetime import date, timedelta

import pytest

from breakeven.core.age import age_days, is_stale

CHECKED = date(2026, 9, 25)


@pytest.mark.parametrize(("days", "stale"), [(0, False), (60, False), (61, True), (-60, False), (-61, True)])
def test_stale_after_sixty_days_and_before_as_many(days: int, stale: bool) -> None:
    at = CHECKED + timedelta(days=days)
    assert age_days(CHECKED, at) == days
    assert is_stale(CHECKED, at) is stale
