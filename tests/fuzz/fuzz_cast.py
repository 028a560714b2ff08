"""Who and what takes part: people with balances, quorums with keys, tokens, an arbiter contract, a mute verifier."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from coincurve import PrivateKey
from eth_abi.abi import encode
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak
from fuzz_evm import Chain, Code, load

from keeper.protocol.encoding import escrow_domain, verifier_domain
from keeper.protocol.quorum import to_compact
from keeper.protocol.types import Address, Domain

RICH = 2**140
ALLOWED = 2**256 - 1
"""An allowance that ERC-20 does not count down."""
PAUPER_HAS, PAUPER_ALLOWS = 5_000, 3_000
WEI = 10**20


@dataclass(frozen=True)
class Member:
    """An attester: a key and its address."""

    address: Address
    key: PrivateKey = field(repr=False, compare=False)

    def sign(self, digest: bytes) -> bytes:
        """64 bytes r, vs."""
        return to_compact(self.key.sign_recoverable(digest, hasher=None))


@dataclass(frozen=True)
class Bench:
    """M and members as a proof lists them, be they a lawful quorum or not."""

    m: int
    members: tuple[Member, ...]

    @property
    def head(self) -> bytes:
        return bytes([self.m, len(self.members)]) + b"".join(bytes.fromhex(x.address[2:]) for x in self.members)

    @property
    def hash(self) -> bytes:
        return keccak(self.head)


def _member(number: int) -> Member:
    key = PrivateKey(keccak(text=f"attester {number}"))
    address = to_checksum_address(keccak(key.public_key.format(compressed=False)[1:])[12:])
    return Member(Address(address), key)


MEMBERS = tuple(sorted((_member(i) for i in range(6)), key=lambda member: int(member.address, 16)))
OUTSIDER = _member(99)
ONE = Bench(1, MEMBERS[2:3])
THREE = Bench(2, MEMBERS[1:4])
FIVE = Bench(3, MEMBERS[:5])
BENCHES = (ONE, THREE, FIVE)
"""Lawful quorums that share members: a signature for one must not count in another."""
UNLAWFUL = (
    Bench(1, MEMBERS[:2]),  # two conflicting quorums need not share a member
    Bench(2, (MEMBERS[0], MEMBERS[0], MEMBERS[0])),  # one key, listed three times
    Bench(2, (MEMBERS[1], MEMBERS[0])),
    Bench(0, ()),
)
BY_HASH = {bench.hash: bench for bench in (*BENCHES, *UNLAWFUL)}
"""Which bench a quorum's hash stands for."""


def _someone(name: str) -> Address:
    return Address(to_checksum_address(keccak(text=name)[12:]))


ANN, BEN, CAT, DAN = (_someone(name) for name in ("Ann", "Ben", "Cat", "Dan"))
"""Payers, payees and receivers of fees, in turn: who pays in one agreement is paid in another."""
JUDGE, KEEPER, PAUPER, STRANGER, DEPLOYER = (_someone(n) for n in ("Judge", "Keeper", "Pauper", "Stranger", "Deployer"))
PARTIES = (ANN, BEN, CAT, DAN)
NAMES = {ANN: "Ann", BEN: "Ben", CAT: "Cat", DAN: "Dan", JUDGE: "Judge", KEEPER: "Keeper", PAUPER: "Pauper"}
NAMES |= {STRANGER: "Stranger", "0x" + "00" * 20: "nobody"}


@dataclass(frozen=True)
class Stage:
    """Everything deployed and endowed on one fresh chain."""

    chain: Chain
    escrow: Address
    verifier: Address
    mute: Address
    """A verifier that never answers its selector."""
    hook: Address
    """An arbiter contract that is called on disputes."""
    play: Address
    """A plain token."""
    moody: Address
    """A token that blocks receivers when told to."""
    codes: dict[str, Code]

    @property
    def domain(self) -> Domain:
        return escrow_domain(31337, self.escrow)

    @property
    def verifier_domain(self) -> Domain:
        return verifier_domain(31337, self.verifier)

    @property
    def tokens(self) -> tuple[Address, Address]:
        return self.play, self.moody

    @property
    def everyone(self) -> tuple[Address, ...]:
        """All who can hold a token."""
        return (*PARTIES, JUDGE, KEEPER, PAUPER, STRANGER, self.hook, self.escrow)

    @property
    def contracts(self) -> frozenset[Address]:
        return frozenset({self.escrow, self.verifier, self.mute, self.hook, self.play, self.moody})

    @property
    def names(self) -> dict[str, str]:
        """Addresses in the words of a trace."""
        at = {self.escrow: "escrow", self.verifier: "verifier", self.mute: "mute", self.hook: "Hook"}
        return NAMES | at | {self.play: "PLAY", self.moody: "MOODY"}


def set_stage(artifacts: Path, escrow_artifacts: Path) -> Stage:
    """Deploy all, the escrow from a folder of its own, and hand out money and allowances."""
    names = ("QuorumVerifier", "PlayDollar", "HostileToken", "Judges/HookArbiter", "Judges/StubVerifier")
    codes = {name.rpartition("/")[2]: load(artifacts, name) for name in names}
    codes["Escrow"] = load(escrow_artifacts, "Escrow")
    chain = Chain()

    def deploy(name: str, arguments: bytes = b"") -> Address:
        return chain.deploy(DEPLOYER, codes[name], arguments)

    stage = Stage(
        chain=chain,
        escrow=deploy("Escrow"),
        verifier=deploy("QuorumVerifier"),
        mute=deploy("StubVerifier", encode(["bytes4"], [b"\xde\xad\xbe\xef"])),
        hook=deploy("HookArbiter"),
        play=deploy("PlayDollar"),
        moody=deploy("HostileToken"),
        codes=codes,
    )
    token = codes["PlayDollar"].codec
    endowed = dict.fromkeys(PARTIES, (RICH, ALLOWED)) | {PAUPER: (PAUPER_HAS, PAUPER_ALLOWS)}
    for address in stage.tokens:
        for who, (has, allows) in endowed.items():
            chain.send(DEPLOYER, address, token.encode("mint", who, has))
            chain.send(who, address, token.encode("approve", stage.escrow, allows))
    for who in stage.everyone:
        chain.give(who, 0 if who in (stage.escrow, stage.hook) else WEI)
    return stage
