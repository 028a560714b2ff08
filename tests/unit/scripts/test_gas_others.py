"""Figures of others: measured ones must be what was measured, and all stand beside a figure of ours."""

from __future__ import annotations

import json

import pytest

from scripts import gas_others
from scripts.gas import LIMITS
from scripts.gas_others import compare_with_measured, of_row, read, thousands


@pytest.fixture
def files(tmp_path, monkeypatch):
    """A copy of the file, and a measurement that agrees with it."""
    others, measured = tmp_path / "others.json", tmp_path / "measured.json"
    others.write_text(gas_others.OTHERS.read_text())
    found = {figure.measured: figure.gas for figure in read()[1] if figure.method == "here"}
    measured.write_text(json.dumps(found))
    monkeypatch.setattr(gas_others, "OTHERS", others)
    monkeypatch.setattr(gas_others, "MEASURED", measured)
    return others, measured, found


def test_every_figure_stands_beside_one_of_ours_and_says_how_it_was_got():
    methods, figures = read()

    assert {figure.row for figure in figures} <= set(LIMITS) == set(gas_others.ROWS)
    assert {figure.method for figure in figures} == set(methods)
    assert all(bool(figure.measured) == (figure.method == "here") for figure in figures)


def test_the_same_measurement_changes_nothing(files):
    others, _, _ = files
    before = others.read_text()

    assert compare_with_measured(update=True) == []
    assert others.read_text() == before


def test_another_measurement_is_named_and_taken_over_only_when_asked(files):
    others, measured, found = files
    measured.write_text(json.dumps({**found, "erc20_transfer": 1}))

    assert compare_with_measured(update=False) == [f"others.erc20_transfer: {found['erc20_transfer']} -> 1"]
    assert f'"gas": {found["erc20_transfer"]}' in others.read_text()
    compare_with_measured(update=True)
    assert [f.gas for f in read()[1] if f.measured == "erc20_transfer"] == [1]


def test_a_measurement_that_stands_nowhere_is_named(files):
    _, measured, found = files
    measured.write_text(json.dumps({**found, "new": 1}))

    assert compare_with_measured(update=False) == ["others.new: stands beside no figure of ours"]


def test_the_cheapest_stands_first():
    figures = of_row(read()[1], "fund_1")

    assert [f.gas for f in figures] == sorted(f.gas for f in figures)


@pytest.mark.parametrize(("gas", "words"), [(6999, "7.0k"), (54_000, "54k"), (1_619_400, "1,619k")])
def test_thousands(gas, words):
    assert thousands(gas) == words
