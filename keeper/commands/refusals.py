"""A contract's no, before anything is sent, in words for the person who asked. Pure but for reading exceptions."""

from __future__ import annotations

from keeper.chain.contract_call import ContractRefused
from keeper.commands.explain import Explanation, Facts, command_of, person
from keeper.commands.rights import holders
from keeper.commands.words import hex0x, money, sentence, short, utc, when
from keeper.errors import REGISTRY, MilepostError
from keeper.protocol.types import Address, Terms

_TIMES = ("lastSecond", "firstSecond", "timestamp", "submitBy")


def refused(error: ContractRefused, title: str, *, hint: str = "") -> MilepostError:
    """The contract's refusal under its own code, times written as dates."""
    shown = error.to_error(title)
    cause = shown.cause
    for name in _TIMES:
        if name in error.arguments:
            cause = cause.replace(f"{name} {error.arguments[name]}", f"{name} {utc(error.arguments[name])}")
    return MilepostError(shown.code, title, cause=cause, hint=hint or shown.hint)


def contract_error(name: str, title: str, *, cause: str, money: str = "", hint: str = "") -> MilepostError:
    """What the contract would answer, told without asking it: its error's name as code, where the registry has it."""
    code = name if name in REGISTRY else "REVERTED"
    return MilepostError(code, title, cause=cause, money=money, hint=hint)


def not_your_role(action: str, terms: Terms, sender: Address, what: str) -> MilepostError:
    """NOT_AUTHORISED with who may."""
    addresses = {"payer": terms.payer, "payee": terms.payee, "arbiter": terms.arbiter}
    roles = holders(action)
    who = " or ".join(f"the {role} {addresses[role]}" for role in roles if role in addresses)
    return MilepostError(
        "NOT_AUTHORISED",
        f"You may not {action} {what}",
        cause=f"expected {who}, found {sender}",
        hint=f"use the key of the {' or '.join(roles)}, or --unsigned --as ADDRESS to let it sign elsewhere",
    )


def not_now(action: str, facts: Facts, explained: Explanation, agreement: bytes) -> MilepostError:
    """NOT_DUE for what will open by time alone, else the contract's refusal, with the milestone's clock in words."""
    name, full = short(hex0x(agreement)), hex0x(agreement)
    stays = f"nothing moved; {money(facts.milestone.amount, facts.currency)} stay locked"
    later = [r for r in explained.rights if r.action == action and not r.open_at(facts.now)]
    title = f"{sentence(explained.name)} of {name} cannot be {_PARTICIPLES[action]}"
    if later:
        cause = f"it {_verb(explained.sentence)}; `{action}` opens {when(later[0].opens, facts.now)}"
        hint = f"repeat after {utc(later[0].opens)}, or see `milepost show {full}`"
        return MilepostError("NOT_DUE", f"{title} yet", cause=cause, money=stays, hint=hint)
    code = "TooLate" if _was_possible(action, explained) else "WrongStatus"
    now = [r for r in explained.rights if r.open_at(facts.now)]
    options = "; ".join(f"{person(r.role, facts)} may {r.action}" for r in now) or "nobody can do anything now"
    hint = f"`{command_of(now[-1], facts.index, full)}`" if now else f"`milepost show {full}` tells what is next"
    return contract_error(code, title, cause=f"it {_verb(explained.sentence)}; now {options}", money=stays, hint=hint)


_PARTICIPLES = {
    "submit": "submitted",
    "approve": "approved",
    "waive": "waived",
    "dispute": "disputed",
    "rule": "ruled on",
    "settle": "settled",
    "attest": "attested",
}


def _verb(sentence: str) -> str:
    """A milestone's sentence after `it`: those that begin with a participle get their `was`."""
    starts = ("submitted", "disputed", "settled")
    return f"was {sentence}" if sentence.startswith(starts) else sentence


def _was_possible(action: str, explained: Explanation) -> bool:
    needs = {"rule": "disputed", "submit": "funded", "dispute": ("submitted", "attested", "funded")}
    return explained.status in needs.get(action, ())
