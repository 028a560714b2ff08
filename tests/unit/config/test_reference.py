"""The generated reference of the settings."""

from __future__ import annotations

from pathlib import Path

from keeper.config.reference import settings_example, settings_table
from keeper.config.settings import load_settings


def test_the_example_file_is_a_valid_settings_file(tmp_path: Path) -> None:
    file = tmp_path / "milepost.yaml"
    file.write_text(settings_example())

    settings = load_settings(file, environ={})

    assert settings.chain.chain_id == 31337
    assert settings.fees.max_tx == 10**17


def test_every_key_has_a_row_with_a_meaning() -> None:
    rows = settings_table().splitlines()[2:]

    assert len(rows) == 28
    assert all(row.strip("| ").count(" | ") == 4 for row in rows)
    assert any("`fees.max_fee_gwei` | `MILEPOST_FEES__MAX_FEE_GWEI` | decimal | `500`" in row for row in rows)
    assert any("`chain.rpc` | `MILEPOST_CHAIN__RPC` | list of text | needed" in row for row in rows)
