"""Deployment files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from keeper.chain.deployment import load_deployment, open_deployment
from keeper.config.settings import ChainSettings
from keeper.errors import MilepostError
from keeper.protocol.types import ZERO_ADDRESS

AT = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
CODE = "0x" + "ab" * 32
GOOD: dict[str, Any] = {
    "chain_id": 31337,
    "genesis": "0x" + "01" * 32,
    "block": 4,
    "escrow": {"address": AT, "code_hash": CODE},
    "contracts": {"QuorumVerifier": {"address": AT, "code_hash": CODE}},
    "tokens": {"PLAY": {"address": AT, "decimals": 6, "symbol": "PLAY"}},
}


def write(tmp_path: Path, content: Any) -> Path:
    path = tmp_path / "31337.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def test_a_deployment_makes_the_book_of_terms_files(tmp_path: Path) -> None:
    book = load_deployment(write(tmp_path, GOOD)).book()

    assert (book.chain_id, book.escrow) == (31337, AT)
    assert book.tokens["PLAY"] == (AT, 6, "PLAY")
    assert book.contracts == {"QuorumVerifier": AT}


def test_every_chain_has_a_native_currency_with_the_ticker_that_the_file_gives(tmp_path: Path) -> None:
    assert load_deployment(write(tmp_path, GOOD)).book().tokens["native"] == (ZERO_ADDRESS, 18, "ETH")

    named = load_deployment(write(tmp_path, GOOD | {"native_symbol": "XDAI"})).book()

    assert named.tokens["native"] == (ZERO_ADDRESS, 18, "XDAI")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{", "invalid JSON"),
        (GOOD | {"chain_id": "31337"}, "chain_id"),
        (GOOD | {"escrow": {"address": AT.lower(), "code_hash": CODE}}, "EIP-55"),
        (GOOD | {"escrow": {"address": AT}}, "escrow.code_hash"),
        (GOOD | {"genesis": "0x12"}, "genesis"),
        (GOOD | {"extra": 1}, "extra"),
        (GOOD | {"tokens": {"native": GOOD["tokens"]["PLAY"]}}, "the chain's own currency"),
        (GOOD | {"native_symbol": ""}, "native_symbol"),
        ({}, "chain_id"),
    ],
)
def test_a_file_that_is_wrong_says_where(tmp_path: Path, content: Any, words: str) -> None:
    with pytest.raises(MilepostError) as caught:
        load_deployment(write(tmp_path, content))

    assert caught.value.code == "SETTINGS_INVALID"
    assert words in caught.value.cause


def test_every_mistake_of_a_file_is_told_in_plain_words(tmp_path: Path) -> None:
    content = {key: value for key, value in GOOD.items() if key != "tokens"} | {"colour": "red", "block": "4"}
    with pytest.raises(MilepostError) as caught:
        load_deployment(write(tmp_path, content))
    assert caught.value.cause.splitlines() == [
        "block: expected a whole number",
        "tokens: this key is needed",
        "colour: unknown key",
    ]


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(MilepostError, match="cannot be read"):
        load_deployment(tmp_path / "absent.json")


def test_the_settings_may_insist_on_a_chain(tmp_path: Path) -> None:
    path = write(tmp_path, GOOD)

    assert open_deployment(ChainSettings(rpc=("http://a",), deployment=path, chain_id=31337)).chain_id == 31337
    with pytest.raises(MilepostError) as caught:
        open_deployment(ChainSettings(rpc=("http://a",), deployment=path, chain_id=1))
    assert caught.value.code == "WRONG_CHAIN"
    assert "expected chain id 1 (chain.chain_id), found 31337" in caught.value.cause
