"""The record of a deployment, deployments/<chain>.json: which contracts this installation believes in."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from eth_utils.address import is_checksum_address
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from keeper.config.problems import plain_words
from keeper.config.settings import ChainSettings
from keeper.errors import MilepostError
from keeper.protocol.types import NATIVE, NATIVE_DECIMALS, ZERO_ADDRESS, Address

if TYPE_CHECKING:
    from keeper.protocol.terms_file import Book

_FROZEN = ConfigDict(frozen=True, extra="forbid", strict=True)


def _checksummed(value: Address) -> Address:
    if not is_checksum_address(value):
        raise ValueError("expected an EIP-55 address")
    return value


EipAddress = Annotated[Address, AfterValidator(_checksummed)]
Hash = Annotated[str, Field(pattern=r"^0x[0-9a-f]{64}$")]


class DeployedContract(BaseModel):
    """A contract and the keccak256 of its runtime code on that chain."""

    model_config = _FROZEN
    address: EipAddress
    code_hash: Hash
    arguments: Annotated[str, Field(pattern=r"^0x([0-9a-f]{2})*$")] = "0x"
    """What its constructor was given, as the ABI encodes it."""


class DeployedToken(BaseModel):
    """A token that terms files may name by its ticker."""

    model_config = _FROZEN
    address: EipAddress
    decimals: Annotated[int, Field(ge=0, le=255)]
    symbol: Annotated[str, Field(min_length=1, max_length=32)]


def _none_native(tokens: dict[str, DeployedToken]) -> dict[str, DeployedToken]:
    if NATIVE in tokens:
        raise ValueError(f"expected no token labelled {NATIVE}: that is the chain's own currency")
    return tokens


class Deployment(BaseModel):
    """One chain's contracts."""

    model_config = _FROZEN
    chain_id: Annotated[int, Field(gt=0)]
    genesis: Hash
    """Hash of block 0, which tells two chains of one id apart."""
    block: Annotated[int, Field(ge=0)]
    """The escrow's deployment block: no event is older."""
    escrow: DeployedContract
    contracts: dict[str, DeployedContract]
    tokens: Annotated[dict[str, DeployedToken], AfterValidator(_none_native)]
    native_symbol: Annotated[str, Field(min_length=1, max_length=32)] = "ETH"
    """The ticker of the chain's own currency, which terms files call `native`."""

    def book(self) -> Book:
        """What a terms file may name on this chain."""
        from keeper.protocol.terms_file import Book  # late: brings the whole language of terms files

        listed = {name: (token.address, token.decimals, token.symbol) for name, token in self.tokens.items()}
        return Book(
            chain_id=self.chain_id,
            escrow=self.escrow.address,
            tokens={**listed, NATIVE: (ZERO_ADDRESS, NATIVE_DECIMALS, self.native_symbol)},
            contracts={name: contract.address for name, contract in self.contracts.items()},
        )

    def verifiers(self) -> dict[str, Address]:
        """The quorum verifier by name; the ledger follows it besides the escrow. Other verifiers keep no quorums."""
        return {name: c.address for name, c in self.contracts.items() if name == "QuorumVerifier"}


def load_deployment(path: Path) -> Deployment:
    """The deployment in a file; SETTINGS_INVALID names all that is wrong with it."""
    try:
        return Deployment.model_validate_json(path.read_bytes())
    except OSError as error:
        raise _invalid(path, f"the file cannot be read ({error.strerror})") from error
    except ValidationError as error:
        faults = error.errors(include_url=False, include_input=False)
        told = (f"{'.'.join(map(str, f['loc'])) or 'file'}: {plain_words(f['msg'])}" for f in faults)
        raise _invalid(path, "\n".join(told)) from error


def open_deployment(settings: ChainSettings) -> Deployment:
    """The deployment that the settings name; WRONG_CHAIN when they name another chain id than the file."""
    deployment = load_deployment(settings.deployment)
    if settings.chain_id not in (None, deployment.chain_id):
        raise MilepostError(
            "WRONG_CHAIN",
            f"The settings and {settings.deployment.name} name different chains",
            cause=f"expected chain id {settings.chain_id} (chain.chain_id), found {deployment.chain_id} in the file",
            hint="mend chain.chain_id, or name the deployment file of that chain",
        )
    return deployment


def _invalid(path: Path, cause: str) -> MilepostError:
    return MilepostError(
        "SETTINGS_INVALID",
        f"The deployment file {path} cannot be used",
        cause=cause,
        hint="deploy again, or name the right file in chain.deployment",
    )
