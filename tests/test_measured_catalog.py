"""The packaged runs are the measured rows, and name records of the other catalogues."""

from __future__ import annotations

from bench.measured_catalog import text

from breakeven import load, resources


def test_the_file_is_what_the_measured_rows_make() -> None:
    written = (resources.catalog() / "measured.yaml").read_text(encoding="utf-8")
    assert written == text(), "python -m bench.measured_catalog > cli/breakeven/catalog/measured.yaml"


def test_every_series_has_a_source_a_date_and_known_names() -> None:
    for series in load.measured():
        assert series.source.startswith("https://")
        assert series.measured[:2] == "20"
        assert series.model in load.models()
        assert series.accelerator in load.accelerators()
        assert series.runs


def test_enough_of_it_and_not_too_much() -> None:
    runs = [run for series in load.measured() for run in series.runs]
    assert len(runs) > 500
    assert (resources.catalog() / "measured.yaml").stat().st_size < 100_000
