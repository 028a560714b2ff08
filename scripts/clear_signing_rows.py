"""What a wallet shows of each call and message that people sign: the words of interfaces/clear-signing (ERC-7730).

A row says how one field is shown, or `HIDE`. Rows stand in the order of the screen. Labels, and words for sets of
milestones, have at most 20 characters: more is cut off on small devices.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

NATIVE = "0x0000000000000000000000000000000000000000"
"""Stands for the chain's own currency as a token, for nobody as an account."""
NOTHING = "0x" + "00" * 32
MASKS = "$.metadata.enums.milestones"


@dataclass(frozen=True)
class Show:
    """One field on the screen: its label, its ERC-7730 format, and the values at which it is left out."""

    label: str
    format: str = "raw"
    params: Mapping[str, Any] = field(default_factory=dict)
    unless: tuple[str | int | bool, ...] = ()


HIDE = None
Rows = dict[str, Show | None]


@dataclass(frozen=True)
class Screen:
    """One call or message.

    `sentence` names fields by path in braces, of those that are always shown. Fields under a prefix in `agreed` that no
    row names are left out: they were shown when the parties agreed to them, and the contract refuses any other.
    """

    intent: str
    sentence: str
    rows: Rows
    agreed: tuple[str, ...] = ()


def amount(label: str, token: str, *unless: int) -> Show:
    return Show(label, "tokenAmount", {"tokenPath": token, "nativeCurrencyAddress": NATIVE}, unless)


def account(label: str, *types: str, unless: tuple[str, ...] = ()) -> Show:
    """An account, by the name that the wallet knows; `types` are what it may be, by default a person or a contract."""
    return Show(label, "addressName", {"types": list(types) or ["wallet", "eoa", "contract"]}, unless)


def share(label: str, *unless: int) -> Show:
    """Basis points as per cent."""
    return Show(label, "unit", {"base": "%", "decimals": 2}, unless)


def moment(label: str) -> Show:
    return Show(label, "date", {"encoding": "timestamp"})


def span(label: str, *unless: int) -> Show:
    return Show(label, "duration", {}, unless)


def milestones(label: str) -> Show:
    """A set of milestones. One that the list lacks is shown as its number, so the label says how to read that."""
    return Show(f"{label} (bit set)", "enum", {"$ref": MASKS})


VALUE: Rows = {"@.value": Show("Sent along", "amount", {}, (0,))}


def terms(prefix: str, schedule: str) -> Rows:
    """Terms and schedule whole. `prefix` ends with a dot, or is empty."""
    token = f"{prefix}token"
    rows: Rows = {
        "payee": account("Payee"),
        "payer": account("Payer"),
        "token": account("Token", "token", unless=(NATIVE,)),
        "arbiter": account("Arbiter", unless=(NATIVE,)),
        "arbiterHook": Show("Arbiter is called", unless=(False,)),
        "verifier": account("Verifier", "contract", unless=(NATIVE,)),
        "quorum": Show("Attesters' quorum", unless=(NOTHING,)),
        "reviewWindow": span("Review within"),
        "challengeWindow": span("Dispute within", 0),
        "rulingWindow": span("Ruling within", 0),
        "unreviewedBps": share("Payee if unreviewed"),
        "unruledBps": share("Unruled, no verifier"),
        "feeBps": share("Fee of payee's share", 0),
        "feeTo": account("Fee goes to", unless=(NATIVE,)),
        "tip": amount("Tip to who settles", token, 0),
        "document": Show("Legal text (hash)", unless=(NOTHING,)),
        "salt": HIDE,
    }
    lines: Rows = {
        f"{schedule}.[].amount": amount("Amount", token),
        f"{schedule}.[].submitBy": moment("Submit by"),
        f"{schedule}.[].criteria": Show("Criteria (hash)"),
    }
    return lines | {f"{prefix}{name}": row for name, row in rows.items()}


def one(*parties: str) -> Rows:
    """One funded milestone: its amount, the parties named, and what leaves the payee's share."""
    rows: Rows = {"part.milestone.amount": amount("Amount", "part.terms.token"), "part.index": Show("Milestone")}
    rows |= {f"part.terms.{party}": account(party.capitalize()) for party in parties}
    rows["part.terms.token"] = account("Token", "token", unless=(NATIVE,))
    rows["part.terms.feeBps"] = share("Fee of payee's share", 0)
    rows["part.terms.feeTo"] = account("Fee goes to", unless=(NATIVE,))
    return rows


PART = ("part.",)
FUNDED: Rows = {"mask": milestones("Funds"), **terms("terms.", "milestones")}
FUND_SENTENCE = "Lock money for {terms.payee}: {mask} of the schedule {milestones.[].amount}"
VRS: Rows = {"v": HIDE, "r": HIDE, "s": HIDE}
OFFER: Rows = {"asOf": moment("As things stood at"), "deadline": moment("Offer ends")}

CALLS = {
    "fund": Screen("Fund milestones", FUND_SENTENCE, FUNDED | VALUE),
    "fundWithPermit": Screen("Fund milestones", FUND_SENTENCE, FUNDED | {"deadline": moment("Permit ends")} | VRS),
    "fundWithAuthorization": Screen(
        "Fund by authorization",
        "Lock money of {terms.payer} for {terms.payee}: {mask} of the schedule {milestones.[].amount}",
        FUNDED
        | {"validAfter": moment("Authorized from"), "validBefore": moment("Authorized until"), "signature": HIDE}
        | VRS,
    ),
    "accept": Screen(
        "Record the payee's acceptance",
        "Record that {terms.payee} accepts {milestones.[].amount} from {terms.payer} on these terms",
        terms("terms.", "milestones") | {"signature": HIDE},
    ),
    "submit": Screen(
        "Submit work",
        "Submit the work for {part.milestone.amount} of {part.terms.payer}",
        one("payer") | {"part.milestone.submitBy": moment("Submit by"), "deliverable": Show("Deliverable (hash)")},
        PART,
    ),
    "attest": Screen(
        "Deliver a verdict",
        "Deliver the verdict: {a.payoutBps} of {part.milestone.amount} to {part.terms.payee}",
        {"a.payoutBps": share("Award (0% rejects)")}
        | one("payee", "payer")
        | {"a.attempt": Show("Submission"), "a.deliverable": Show("Deliverable (hash)"), "proof": HIDE},
        PART,
    ),
    "approve": Screen(
        "Approve a milestone", "Approve {part.milestone.amount} to {part.terms.payee}", one("payee"), PART
    ),
    "waive": Screen("Waive a milestone", "Give {part.milestone.amount} back to {part.terms.payer}", one("payer"), PART),
    "agree": Screen(
        "Share a milestone",
        "Share {part.milestone.amount}: {payeeBps} to {part.terms.payee}, the rest back to {part.terms.payer}",
        {"payeeBps": share("Payee's share")} | one("payee", "payer") | OFFER | {"payerSig": HIDE, "payeeSig": HIDE},
        PART,
    ),
    "amend": Screen(
        "Go on under other terms",
        "End {a.closes} of the schedule {fromMilestones.[].amount}, "
        "fund {a.opens} of the schedule {toMilestones.[].amount} for {toTerms.payee}",
        {"a.closes": milestones("Ends"), "fromMilestones.[].amount": amount("Amount", "fromTerms.token")}
        | {"a.opens": milestones("Funds")}
        | terms("toTerms.", "toMilestones")
        | {f"a.{name}": row for name, row in OFFER.items()}
        | {"payerSig": HIDE, "payeeSig": HIDE}
        | VALUE,
        ("fromTerms.", "fromMilestones."),
    ),
    "dispute": Screen(
        "Dispute a milestone",
        "Dispute {part.milestone.amount} before {part.terms.arbiter}",
        one("arbiter", "payee", "payer")
        | {"part.terms.rulingWindow": span("Ruling within"), "data": Show("Statement")}
        | VALUE,
        PART,
    ),
    "rule": Screen(
        "Rule on a dispute",
        "Rule {payeeBps} of {part.milestone.amount} to {part.terms.payee}, the rest back to {part.terms.payer}",
        {"payeeBps": share("Payee's share")} | one("payee", "payer") | {"agreement": Show("Agreement")},
        PART,
    ),
    "settle": Screen(
        "Settle what is due",
        "Settle {part.milestone.amount} between {part.terms.payer} and {part.terms.payee} as its clock says",
        one("payee", "payer"),
        PART,
    ),
    "settleMany": Screen(
        "Settle what is due",
        "Settle as their clocks say: {parts.[].milestone.amount}",
        {
            "parts.[].milestone.amount": amount("Amount", "parts.[].terms.token"),
            "parts.[].index": Show("Milestone"),
            "parts.[].terms.payee": account("Payee"),
            "parts.[].terms.payer": account("Payer"),
        },
        ("parts.",),
    ),
    "withdraw": Screen(
        "Withdraw a credit",
        "Withdraw your whole credit in {token} to {to}",
        {"token": Show("Token (0: native)", "tokenTicker"), "to": account("To")},
    ),
    "deliver": Screen(
        "Send a credit",
        "Send {owner} the whole credit in {token}",
        {"token": Show("Token (0: native)", "tokenTicker"), "owner": account("Owner")},
    ),
    "multicall": Screen(
        "Several calls in one",
        "",
        {"data.[]": Show("Call", "calldata", {"calleePath": "@.to", "amountPath": "@.value", "spenderPath": "@.from"})},
    ),
}

MESSAGES = {
    "Terms": Screen(
        "Accept terms", "Accept {milestones.[].amount} from {payer} on these terms", terms("", "milestones")
    ),
    "Split": Screen(
        "Agree to a split",
        "Share milestone {milestone} of agreement {agreement}: {payeeBps} to the payee, the rest back to the payer",
        {"milestone": Show("Milestone"), "agreement": Show("Agreement"), "payeeBps": share("Payee's share"), **OFFER},
    ),
    "Amendment": Screen(
        "Agree to other terms",
        "End {closes} of agreement {from}, fund {opens} of the schedule {to.milestones.[].amount} for {to.payee}",
        {"closes": milestones("Ends"), "from": Show("Agreement that ends")}
        | {"opens": milestones("Funds")}
        | terms("to.", "to.milestones")
        | OFFER,
    ),
    "Attestation": Screen(
        "Judge a milestone",
        "Judge milestone {milestone} of agreement {agreement}: {payoutBps} to the payee",
        {
            "milestone": Show("Milestone"),
            "agreement": Show("Agreement"),
            "payoutBps": share("Award (0% rejects)"),
            "attempt": Show("Submission"),
            "deliverable": Show("Deliverable (hash)", unless=(NOTHING,)),
            "escrow": account("Escrow", "contract"),
            "quorum": Show("Attesters' quorum"),
        },
    ),
}
