"""Warnings about money: the fee, the tip against the gas that it must pay, the token."""

from __future__ import annotations

from collections.abc import Iterator

from keeper.commands.lint.codes import Finding
from keeper.commands.lint.draft import ETHER, NATIVE, Draft, TokenFacts
from keeper.commands.lint.gas import payout_gas
from keeper.commands.words import money, number, percent
from keeper.protocol.types import ZERO_ADDRESS

HIGH_FEE = 500
"""Basis points."""
LARGE_TIP = 50
"""A tip of more than this part of the smallest milestone is called large."""
FAR_ABOVE = 50
"""A tip worth this many times its gas is called far above it: fees of a chain rarely vary by more."""


def about_money(draft: Draft) -> Iterator[Finding]:
    """Every warning about fee, tip and token."""
    terms = draft.terms
    if terms.fee_bps > HIGH_FEE:
        yield Finding(
            "fee-high", f"{percent(terms.fee_bps)} of whatever the payee gets goes to {draft.name(terms.fee_to)}."
        )
    yield from _tip(draft)
    yield from _token(draft)


def _tip(draft: Draft) -> Iterator[Finding]:
    tip, currency = draft.terms.tip, draft.report.currency
    smallest = min(m.amount for m in draft.report.file.agreement.milestones)
    if tip == 0:
        yield Finding("tip-none", "There is no tip: nobody else has a reason to settle this.")
        return
    if tip * LARGE_TIP > smallest:
        yield Finding(
            "tip-large",
            f"The tip of {money(tip, currency)} is more than a {LARGE_TIP}th of the smallest milestone, "
            f"{money(smallest, currency)}.",
        )
    cost, worth = gas_cost(draft), worth_of_tip(draft)
    if cost is None or worth is None:
        return
    assuming = f"{payout_gas(draft.terms):,} gas at {number(_gas_price(draft), 9)} gwei cost {number(cost, ETHER)}"
    told = f"The tip is worth {number(worth, ETHER)} {NATIVE}, and {assuming} now."
    if worth < cost:
        yield Finding("tip-below-gas", told)
    elif worth > FAR_ABOVE * cost:
        yield Finding("tip-far-above-gas", told)


def gas_cost(draft: Draft) -> int | None:
    """Wei that the call which pays out costs at the chain's present fee; None without a chain."""
    return None if draft.chain is None else payout_gas(draft.terms) * draft.chain.gas_price


def worth_of_tip(draft: Draft) -> int | None:
    """Wei that the tip is worth; None where nobody said what a token costs."""
    if draft.terms.token == ZERO_ADDRESS:
        return draft.terms.tip
    return None if draft.price is None else draft.terms.tip * draft.price // 10**draft.report.currency.decimals


def _gas_price(draft: Draft) -> int:
    return draft.chain.gas_price if draft.chain else 0


def _token(draft: Draft) -> Iterator[Finding]:
    token, report = draft.terms.token, draft.report
    if token not in {address for address, _, _ in report.book.tokens.values()}:
        yield Finding("token-unknown", f"The token {draft.name(token)} is not in the deployment's book.")
    if token == ZERO_ADDRESS:
        return
    if draft.chain is not None and draft.chain.token is not None:
        yield from _seen(draft, draft.chain.token)
    yield Finding(
        "token-unseen",
        f"Whether {report.currency.symbol} takes a fee on transfers, changes balances or calls its receivers (ERC-777) "
        "cannot be seen from outside.",
    )


def _seen(draft: Draft, token: TokenFacts) -> Iterator[Finding]:
    address, currency = draft.name(draft.terms.token), draft.report.currency
    if not token.answers:
        yield Finding("token-wrong", f"What stands at {address} does not answer as an ERC-20.")
    elif token.decimals not in (None, currency.decimals):
        yield Finding(
            "token-wrong",
            f"The token {address} counts {token.decimals} decimals where the book counts {currency.decimals}: every "
            "amount means another sum.",
        )
    if token.lists:
        yield Finding("token-blocklist", f"The token {address} keeps a list of accounts that it blocks.")
    for who in sorted(token.blocked):
        yield Finding("party-blocked", f"The token {address} blocks {draft.name(who)}.")
