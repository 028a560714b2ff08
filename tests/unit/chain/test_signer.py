"""The signer: what it signs, and what it never says."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import pytest
from eth_account import Account
from eth_utils.crypto import keccak
from hypothesis import given
from hypothesis import strategies as st

from keeper.chain.signer import Signer, load_signer
from keeper.config.settings import KeySettings
from keeper.errors import MilepostError
from keeper.protocol.quorum import recover

KEY = "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"
ADDRESS = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"
ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
TX = {
    "chainId": 31337,
    "nonce": 3,
    "to": "0x70997970C51812dc3A010C7d01b50e0d17dc79C8",
    "value": 7,
    "data": b"\x01\x02",
    "gas": 21_000,
    "maxFeePerGas": 2 * 10**9,
    "maxPriorityFeePerGas": 10**9,
}


def signer() -> Signer:
    return Signer(bytes.fromhex(KEY))


def test_the_address_is_the_keys() -> None:
    assert signer().address == ADDRESS


def test_a_transaction_is_of_type_2_and_recovers_to_the_signer() -> None:
    raw, tx_hash = signer().sign_transaction(TX)

    assert raw[0] == 2
    assert Account.recover_transaction(raw) == ADDRESS
    assert keccak(raw) == tx_hash
    assert signer().sign_transaction(TX | {"type": 2}) == (raw, tx_hash)


@pytest.mark.parametrize(
    "tx",
    [
        {k: v for k, v in TX.items() if k != "chainId"},
        TX | {"gasPrice": 1},
        TX | {"nonce": -1},
        TX | {"gas": "many"},
        TX | {"to": "0x12"},
        TX | {"data": "0x12"},
        TX | {"value": True},
        TX | {"type": 1},
    ],
)
def test_a_transaction_that_is_not_whole_is_refused_without_the_key(tx: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="expected") as caught:
        signer().sign_transaction(tx)
    assert KEY not in str(caught.value)


@given(st.binary(min_size=32, max_size=32))
def test_a_digest_is_signed_in_64_bytes_with_low_s(digest: bytes) -> None:
    signature = signer().sign_digest(digest)

    assert len(signature) == 64
    assert 0 < int.from_bytes(signature[32:], "big") & (1 << 255) - 1 <= ORDER // 2
    assert recover(digest, signature) == ADDRESS


def test_a_digest_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="32 bytes, found 31"):
        signer().sign_digest(bytes(31))


def test_nothing_shows_or_copies_the_key() -> None:
    mine = signer()

    assert repr(mine) == str(mine) == f"Signer({ADDRESS})"
    with pytest.raises(TypeError, match="not copied"):
        pickle.dumps(mine)


@pytest.mark.parametrize("secret", [bytes(32), ORDER.to_bytes(32, "big"), b"", b"\x01" * 33])
def test_what_is_no_private_key_is_refused_without_telling_it(secret: bytes) -> None:
    with pytest.raises(MilepostError) as caught:
        Signer(secret)

    assert caught.value.code == "KEY_INVALID"
    assert not secret or secret.hex() not in str(caught.value)


@pytest.mark.parametrize("text", [KEY, "0x" + KEY, f" 0x{KEY}\n"])
def test_a_key_comes_from_the_environment(text: str) -> None:
    assert load_signer(KeySettings(env="MY_KEY"), {"MY_KEY": text}).address == ADDRESS


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "MY_KEY is not set"),
        ("", "MY_KEY is not set"),
        (KEY[:-1], "found 63 characters"),
        ("g" * 64, "32 bytes of hex"),
        ("0" * 64, "between 1 and"),
    ],
)
def test_a_wrong_key_in_the_environment_is_told_without_its_value(text: str | None, words: str) -> None:
    with pytest.raises(MilepostError) as caught:
        load_signer(KeySettings(env="MY_KEY"), {} if text is None else {"MY_KEY": text})

    assert caught.value.code == "KEY_INVALID"
    assert words in caught.value.cause
    assert not text or text not in str(caught.value)


def test_no_key_in_the_settings_is_told() -> None:
    with pytest.raises(MilepostError, match="name no key"):
        load_signer(None)


@pytest.fixture
def keystore(tmp_path: Path) -> KeySettings:
    content = Account.encrypt(KEY, "open sesame", kdf="pbkdf2", iterations=1_000)
    settings = KeySettings(keystore=tmp_path / "key.json", password_file=tmp_path / "password")
    assert settings.keystore
    assert settings.password_file
    settings.keystore.write_text(json.dumps(content))
    settings.password_file.write_text("open sesame\n")
    for file in (settings.keystore, settings.password_file):
        file.chmod(0o600)
    return settings


def test_a_key_comes_from_a_keystore(keystore: KeySettings, capsys: pytest.CaptureFixture[str]) -> None:
    assert load_signer(keystore).address == ADDRESS
    assert "readable" not in "".join(capsys.readouterr())


def test_a_password_file_that_everyone_reads_is_warned_of(
    keystore: KeySettings, capsys: pytest.CaptureFixture[str]
) -> None:
    assert keystore.password_file
    keystore.password_file.chmod(0o644)

    assert load_signer(keystore).address == ADDRESS
    warned = "".join(capsys.readouterr())
    assert "readable by everyone" in warned
    assert "open sesame" not in warned


@pytest.mark.parametrize(
    ("password", "content", "words"),
    [
        ("wrong", None, "does not open it"),
        ("open sesame", "{}", "no keystore version 3"),
        ("open sesame", "[]", "no keystore version 3"),
        ("open sesame", "not json", "no keystore version 3"),
        ("open sesame", '{"version": 3, "crypto": {}}', "no keystore version 3"),
        ("open sesame", '{"version": 3, "crypto": {"kdf": "x"}}', "no keystore version 3"),
    ],
)
def test_a_keystore_that_does_not_open_says_why_and_no_secret(
    keystore: KeySettings, password: str, content: str | None, words: str
) -> None:
    assert keystore.keystore
    assert keystore.password_file
    keystore.password_file.write_text(password)
    if content is not None:
        keystore.keystore.write_text(content)

    with pytest.raises(MilepostError) as caught:
        load_signer(keystore)

    assert caught.value.code == "KEY_INVALID"
    assert words in caught.value.cause
    assert password not in str(caught.value)


def test_a_missing_keystore_is_told(keystore: KeySettings) -> None:
    assert keystore.keystore
    keystore.keystore.unlink()

    with pytest.raises(MilepostError, match="cannot be read"):
        load_signer(keystore)
