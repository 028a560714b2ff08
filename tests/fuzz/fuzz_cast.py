"""Who and what takes part: people and wallets, quorums with keys, tokens, an arbiter contract, a mute verifier."""

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
from keeper.protocol.types import ZERO_ADDRESS, Address, Domain

RICH = 2**140
ALLOWED = 2**256 - 1
"""An allowance that ERC-20 does not count down."""
PAUPER_HAS, PAUPER_ALLOWS = 5_000, 3_000
WEI = 10**20


@dataclass(frozen=True)
class Member:
    """An attester, or a party: a key and its address."""

    address: Address
    key: PrivateKey = field(repr=False, compare=False)

    def sign(self, digest: bytes) -> bytes:
        """64 bytes r, vs."""
        return to_compact(self.key.sign_recoverable(digest, hasher=None))

    def sign65(self, digest: bytes) -> bytes:
        """65 bytes r, s, v."""
        signature = self.key.sign_recoverable(digest, hasher=None)
        return signature[:64] + bytes([27 + signature[64]])


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


def _keyed(key: PrivateKey) -> Member:
    return Member(Address(to_checksum_address(keccak(key.public_key.format(compressed=False)[1:])[12:])), key)


def _member(number: int) -> Member:
    return _keyed(PrivateKey(keccak(text=f"attester {number}")))


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


def _person(name: str) -> Member:
    return _keyed(PrivateKey(keccak(text=name)))


def _first_contract_of(maker: Address) -> Address:
    """Where an account's first contract stands: RLP of the account and nonce 0, hashed."""
    return Address(to_checksum_address(keccak(b"\xd6\x94" + bytes.fromhex(maker[2:]) + b"\x80")[12:]))


_PEOPLE = tuple(_person(name) for name in ("Ann", "Ben", "Cat", "Dan"))
ANN, BEN, CAT, DAN = (person.address for person in _PEOPLE)
_OWNERS = tuple(_person(f"owner of {name}") for name in ("Eve", "Fay"))
EVE, FAY = (_first_contract_of(owner.address) for owner in _OWNERS)
WALLETS = {EVE: _OWNERS[0], FAY: _OWNERS[1]}
"""Parties that are contracts, and whose keys sign for them."""
PARTIES = (ANN, BEN, CAT, DAN, EVE, FAY)
"""Payers, payees and receivers of fees, in turn: who pays in one agreement is paid in another."""
SIGNERS = {person.address: person for person in _PEOPLE} | WALLETS
"""Whose key makes the signature of a party."""
JUDGE, KEEPER, PAUPER, STRANGER, DEPLOYER = (_someone(n) for n in ("Judge", "Keeper", "Pauper", "Stranger", "Deployer"))
NAMES = {ANN: "Ann", BEN: "Ben", CAT: "Cat", DAN: "Dan", EVE: "Eve", FAY: "Fay", JUDGE: "Judge", KEEPER: "Keeper"}
NAMES |= {PAUPER: "Pauper", STRANGER: "Stranger", ZERO_ADDRESS: "nobody"}
MOODS = ("Glad", "Reject", "BurnGas", "Bomb", "Reenter", "PassOn")
"""How a wallet takes native currency."""
TAKES = {"Glad", "Reenter"}
"""The moods in which it does."""


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
    signing: Address
    """A token with permits (ERC-2612) and authorizations (ERC-3009)."""
    codes: dict[str, Code]

    @property
    def domain(self) -> Domain:
        return escrow_domain(31337, self.escrow)

    @property
    def verifier_domain(self) -> Domain:
        return verifier_domain(31337, self.verifier)

    @property
    def tokens(self) -> tuple[Address, ...]:
        return self.play, self.moody, self.signing, ZERO_ADDRESS

    @property
    def everyone(self) -> tuple[Address, ...]:
        """All who can hold a token."""
        return (*PARTIES, JUDGE, KEEPER, PAUPER, STRANGER, self.hook, self.escrow)

    @property
    def contracts(self) -> frozenset[Address]:
        made = {self.escrow, self.verifier, self.mute, self.hook, self.play, self.moody, self.signing}
        return frozenset(made | set(WALLETS))

    @property
    def speechless(self) -> frozenset[Address]:
        """Contracts that call nobody, and may be named as somebody all the same."""
        return self.contracts - set(WALLETS) - {self.hook}

    @property
    def names(self) -> dict[str, str]:
        """Addresses in the words of a trace."""
        at = {self.escrow: "escrow", self.verifier: "verifier", self.mute: "mute", self.hook: "Hook"}
        return NAMES | at | {self.play: "PLAY", self.moody: "MOODY", self.signing: "SIGN"}

    def through(self, wallet: Address, to: Address, data: bytes, value: int = 0) -> bytes:
        """What makes a wallet call somebody."""
        return self.codes["MoodyWallet"].codec.encode("execute", to, value, data)


def set_stage(artifacts: Path, escrow_artifacts: Path) -> Stage:
    """Deploy all, the escrow from a folder of its own, and hand out money and allowances."""
    names = ("QuorumVerifier", "PlayDollar", "HostileToken", "SigningToken", "MoodyWallet")
    names += ("Judges/HookArbiter", "Judges/StubVerifier")
    codes = {name.rpartition("/")[2]: load(artifacts, name) for name in names}
    codes["Escrow"] = load(escrow_artifacts, "Escrow")
    # What the quick profile makes, for planted mistakes, is larger than what is deployed.
    chain = Chain(code_limit=None if escrow_artifacts == artifacts else 50_000)

    def deploy(name: str, arguments: bytes = b"", deployer: Address = DEPLOYER) -> Address:
        return chain.deploy(deployer, codes[name], arguments)

    stage = Stage(
        chain=chain,
        escrow=deploy("Escrow"),
        verifier=deploy("QuorumVerifier"),
        mute=deploy("StubVerifier", encode(["bytes4"], [b"\xde\xad\xbe\xef"])),
        hook=deploy("HookArbiter"),
        play=deploy("PlayDollar"),
        moody=deploy("HostileToken"),
        signing=deploy("SigningToken"),
        codes=codes,
    )
    for wallet, owner in WALLETS.items():
        assert deploy("MoodyWallet", encode(["address"], [owner.address]), owner.address) == wallet
    _endow(stage)
    return stage


def _endow(stage: Stage) -> None:
    chain, token = stage.chain, stage.codes["PlayDollar"].codec
    endowed = dict.fromkeys(PARTIES, (RICH, ALLOWED)) | {PAUPER: (PAUPER_HAS, PAUPER_ALLOWS)}
    for address in (stage.play, stage.moody, stage.signing):
        for who, (has, allows) in endowed.items():
            chain.send(DEPLOYER, address, token.encode("mint", who, has))
            approval = token.encode("approve", stage.escrow, allows)
            if who in WALLETS:
                chain.send(DEPLOYER, who, stage.through(who, address, approval))
            else:
                chain.send(who, address, approval)
    for who in stage.everyone:
        poor = who in (stage.escrow, stage.hook)
        chain.give(who, RICH if who in PARTIES else 0 if poor else PAUPER_HAS if who == PAUPER else WEI)
