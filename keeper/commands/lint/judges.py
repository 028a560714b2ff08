"""Warnings about who judges: attesters, arbiter, and what a node tells of them."""

from __future__ import annotations

from collections.abc import Iterator

from keeper.commands.lint.codes import Finding
from keeper.commands.lint.draft import ETHER, NATIVE, ChainFacts, Draft
from keeper.commands.words import number
from keeper.protocol.funding import structural_faults
from keeper.protocol.quorum import Quorum
from keeper.protocol.refusals import Name
from keeper.protocol.types import ZERO_ADDRESS, Address


def judges(draft: Draft) -> Iterator[Finding]:
    """Every warning about attesters and arbiter."""
    terms, quorum = draft.terms, draft.report.file.quorum
    attested, arbitrated = terms.verifier != ZERO_ADDRESS, terms.arbiter != ZERO_ADDRESS
    if not attested and not arbitrated:
        yield Finding("nobody-judges", "Nobody judges: the payee is paid only if the payer approves.")
    elif not arbitrated:
        yield Finding(
            "verdicts-final", "There is no arbiter: what the attesters say is final, and so is their silence."
        )
    elif not attested:
        yield Finding(
            "no-attesters", "Nobody attests: the payer approves, or somebody has to dispute, or silence decides."
        )
    if attested and terms.verifier not in draft.report.book.contracts.values():
        yield Finding("verifier-unknown", f"The verifier {draft.name(terms.verifier)} is not one of this deployment.")
    if attested and quorum is None:
        yield Finding(
            "quorum-unknown", f"What the verifier accepts for the quorum 0x{terms.quorum.hex()} is not known here."
        )
    if quorum is not None:
        yield from _quorum(draft, quorum)
    if terms.arbiter_hook:
        yield Finding("arbiter-hook", "The arbiter is a contract that is called on every dispute and may refuse it.")
    if draft.chain is not None:
        yield from _seen(draft, draft.chain, quorum)


def _quorum(draft: Draft, quorum: Quorum) -> Iterator[Finding]:
    terms, m, n = draft.terms, quorum.m, len(quorum.members)
    if n == 1:
        only = draft.name(quorum.members[0])
        yield Finding("quorum-of-one", f"{only} alone is the quorum: one key, stolen or lost, decides every milestone.")
    elif m == n:
        yield Finding("quorum-unanimous", f"All {n} attesters have to sign: one that is down stops every verdict.")
    elif 2 * m - n == 1:
        yield Finding(
            "quorum-bare-majority",
            f"{m} of {n} is a bare majority: one attester that signs twice is enough for two opposite verdicts.",
        )
    for role, address in (("payer", terms.payer), ("payee", terms.payee), ("receiver of the fee", terms.fee_to)):
        if address in quorum.members:
            yield Finding("party-attests", f"The {role} {draft.name(address)} is one of the attesters.")
    if terms.arbiter in quorum.members:
        yield Finding(
            "arbiter-attests",
            f"The arbiter {draft.name(terms.arbiter)} is one of the attesters whose verdicts may be disputed.",
        )


def _seen(draft: Draft, chain: ChainFacts, quorum: Quorum | None) -> Iterator[Finding]:
    """What only a node can tell."""
    terms = draft.terms
    agreement, escrow = draft.report.file.agreement, draft.report.book.escrow
    for fault in structural_faults(terms, agreement.milestones, escrow, chain.code):
        if fault.refusal.name == Name.NO_CODE:
            yield Finding("no-code", f"Funding will be refused: there is no code at {fault.refusal.args[0]}.")
    for address in quorum.members if quorum else ():
        if address in chain.code:
            yield Finding(
                "attester-is-contract",
                f"The attester {draft.name(address)} is a contract: it posts no bond, cannot be proved to have signed "
                "twice, and one key may stand behind several.",
            )
    if terms.arbiter in chain.fresh:
        yield Finding(
            "arbiter-fresh",
            f"The arbiter {draft.name(terms.arbiter)} has no history on this chain: a mistyped address never rules.",
        )
    if chain.hook.refusal:
        yield Finding("arbiter-refuses", f"The arbiter's contract refused a dispute tried now: {chain.hook.refusal}.")
    if chain.hook.fee:
        yield Finding(
            "arbiter-fee", f"The arbiter's contract asks {number(chain.hook.fee, ETHER)} {NATIVE} for a dispute."
        )
    for role, address in _contracts(draft):
        if address in chain.proxies:
            yield Finding("code-replaceable", f"The {role} {draft.name(address)} is a proxy: its code can be replaced.")


def _contracts(draft: Draft) -> tuple[tuple[str, Address], ...]:
    terms = draft.terms
    return (("token", terms.token), ("verifier", terms.verifier), ("arbiter", terms.arbiter))
