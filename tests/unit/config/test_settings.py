"""Settings: all mistakes at once, exact amounts, nothing secret shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from keeper.config.settings import Settings, load_settings
from keeper.errors import MilepostError

RPC = "http://user:hunter2@127.0.0.1:8545/v2/apikey"
GOOD = f"""
chain:
  rpc: ["{RPC}", "https://rpc.example"]
  deployment: deployments/31337.json
key: {{env: ALICE_KEY}}
relays: ["http://127.0.0.1:7001/"]
"""


@pytest.fixture
def load(tmp_path: Path):  # type: ignore[no-untyped-def]
    def _load(text: str, need: set[str] | None = None, **environ: str) -> Settings:
        file = tmp_path / "milepost.yaml"
        file.write_text(text)
        return load_settings(file, need=need or set(), environ=environ)

    return _load


def causes(caught: pytest.ExceptionInfo[MilepostError]) -> list[str]:
    assert caught.value.code == "SETTINGS_INVALID"
    return caught.value.cause.split("\n")


def test_paths_count_from_the_folder_of_the_file(load, tmp_path: Path) -> None:
    settings = load(GOOD)

    assert settings.home == tmp_path
    assert settings.database == tmp_path / "milepost.db"
    assert settings.chain.deployment == tmp_path / "deployments/31337.json"


def test_absolute_paths_stay(load) -> None:
    assert load(GOOD + "database: /var/lib/x.db").database == Path("/var/lib/x.db")


def test_defaults_are_those_of_the_reference(load) -> None:
    settings = load(GOOD)

    assert settings.chain.finality == "tags"
    assert settings.keeper.serve == "tipped"
    assert settings.attester.max_bytes == 1 << 20
    assert settings.fees.bump_bps == 1_250
    assert settings.relays == ("http://127.0.0.1:7001",)


def test_settings_are_frozen(load) -> None:
    settings = load(GOOD)

    with pytest.raises(AttributeError):
        settings.database = Path("other")
    with pytest.raises(ValueError, match="frozen"):
        settings.fees.max_fee = 1


def test_repr_shows_no_url(load) -> None:
    shown = repr(load(GOOD + 'attester: {sources: {ci: "http://u:hunter2@h"}}\nkeeper: {peers: "http://u:hunter2@h"}'))

    assert "hunter2" not in shown
    assert "apikey" not in shown


def test_every_mistake_is_named_at_once_with_its_mend(load) -> None:
    text = """
chian: {}
chain: {rpc: [], deployment: d.json, pol_s: 1}
keeper: {listen: nowhere, finality: soon}
fees: {max_fee_gwei: 1.5, bump_percent: "5"}
relays: ["ftp://u:hunter2@host"]
"""
    with pytest.raises(MilepostError) as caught:
        load(text, {"key"})

    found = causes(caught)
    assert "chian: unknown key (did you mean `chain`?)" in found
    assert "chain.pol_s: unknown key (did you mean `poll_s`?)" in found
    for key in ("chain.rpc", "keeper.listen", "keeper.finality", "fees.max_fee_gwei", "fees.bump_percent", "relays[0]"):
        assert any(line.startswith(f"{key}: ") and "for example" in line for line in found), key
    assert any(line.startswith("key: this section is needed") for line in found)
    assert caught.value.title.startswith(f"{len(found)} settings need mending")
    assert "hunter2" not in str(caught.value)


def test_faults_are_told_in_words_that_are_no_pythons(load) -> None:
    text = """
chain: {rpc: ["ftp://x"], deployment: d.json, finality: soon}
relays: 3
keeper: {serve: 3}
key: 5
fees: 7
"""
    with pytest.raises(MilepostError) as caught:
        load(text)

    told = "\n".join(causes(caught))
    for word in ("tuple", "dictionary", "validation", "Value error", "instance of"):
        assert word not in told
    assert "relays: expected a list" in told
    assert "chain.finality: expected 'tags' or a whole number" in told
    assert "chain.rpc[0]: expected an http:// or https:// URL" in told
    assert "chain.rpc:" not in told, "one mistake is told once"


def test_an_empty_list_of_endpoints_is_told(load) -> None:
    with pytest.raises(MilepostError) as caught:
        load("chain: {rpc: [], deployment: d.json}")
    (line,) = causes(caught)
    assert line.startswith("chain.rpc: expected at least 1 item (")


def test_a_key_that_comes_from_two_places_is_refused(load) -> None:
    with pytest.raises(MilepostError) as caught:
        load(GOOD.replace("{env: ALICE_KEY}", "{env: A, keystore: k.json, password_file: p}"))

    assert causes(caught)[0].startswith("key: expected either keystore with password_file, or env")


@pytest.mark.parametrize(
    ("text", "wei"),
    [('"500"', 500 * 10**9), ("2", 2 * 10**9), ('"0.5"', 5 * 10**8), ('"0.000000001"', 1)],
)
def test_amounts_become_exact_wei(load, text: str, wei: int) -> None:
    assert load(GOOD + f"fees: {{max_fee_gwei: {text}}}").fees.max_fee == wei


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("0.5", "a float"),
        ("1e3", "decimal amount"),
        ('"-1"', "not negative"),
        ('"1,5"', "decimal amount"),
        ('"0.0000000001"', "at most 9 digits"),
        ('"0"', "more than 0"),
        ("true", "decimal amount"),
        ('"٣"', "decimal amount"),
    ],
)
def test_inexact_amounts_are_refused(load, text: str, reason: str) -> None:
    with pytest.raises(MilepostError) as caught:
        load(GOOD + f"fees: {{max_fee_gwei: {text}}}")

    assert reason in causes(caught)[0]


def test_the_environment_overrides_one_key(load) -> None:
    settings = load(
        GOOD,
        MILEPOST_CHAIN__RPC='["http://a:1", "http://b:2"]',
        MILEPOST_CHAIN__FINALITY="12",
        MILEPOST_FEES__MAX_FEE_GWEI="0.5",
        MILEPOST__RELAYS="http://c:3",
        MILEPOST_KEEPER__LISTEN="[::1]:0",
    )

    assert settings.chain.rpc == ("http://a:1", "http://b:2")
    assert settings.chain.finality == 12
    assert settings.fees.max_fee == 5 * 10**8
    assert settings.relays == ("http://c:3",)
    assert str(settings.keeper.listen) == "[::1]:0"


def test_a_misspelled_variable_is_named(load) -> None:
    with pytest.raises(MilepostError) as caught:
        load(GOOD, MILEPOST_CHIAN__RPC="http://a", MILEPOST_FEES__MAX_FE="1", MILEPOST__RELAYS='["a" "b"]')

    found = causes(caught)
    assert any(line.startswith("chian: unknown key") for line in found)
    assert any(line.startswith("fees.max_fe: unknown key") for line in found)
    assert any(line.startswith("MILEPOST__RELAYS: malformed list") for line in found)


def test_other_variables_are_left_alone(load) -> None:
    assert load(GOOD, MILEPOST_CONFIG="x", MILEPOST_KEY="y", PATH="z").chain.poll_s == 0.5


def test_needed_files_are_looked_for(load, tmp_path: Path) -> None:
    with pytest.raises(MilepostError) as caught:
        load(GOOD, {"chain", "key", "sources"})

    found = causes(caught)
    assert found[0].startswith("attester.sources: at least one is needed")
    assert found[1].startswith(f"chain.deployment: there is no file {tmp_path}") or found[1].startswith("key.env")
    assert any("the variable ALICE_KEY is not set" in line for line in found)


def test_without_a_needed_section_reading_commands_still_work(load) -> None:
    settings = load("database: x.db")

    assert settings.key is None
    with pytest.raises(MilepostError, match="Section chain is missing"):
        _ = settings.chain


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("chain: {rpc: a, rpc: b}", "the key 'rpc' appears twice"),
        ("chain: [", "line "),
        ("1: 2", "expected a word as key"),
        ("- a", "expected sections"),
        ("a: 2001-99-99", "malformed YAML"),
        ("a: !!python/object:os.system x", "could not determine a constructor"),
    ],
)
def test_malformed_files_are_told_with_their_place(load, text: str, words: str) -> None:
    with pytest.raises(MilepostError) as caught:
        load(text)

    assert words in caught.value.cause


def test_a_named_file_must_exist(tmp_path: Path) -> None:
    with pytest.raises(MilepostError) as caught:
        load_settings(tmp_path / "absent.yaml", environ={})

    assert "cannot be read" in caught.value.cause


def test_the_file_is_found_by_variable_then_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "milepost.yaml").write_text("database: here.db")
    (tmp_path / "other.yaml").write_text("database: other.db")

    assert load_settings(environ={}).database == tmp_path / "here.db"
    assert load_settings(environ={"MILEPOST_CONFIG": "other.yaml"}).database == tmp_path / "other.db"


def test_addresses_are_checked_and_put_in_eip55_form(load) -> None:
    small = "0x70997970c51812dc3a010c7d01b50e0d17dc79c8"
    settings = load(GOOD + f'keeper: {{serve: ["{small}"]}}')

    assert settings.keeper.serve == ("0x70997970C51812dc3A010C7d01b50e0d17dc79C8",)
    for wrong in (small.replace("c", "C", 1), "0x12", 1):
        with pytest.raises(MilepostError, match=r"keeper\.serve"):
            load(GOOD + f"keeper: {{serve: [{wrong!r}]}}")


@pytest.mark.parametrize("url", ["127.0.0.1:8545", "ws://h", "http://", "http://h:99999", "http://a b", "", "5"])
def test_unusable_urls_are_refused(load, url: str) -> None:
    with pytest.raises(MilepostError, match="relays"):
        load(GOOD, MILEPOST__RELAYS=url)


@pytest.mark.parametrize("listen", ["127.0.0.1", ":80", "h:65536", "h:-1", "h:", "h:٣"])
def test_unusable_listen_addresses_are_refused(load, listen: str) -> None:
    with pytest.raises(MilepostError, match=r"keeper\.listen"):
        load(GOOD, MILEPOST_KEEPER__LISTEN=listen)


@pytest.mark.parametrize("value", ["0", "-1", "inf", "nan", "1e9"])
def test_unusable_seconds_are_refused(load, value: str) -> None:
    with pytest.raises(MilepostError, match=r"chain\.poll_s"):
        load(GOOD, MILEPOST_CHAIN__POLL_S=value)
