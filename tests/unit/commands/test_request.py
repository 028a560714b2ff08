"""Run ids: one request, one id; another request, another id."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from keeper.commands.request import Request

BASE = Request(command="approve", arguments={"milestone": 0}, chain_id=31337, escrow="0xE", caller="0xC", payer="0xP")


def test_the_same_request_has_the_same_id_whatever_the_order_of_its_arguments() -> None:
    one = Request(command="rule", arguments={"a": 1, "b": "x"}, chain_id=1, escrow="0xE")
    two = Request(escrow="0xE", chain_id=1, arguments={"b": "x", "a": 1}, command="rule")
    assert one.run_id == two.run_id
    assert len(one.run_id) == 66


@pytest.mark.parametrize(
    "change",
    [
        {"command": "waive"},
        {"arguments": {"milestone": 1}},
        {"arguments": {"milestone": "0"}},
        {"chain_id": 1},
        {"escrow": "0xF"},
        {"caller": "0xD"},
        {"payer": None},
        {"principal": "0xC"},
        {"deadline": 5},
    ],
)
def test_every_field_counts(change: dict[str, object]) -> None:
    assert BASE.model_copy(update=change).run_id != BASE.run_id


def test_floats_and_unknown_fields_are_refused() -> None:
    with pytest.raises(ValidationError):
        Request(command="rule", arguments={"share": 0.4}, chain_id=1, escrow="0xE")  # type: ignore[dict-item]
    with pytest.raises(ValidationError):
        Request.model_validate({"command": "rule", "arguments": {}, "chain_id": 1, "escrow": "0xE", "colour": "red"})
