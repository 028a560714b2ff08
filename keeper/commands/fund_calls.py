"""The transactions that lock money: the quorum's announcement, an exact allowance, the funding itself."""

from __future__ import annotations

from collections.abc import Iterator

from keeper.chain.abi import contract
from keeper.chain.account import balance
from keeper.chain.token import Token
from keeper.commands.carry import check_balance
from keeper.commands.context import Session
from keeper.commands.facts import quorum_of
from keeper.commands.fund_preview import locked
from keeper.commands.plan import Call
from keeper.commands.terms import TermsReport
from keeper.commands.words import money
from keeper.errors import MilepostError
from keeper.outbox.intents import IntentRequest
from keeper.protocol.encoding import milestone_to_abi, terms_to_abi
from keeper.protocol.types import ZERO_ADDRESS, Address

LOCK_GAS = 100_000
"""Added to the estimate of a funding: a token may cost more in the block than in the estimate."""


def funding_calls(session: Session, report: TermsReport, mask: int) -> Iterator[Call]:
    """What has to be sent, in order, to fund the milestones in `mask`; INSUFFICIENT_FUNDS.

    The native currency goes along with the call; a token is taken out of an allowance of just that much.
    """
    total, native = locked(report, mask), report.file.agreement.terms.token == ZERO_ADDRESS
    held = balance(session.rpc, session.sender) if native else _token(session, report).balance(session.sender)
    check_balance(session, total, held, lambda units: money(units, report.currency))
    yield from _announce(session, report)
    if native:
        yield Call(_title(report, total), _funding(session, report, mask, value=total), moves=True)
    else:
        yield from _out_of_allowance(session, report, mask, total)


def _out_of_allowance(session: Session, report: TermsReport, mask: int, total: int) -> Iterator[Call]:
    token = _token(session, report)
    allowance = token.allowance(session.sender, session.escrow.address)
    short_of = allowance < total
    if short_of:
        yield from _allow(session, report, mask, total, allowance)
    yield Call(
        _title(report, total),
        _funding(session, report, mask, value=0),
        frozenset({"TransferFromFailed"}) if short_of else frozenset(),
        comes_after="everything before the transfer works; the allowance comes first",
        ready=lambda: _check_allowance(session, report, token, total),
        moves=True,
    )


def _token(session: Session, report: TermsReport) -> Token:
    return Token(session.rpc, report.file.agreement.terms.token)


def _title(report: TermsReport, total: int) -> str:
    return f"lock {money(total, report.currency)} in the escrow"


def _funding(session: Session, report: TermsReport, mask: int, value: int) -> IntentRequest:
    agreement = report.file.agreement
    milestones = [milestone_to_abi(m) for m in agreement.milestones]
    return IntentRequest(
        action="fund",
        agreement=report.id,
        milestone=0,
        to=session.escrow.address,
        calldata=contract("Escrow").encode("fund", terms_to_abi(agreement.terms), milestones, mask),
        value=value,
        deliverable=mask.to_bytes(32, "big"),
        gas=LOCK_GAS,
    )


def _announce(session: Session, report: TermsReport) -> Iterator[Call]:
    """Publish the quorum's members once, so that anyone can build its proofs."""
    terms, quorum = report.file.agreement.terms, report.file.quorum
    if quorum is None or terms.verifier not in session.deployment.verifiers().values():
        return
    if quorum_of(session, terms) is not None:
        return
    yield Call(
        f"announce the quorum, {quorum.m} of {len(quorum.members)} attesters",
        IntentRequest(
            action="announce",
            agreement=bytes(32),
            milestone=0,
            to=terms.verifier,
            calldata=contract("QuorumVerifier").encode("announce", quorum.m, list(quorum.members)),
            deliverable=quorum.hash,
        ),
    )


def _allow(session: Session, report: TermsReport, mask: int, total: int, allowance: int) -> Iterator[Call]:
    """Allow exactly what the funding takes, never more.

    An allowance that is there and too small is taken back first: some tokens (USDT) refuse to change one into another.
    """
    if allowance:
        title = f"take back the old allowance of {money(allowance, report.currency)}"
        yield Call(title, _approval(session, report, mask, 0, allowance))
    yield Call(
        f"allow the escrow to take exactly {money(total, report.currency)}",
        _approval(session, report, mask, total, 0),
        # Such a token refuses without a reason, or with one in words.
        frozenset({"", "Error"}) if allowance else frozenset(),
        comes_after="the old allowance has to be taken back first",
    )


def _approval(session: Session, report: TermsReport, mask: int, units: int, allowance: int) -> IntentRequest:
    """`allowance` is what it replaces and part of the wish: after that was spent it is another wish."""
    wish = mask.to_bytes(8, "big") + units.to_bytes(16, "big") + (allowance % (1 << 64)).to_bytes(8, "big")
    return IntentRequest(
        action="token-approve",
        agreement=report.id,
        milestone=0,
        to=Address(report.currency.token),
        calldata=contract("ERC20").encode("approve", session.escrow.address, units),
        deliverable=wish,
    )


def _check_allowance(session: Session, report: TermsReport, token: Token, total: int) -> None:
    """INSUFFICIENT_ALLOWANCE where the token does not show what was allowed a moment ago."""
    found = token.allowance(session.sender, session.escrow.address)
    if found < total:
        expected, held = money(total, report.currency), money(found, report.currency)
        raise MilepostError(
            "INSUFFICIENT_ALLOWANCE",
            f"The token does not let the escrow take {expected}",
            cause=f"expected an allowance of {expected} for {session.escrow.address}, found {held}",
        )
