"""Decisions in the database: what was decided, on which inputs, by which rules, at which block."""

from __future__ import annotations

from sqlalchemy import Connection, insert, select

from keeper.chain.blocks import Header
from keeper.policy.frame import Decision
from keeper.policy.inputs import PolicyInput
from keeper.store import schema

_D = schema.decision


def record(
    conn: Connection, intent: bytes, decision: Decision, inputs: PolicyInput, head: Header, *, anew: bool = False
) -> bool:
    """Add a decision's row, and say whether one was added; nothing is ever overwritten.

    A decision that says what the last one on this intent said is not written again, unless it was made `anew`: after
    the intent had come to an end.
    """
    ident = "0x" + intent.hex()
    last = conn.execute(select(_D).where(_D.c.intent == ident).order_by(_D.c.seq.desc()).limit(1)).mappings().first()
    if last is not None and not anew:
        said = (last["outcome"], last["policy"], _answers(last["trace"]), last["inputs"]["changed_hash"])
        if said == (decision.outcome, decision.policy_hash, _answers(decision.to_json()), inputs.changed_hash):
            return False
    conn.execute(
        insert(_D).values(
            intent=ident,
            outcome=decision.outcome.value,
            policy=decision.policy_hash,
            inputs=inputs.to_json(),
            trace=decision.to_json(),
            head_number=head.number,
            head_hash=head.hash,
            head_time=head.time,
        )
    )
    return True


def _answers(trace: list[dict[str, str]]) -> list[tuple[str, str]]:
    """The trace without its words, which name amounts and times that change with every block."""
    return [(step["rule"], step["outcome"]) for step in trace]
