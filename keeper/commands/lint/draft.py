"""What the rules look at: a checked terms file, and what a node said about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from keeper.commands.terms import TermsReport
from keeper.protocol.types import ZERO_ADDRESS, Address, Terms

ETHER = 18
"""Decimals of the native currency."""
NATIVE = "of the native currency"


@dataclass(frozen=True, slots=True)
class TokenFacts:
    """A token as it answers."""

    answers: bool
    """Whether balances and allowances are told as an ERC-20 tells them."""
    decimals: int | None
    lists: bool
    """Whether it tells of a blocklist."""
    blocked: frozenset[Address]
    """Who is on it, of the parties and the escrow."""


@dataclass(frozen=True, slots=True)
class HookFacts:
    """What an arbiter's contract said to a dispute that was tried without being sent."""

    refusal: str = ""
    """Why it refused; empty if it did not, or is not called."""
    fee: int = 0
    """Wei that it asked for."""


@dataclass(frozen=True, slots=True)
class ChainFacts:
    """What a node said, at one head."""

    gas_price: int
    """Wei."""
    code: frozenset[Address]
    """Which of the addresses in the terms are contracts; an account that only delegates to code is none."""
    fresh: frozenset[Address]
    """Which of them have neither code nor a transaction of their own."""
    proxies: frozenset[Address]
    """Contracts whose code stands in a slot of ERC-1967, or in that of older proxies."""
    token: TokenFacts | None
    """None for the native currency, and where the token has no code."""
    hook: HookFacts


@dataclass(frozen=True, slots=True)
class Skipped:
    """What was not looked at, and why."""

    check: str
    why: str


@dataclass(frozen=True, slots=True)
class Draft:
    """Everything that the rules may use. Times are unix seconds of the chain, prices wei for a whole token."""

    report: TermsReport
    now: int | None = None
    chain: ChainFacts | None = None
    price: int | None = None
    skipped: tuple[Skipped, ...] = field(default=())

    @property
    def terms(self) -> Terms:
        return self.report.file.agreement.terms

    def name(self, address: Address) -> str:
        """The file's or the book's name with the address, or the address alone."""
        label = self.report.file.labels.get(address)
        return f"{label} ({address})" if label else address


def roles(terms: Terms) -> Mapping[str, Address]:
    """Everybody and everything that the terms name, by role; the quorum's members aside."""
    named = {
        "payer": terms.payer,
        "payee": terms.payee,
        "arbiter": terms.arbiter,
        "receiver of the fee": terms.fee_to,
        "verifier": terms.verifier,
        "token": terms.token,
    }
    return {role: address for role, address in named.items() if address != ZERO_ADDRESS}
