"""What a node tells of the addresses in the terms, without sending anything."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from eth_utils.crypto import keccak

from keeper.chain.abi import contract
from keeper.chain.blocks import as_hex, as_quantity
from keeper.chain.contract_call import ContractRefused, call
from keeper.chain.rpc import Call, Rpc, RpcFault
from keeper.commands.lint.draft import ChainFacts, HookFacts, Skipped, TokenFacts, roles
from keeper.commands.terms import TermsReport
from keeper.errors import MilepostError
from keeper.protocol.types import ZERO_ADDRESS, Address

T = TypeVar("T")

_DELEGATED = "0xef0100"
"""How the code of an account begins that only delegates to a contract (EIP-7702): it has a key all the same."""
_SLOTS = (
    int.from_bytes(keccak(text="eip1967.proxy.implementation"), "big") - 1,
    int.from_bytes(keccak(text="eip1967.proxy.beacon"), "big") - 1,
    int.from_bytes(keccak(text="org.zeppelinos.proxy.implementation"), "big"),
)
"""Where proxies keep the address of their code (ERC-1967, and what OpenZeppelin used before)."""
_LISTS = ("isBlacklisted(address)", "isBlackListed(address)", "isBlocked(address)", "isFrozen(address)")
"""How tokens that block accounts tell whom: USDC, USDT and others. No standard names it."""
_LONGEST = 200
"""Characters of a stranger's reason that are repeated."""


def look(rpc: Rpc, report: TermsReport, now: int) -> tuple[ChainFacts, tuple[Skipped, ...]]:
    """Everything that a node knows of the terms at its head, and what it would not tell.

    `now` is the head's time. RPC_UNREACHABLE when none answers.
    """
    looker = _Looker(rpc, report, [])
    terms = report.file.agreement.terms
    code = looker.code()
    contracts = frozenset(a for a, found in code.items() if len(found) > 2 and not found.startswith(_DELEGATED))
    judged = [a for a in (terms.token, terms.verifier, terms.arbiter) if a in contracts]
    bare = terms.arbiter if code.get(terms.arbiter) == "0x" else None
    facts = ChainFacts(
        gas_price=rpc.read(partial(as_quantity, what="a gas price"), "eth_gasPrice"),
        code=contracts,
        fresh=frozenset({bare}) if bare and looker.nonce(bare) == 0 else frozenset(),
        proxies=frozenset(looker.proxies(judged)),
        token=looker.token() if terms.token in contracts else None,
        hook=looker.hook(now) if terms.arbiter_hook and terms.arbiter in contracts else HookFacts(),
    )
    return facts, tuple(looker.skipped)


@dataclass(frozen=True, slots=True)
class _Looker:
    rpc: Rpc
    report: TermsReport
    skipped: list[Skipped]

    def code(self) -> dict[Address, str]:
        """The code of everybody whom the terms name, lower-case 0x hex."""
        quorum = self.report.file.quorum
        named = {*roles(self.report.file.agreement.terms).values(), *(quorum.members if quorum else ())}
        addresses = sorted(named)
        calls = [Call(partial(as_hex, what="code"), "eth_getCode", (a, "latest")) for a in addresses]
        return dict(zip(addresses, self._all(calls, "which addresses are contracts"), strict=False))

    def nonce(self, address: Address) -> int:
        return self.rpc.read(partial(as_quantity, what="a nonce"), "eth_getTransactionCount", address, "latest")

    def proxies(self, addresses: Sequence[Address]) -> set[Address]:
        pairs = [(address, slot) for address in addresses for slot in _SLOTS]
        calls = [
            Call(partial(as_quantity, what="a storage word"), "eth_getStorageAt", (address, f"0x{slot:064x}", "latest"))
            for address, slot in pairs
        ]
        words = self._all(calls, "whether code can be replaced")
        return {address for (address, _), word in zip(pairs, words, strict=False) if word}

    def token(self) -> TokenFacts:
        """What the token answers to the questions of an ERC-20, and of a blocklist."""
        terms, escrow = self.report.file.agreement.terms, self.report.book.escrow
        codec = contract("ERC20")
        held = self._view(terms.token, codec.encode("balanceOf", terms.payer))
        allowed = self._view(terms.token, codec.encode("allowance", terms.payer, escrow))
        decimals = self._view(terms.token, codec.encode("decimals"))
        lists, blocked = False, set()
        for signature in _LISTS:
            for who in (terms.payer, terms.payee, escrow):
                said = self._view(terms.token, keccak(text=signature)[:4] + bytes(12) + bytes.fromhex(who[2:]))
                lists = lists or said in (0, 1)
                blocked |= {who} if said == 1 else set()
        return TokenFacts(held is not None and allowed is not None, decimals, lists, frozenset(blocked))

    def hook(self, now: int) -> HookFacts:
        """What the arbiter's contract says to a dispute of the first milestone by the payer, now and without a fee."""
        terms, first = self.report.file.agreement.terms, self.report.file.agreement.milestones[0]
        codec = contract("IArbiter")
        by, rule_by = terms.payer, now + terms.ruling_window
        data = codec.encode("onDispute", self.report.id, 0, by, first.amount, rule_by, b"")
        try:
            answer = call(self.rpc, terms.arbiter, data, sender=self.report.book.escrow)
        except ContractRefused as refused:
            if "Value" in refused.name and refused.arguments.get("have") == 0:
                return HookFacts(fee=int(refused.arguments["want"]))
            return HookFacts(refusal=_readable(refused.text))
        except MilepostError as error:
            return HookFacts(refusal=_readable(_unless_unreachable(error).cause or error.title))
        selector = codec.functions["onDispute"].selector
        wrong = answer[:4] != selector
        return HookFacts(refusal=f"it answered 0x{answer[:4].hex()} and not 0x{selector.hex()}" if wrong else "")

    def _view(self, to: Address, data: bytes) -> int | None:
        """The one word that a view returns; None when it fails, or returns anything else."""
        try:
            answer = call(self.rpc, to, data)
        except ContractRefused:
            return None
        except MilepostError as error:
            _unless_unreachable(error)
            return None
        return int.from_bytes(answer, "big") if len(answer) == 32 else None

    def _all(self, calls: Sequence[Call[T]], what: str) -> list[T]:
        """Every answer, or none and a note of what the node would not tell."""
        answers, good = self.rpc.read_batch(calls), []
        for answer in answers:
            if isinstance(answer, RpcFault):
                self.skipped.append(Skipped(what, f"the node refused: {_readable(answer.message)}"))
                return []
            good.append(answer)
        return good


def _readable(text: str) -> str:
    """Words of a stranger in one short line: a contract writes what it likes into its reasons, terminal codes too."""
    line = "".join(character if character.isprintable() else " " for character in text)
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}…"


def _unless_unreachable(error: MilepostError) -> MilepostError:
    """A call that a contract makes fail in a way that nodes do not call a revert, such as by burning all gas."""
    if error.code != "RPC_REFUSED":
        raise error
    return error


def unasked(report: TermsReport) -> tuple[str, ...]:
    """Everything that only a node can tell, for those who asked none."""
    terms = report.file.agreement.terms
    checks = ["deadlines against the chain's clock", "which addresses are contracts", "the tip against the gas price"]
    if terms.arbiter != ZERO_ADDRESS:
        checks.append("whether the arbiter has a history")
    if terms.arbiter_hook:
        checks.append("whether the arbiter's contract takes disputes")
    if terms.token != ZERO_ADDRESS:
        checks.append("how the token answers")
    return tuple(checks)
