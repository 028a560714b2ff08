"""The register of warnings: code, severity, when it fires, what to do. docs/reference/warnings.md is made from it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How much a warning should hold somebody up."""

    DANGER = "danger"
    """One side can lose everything by it though nobody it trusts failed, or the agreement cannot work as written."""
    CAUTION = "caution"
    """Often regretted; sometimes meant."""
    NOTE = "note"
    """Worth knowing before signing."""


@dataclass(frozen=True, slots=True)
class Spec:
    """One line of the register."""

    severity: Severity
    when: str
    hint: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One warning about one terms file."""

    code: str
    sentence: str
    milestone: int | None = None

    @property
    def severity(self) -> Severity:
        """As the register has it."""
        return WARNINGS[self.code].severity

    @property
    def hint(self) -> str:
        """What to do."""
        return WARNINGS[self.code].hint


_D, _C, _N = Severity.DANGER, Severity.CAUTION, Severity.NOTE

WARNINGS: dict[str, Spec] = {
    # who judges
    "nobody-judges": Spec(
        _D,
        "there is neither verifier nor arbiter",
        "payee: name attesters or an arbiter, unless you would also trust the payer's word alone",
    ),
    "quorum-of-one": Spec(
        _D, "one attester is the whole quorum", "name at least three attesters, two of whom must agree"
    ),
    "party-attests": Spec(
        _D, "a party, or who receives the fee, is one of the attesters", "name attesters who gain nothing by a verdict"
    ),
    "arbiter-attests": Spec(
        _D, "the arbiter is one of the attesters", "name an arbiter who did not already judge what is disputed"
    ),
    "verdicts-final": Spec(
        _C,
        "there are attesters and no arbiter",
        "name an arbiter and a challenge window, or choose attesters you need not check",
    ),
    "no-attesters": Spec(
        _C, "there is an arbiter and no verifier", "name attesters, or be sure to watch every submission yourself"
    ),
    "quorum-unanimous": Spec(
        _C, "every one of several attesters has to sign", "name one attester more than have to agree"
    ),
    "quorum-bare-majority": Spec(
        _N,
        "two opposite verdicts would need only one attester in common",
        "raise the threshold by one if the attesters are few or not independent",
    ),
    "quorum-unknown": Spec(
        _C,
        "what the quorum's hash stands for is not known here",
        "ask for its members, or conditions, and compare the hash",
    ),
    "verifier-unknown": Spec(
        _C,
        "the verifier is not a contract of the deployment",
        "read its code: whatever it accepts is a verdict",
    ),
    "attester-is-contract": Spec(
        _C,
        "an attester is a contract (needs the chain)",
        "ask who holds its keys, and count it out if that is another attester",
    ),
    "arbiter-fresh": Spec(
        _C,
        "the arbiter has no code and never sent a transaction (needs the chain)",
        "let the arbiter sign a message, or send a transaction, from that address before you fund",
    ),
    "arbiter-hook": Spec(
        _N,
        "the arbiter is a contract that is called on dispute",
        "read its rules: it may ask a fee, and may refuse a dispute, also one side's only",
    ),
    "arbiter-refuses": Spec(
        _C,
        "the arbiter's contract refuses a dispute tried now, without a fee (needs the chain)",
        "read its reason: pay its fee when you dispute, or give it the ruling window that it needs",
    ),
    "arbiter-fee": Spec(
        _N,
        "the arbiter's contract asks a fee for a dispute (needs the chain)",
        "keep the fee at hand for as long as you may want to dispute: each window is short",
    ),
    "no-code": Spec(
        _D,
        "verifier, hook or token has no code (needs the chain)",
        "check the address and the chain: funding is refused",
    ),
    "code-replaceable": Spec(
        _C,
        "token, verifier or arbiter is a proxy whose code can be replaced (needs the chain)",
        "find out who may replace its code, and how fast",
    ),
    # what silence does
    "silence-accepts": Spec(
        _D,
        "a submission that nobody reviews pays the payee everything",
        "payer: lower shares.unreviewed, or watch every submission for as long as the agreement lives",
    ),
    "unreviewed-large": Spec(
        _C,
        "silence pays the payee half or more",
        "lower shares.unreviewed to what a mere attempt is worth to the payer",
    ),
    "pays-for-garbage": Spec(
        _C,
        "by submitting anything the payee gets some money if the judges are silent",
        "set the share to 0 %, or name more attesters than can fail at once",
    ),
    "early-submission": Spec(
        _N,
        "silence can end a milestone before its deadline",
        "payee: submit when it is ready to be judged, not before: its review starts at once",
    ),
    # time
    "window-short": Spec(_C, "a window is shorter than a day", "give people at least a day: they sleep and travel"),
    "deadline-soon": Spec(
        _C,
        "a milestone is due within two days (needs the chain's clock)",
        "move the deadline, or be sure that it is ready",
    ),
    "deadline-order": Spec(
        _C, "a milestone is due before an earlier one", "put the milestones in the order of their deadlines"
    ),
    "review-overlaps": Spec(
        _N,
        "a milestone may still be under review when the next is due",
        "leave the review window between two deadlines if the second builds on the first",
    ),
    "lifetime-long": Spec(
        _C,
        "money can stay locked for more than two years from now (needs the chain's clock)",
        "fund in parts, milestone by milestone, or shorten deadlines and windows",
    ),
    # money
    "fee-high": Spec(_C, "the fee is above 5 %", "payee: ask what it pays for; it comes out of your share"),
    "tip-none": Spec(_N, "there is no tip", "run a keeper of your own or settle by hand: strangers have no reason to"),
    "tip-large": Spec(
        _C,
        "the tip is more than 2 % of the smallest milestone",
        "lower the tip to a small multiple of the gas it must pay",
    ),
    "tip-below-gas": Spec(
        _C,
        "the tip is worth less than the gas of the call that earns it (needs the chain's fee and a price)",
        "raise the tip, or run a keeper of your own",
    ),
    "tip-far-above-gas": Spec(
        _C,
        "the tip is worth more than fifty times that gas (needs the chain's fee and a price)",
        "lower the tip: the payee pays it on every payout",
    ),
    "token-unknown": Spec(
        _C, "the token is not in the deployment's book", "check the token's address with its issuer, digit by digit"
    ),
    "token-wrong": Spec(
        _D,
        "the token does not answer as an ERC-20, or has other decimals than the book says (needs the chain)",
        "do not fund: mend the deployment's book first, every amount in the file is read by it",
    ),
    "token-blocklist": Spec(
        _C,
        "the token can block accounts (needs the chain)",
        "accept that its issuer can stop any payout; what cannot be pushed waits as a credit",
    ),
    "party-blocked": Spec(
        _D, "the token blocks a party, or the escrow (needs the chain)", "do not fund: use another token or account"
    ),
    "token-unseen": Spec(
        _N,
        "the token is an ERC-20",
        "read its documents: the escrow refuses fee-on-transfer and does not serve rebasing tokens",
    ),
    # documents
    "document-missing": Spec(
        _C,
        "there is no legal text behind the hash, or it is not known here",
        "get the text and check its hash before you sign",
    ),
    "criteria-missing": Spec(
        _D,
        "nobody here has a milestone's criteria",
        "get the document and check its hash: without it nothing can be accepted",
    ),
    "criteria-unjudgeable": Spec(
        _D,
        "no attester can judge by a milestone's criteria",
        "mend the criteria document: its sources name what is wrong",
    ),
    "criteria-copied": Spec(
        _C,
        "several milestones have the same criteria",
        "tell them apart in the criteria, or one delivery may be paid once for each",
    ),
    "criteria-one-source": Spec(
        _C,
        "one source alone decides whether a milestone is done",
        "name a second, independent source and let both agree",
    ),
    "criteria-pay-part": Spec(
        _N,
        "fulfilled criteria pay less than the whole milestone",
        "payee: make sure that the lower share is what you agreed to",
    ),
    "salt-zero": Spec(
        _N,
        "a salt is zero",
        "draw 32 random bytes: else short documents can be guessed, and equal terms are funded only once",
    ),
}
