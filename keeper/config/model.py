"""The settings tree. Every field's description and example is what docs/reference/settings.md prints."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from keeper.config.fields import (
    AddressText,
    BumpBps,
    FilePath,
    Listen,
    ListenAddress,
    Seconds,
    Url,
    Urls,
    Wei,
    WeiPerGas,
    WholeNumber,
)
from keeper.errors import MilepostError

_FROZEN = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

Level = Literal["latest", "safe", "finalized"]


class ChainSettings(BaseModel):
    """The chain and the contracts on it."""

    model_config = _FROZEN
    rpc: Urls = Field(
        min_length=1,
        repr=False,
        description="JSON-RPC endpoints of one chain, asked in turn when one fails",
        examples=['["http://127.0.0.1:8545"]'],
    )
    deployment: FilePath = Field(
        description="file that names the chain, the escrow, verifiers and tokens",
        examples=["deployments/31337.json"],
    )
    chain_id: Annotated[WholeNumber, Field(gt=0)] | None = Field(
        None, description="refuse any other chain than this, even if the deployment file names it", examples=["31337"]
    )
    finality: Literal["tags"] | Annotated[WholeNumber, Field(ge=0)] = Field(
        "tags",
        description="`tags`: the node's own finalized and safe blocks; a number: that many blocks under the head",
        examples=["tags"],
    )
    poll_s: Seconds = Field(0.5, description="seconds between two looks at the chain", examples=["0.5"])
    timeout_s: Seconds = Field(10, description="seconds that one call to one endpoint may take", examples=["10"])


class KeySettings(BaseModel):
    """Where the signing key is: a keystore with its password file, or an environment variable."""

    model_config = _FROZEN
    keystore: FilePath | None = Field(
        None, description="keystore file (JSON, version 3)", examples=["keys/keeper.json"]
    )
    password_file: FilePath | None = Field(
        None, description="file that holds the keystore's password", examples=["keys/keeper.password"]
    )
    env: str | None = Field(
        None,
        pattern="[A-Za-z_][A-Za-z0-9_]*",
        description="name of an environment variable that holds the key as 32 bytes of hex; for development",
        examples=["KEEPER_KEY"],
    )

    @model_validator(mode="after")
    def _one_source(self) -> KeySettings:
        if (self.keystore is None) == (self.env is None):
            raise ValueError("expected either keystore with password_file, or env")
        if (self.keystore is None) != (self.password_file is None):
            raise ValueError("expected keystore and password_file together")
        return self


class KeeperSettings(BaseModel):
    """The keeper and the relay that it serves."""

    model_config = _FROZEN
    listen: ListenAddress = Field(
        Listen("127.0.0.1", 7545),
        description="where the relay and the status page listen; port 0 takes a free one",
        examples=["127.0.0.1:7545"],
    )
    peers: Urls = Field((), repr=False, description="relays to pull from", examples=['["http://127.0.0.1:7546"]'])
    stagger_s: Annotated[WholeNumber, Field(ge=0, le=3_600)] = Field(
        2, description="seconds of chain time that a keeper waits for each keeper ranked before it", examples=["2"]
    )
    stagger_slots: Annotated[WholeNumber, Field(ge=1, le=100)] = Field(
        2, description="how many ranks keepers spread over", examples=["2"]
    )
    serve: Literal["tipped", "all"] | tuple[AddressText, ...] = Field(
        "tipped",
        description="agreements to work for: those whose tip covers the gas, all, or also those of these payers",
        examples=["tipped"],
    )
    finality: Level = Field(
        "latest", description="how final the block of the event must be that the keeper acts on", examples=["latest"]
    )


class AttesterSettings(BaseModel):
    """The attester: where its evidence comes from, and its limits."""

    model_config = _FROZEN
    sources: dict[str, Url] = Field(
        default_factory=dict,
        repr=False,
        description="base URL of each evidence source, by the name that criteria use",
        examples=['{ci: "http://127.0.0.1:8081"}'],
    )
    listen: ListenAddress | None = Field(
        None, description="where a status page listens; none when left out", examples=["127.0.0.1:7600"]
    )
    finality: Literal["latest", "safe"] = Field(
        "safe", description="how final a submission must be before it is judged", examples=["safe"]
    )
    timeout_s: Seconds = Field(10, description="seconds that one fetch of evidence may take", examples=["10"])
    max_bytes: Annotated[WholeNumber, Field(ge=1_024, le=64 * 1024 * 1024)] = Field(
        1024 * 1024, description="bytes that one answer of a source may have", examples=["1048576"]
    )
    user_agent: str = Field(
        "milepost-attester",
        pattern=r"[\x21-\x7e][\x20-\x7e]{0,199}",
        description="how the attester names itself to sources",
        examples=["milepost-attester"],
    )


class FeeSettings(BaseModel):
    """What may be spent on gas, and when a transaction is replaced. People write gwei, ether and percent."""

    model_config = _FROZEN
    max_fee: WeiPerGas = Field(
        500 * 10**9, alias="max_fee_gwei", description="highest fee per gas, in gwei", examples=['"500"']
    )
    """Wei per gas."""
    max_tx: Wei = Field(
        10**17, alias="max_tx_ether", description="highest cost of one transaction, in ether", examples=['"0.1"']
    )
    """Wei."""
    max_day: Wei = Field(10**18, alias="max_day_ether", description="highest cost of a day, in ether", examples=['"1"'])
    """Wei."""
    replace_after_s: Seconds = Field(
        15, description="seconds without inclusion after which a transaction is sent again for more", examples=["15"]
    )
    bump_bps: BumpBps = Field(
        1_250,
        alias="bump_percent",
        description="how much more a replacement pays, in percent, 12.5 to 100; nodes refuse less than 10",
        examples=['"12.5"'],
    )
    """1/10000."""


class Tree(BaseModel):
    """The whole file."""

    model_config = _FROZEN
    database: FilePath = Field(
        Path("milepost.db"),
        description="the SQLite database of this process",
        examples=["milepost.db"],
        validate_default=True,
    )
    relays: Urls = Field(
        (),
        repr=False,
        description="relays that documents and attestations are pushed to and read from",
        examples=['["http://127.0.0.1:7545"]'],
    )
    chain: ChainSettings | None = None
    key: KeySettings | None = None
    keeper: KeeperSettings = KeeperSettings()
    attester: AttesterSettings = AttesterSettings()
    fees: FeeSettings = FeeSettings()


@dataclass(frozen=True, slots=True)
class Settings:
    """Checked settings of one process. Paths are resolved against `home`; nothing secret is shown by repr."""

    home: Path
    """Folder of the settings file; the working folder where there is none."""
    file: Path | None
    database: Path
    relays: tuple[str, ...] = field(repr=False)
    keeper: KeeperSettings
    attester: AttesterSettings
    fees: FeeSettings
    key: KeySettings | None
    """None where the process only reads."""
    optional_chain: ChainSettings | None

    @property
    def chain(self) -> ChainSettings:
        """The chain section; SETTINGS_INVALID when there is none."""
        if self.optional_chain is None:
            where = self.file or "the settings (no milepost.yaml here)"
            raise MilepostError(
                "SETTINGS_INVALID",
                f"Section chain is missing in {where}",
                cause="expected chain with rpc and deployment",
            )
        return self.optional_chain
