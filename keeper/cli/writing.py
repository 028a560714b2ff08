"""The one path of every command that writes: preview, rehearse, confirm, send, receipt."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from keeper.cli.run import Run
from keeper.errors import MilepostError, Moved

if TYPE_CHECKING:
    from rich.console import Console

    from keeper.commands.carry import Carried
    from keeper.commands.context import Progress, Session
    from keeper.commands.plan import Plan
    from keeper.ledger.views import Place

Make = Callable[["Session", "Place", "Progress"], "Plan"]
After = Callable[["Session", "Plan", "Carried"], None]


def write(
    run: Run, make: Make, *, publishes: bool = True, before: After | None = None, after: After | None = None
) -> None:
    """Make a plan and do with it what the options say.

    `before` runs after the confirmation and before anything is published or sent, `after` when all is on chain.
    """
    with _session(run) as session, session.exclusive():
        with run.progress("reading the chain") as progress, _honest(session):
            plan = make(session, session.catch_up(progress), progress)
        run.run_id = plan.run_id
        if run.options.unsigned:
            _print_unsigned(run, session, plan, publishes=publishes, before=before)
        elif run.options.dry_run:
            _dry_run(run, session, plan)
        else:
            _send(run, session, plan, publishes=publishes, before=before, after=after)


@contextmanager
def _session(run: Run) -> Iterator[Session]:
    from keeper.commands.context import open_session

    options = run.options
    rehearses = options.dry_run or options.unsigned
    if options.acting_as and not rehearses:
        raise MilepostError(
            "USAGE",
            "--as acts for an account whose key is elsewhere",
            cause="it goes with --dry-run or --unsigned only",
            hint="leave it out to sign with the key of the settings",
        )
    need = {"chain"} if options.acting_as else {"chain", "key"}
    with open_session(options.config, need, options.acting_as) as session:
        yield session


@contextmanager
def _honest(session: Session) -> Iterator[None]:
    """A silent node says nothing about what an earlier run has sent: then nobody is told that nothing moved."""
    from keeper.commands.uncertain import SILENT, still_on_its_way

    try:
        yield
    except MilepostError as error:
        if error.code in SILENT:
            error.money = still_on_its_way(session) or error.money
        raise


def _print_unsigned(run: Run, session: Session, plan: Plan, *, publishes: bool, before: After | None) -> None:
    from keeper.commands import carry
    from keeper.commands.publish import publish

    transactions = carry.unsigned(plan)
    envelopes = [{"title": d.title, **d.envelope.to_json()} for d in plan.documents]
    run.say(_preview(plan))
    if before:
        before(session, plan, carry.Carried((), ()))  # a salt that only this run knew would be lost with it
    published = carry.Carried((), ())
    if plan.done:
        run.say(plan.done)
        with run.progress("publishing") as progress:
            wanted = plan.documents if publishes and session.settings.relays else ()
            published = carry.Carried(publish(session, wanted, progress), ())
    elif plan.documents and publishes:
        run.say("The documents are not on the relays yet: repeat this very command once the transactions are on chain.")

    def words(out: Console) -> None:
        import orjson

        text = orjson.dumps(transactions, option=orjson.OPT_INDENT_2).decode()
        out.print(text, markup=False, soft_wrap=True)

    data = {
        **_plan_json(plan),
        "transactions": transactions,
        "documents": envelopes,
        "published": _published_json(published),
    }
    run.emit("milepost/unsigned/1", data, words)


def _dry_run(run: Run, session: Session, plan: Plan) -> None:
    from keeper.commands import carry

    run.say(_preview(plan))
    rehearsed = carry.rehearse(session, plan)

    def words(out: Console) -> None:
        for item in rehearsed:
            out.print(f"would {item.title}: {item.note}", markup=False, soft_wrap=True)
        out.print(plan.done or "Nothing was sent.", markup=False, soft_wrap=True)

    calls = [{"title": item.title, "note": item.note} for item in rehearsed]
    run.emit("milepost/dry-run/1", {**_plan_json(plan), "calls": calls, "moved": Moved.NONE.value}, words)


def _send(
    run: Run, session: Session, plan: Plan, *, publishes: bool, before: After | None, after: After | None
) -> None:
    from keeper.commands import carry

    if plan.calls:
        run.warn_of_key(session)
        run.say(_preview(plan))
        carry.rehearse(session, plan)
        run.confirm(plan.question)
    nothing = carry.Carried((), ())
    if before:
        before(session, plan, nothing)
    with run.progress("sending") as progress:
        carried = carry.carry_out(
            session, plan, publishes=publishes, wait_s=run.options.wait_s, progress=progress, know=run.know
        )
        if after and carried.sent:
            session.catch_up(progress)
            after(session, plan, carried)
    run.emit("milepost/receipt/1", _receipt_json(plan, carried), lambda out: _receipt(out, plan, carried))


def _preview(plan: Plan) -> str:
    width = max((len(name) for name, _ in plan.preview.facts), default=0)
    lines = [plan.preview.headline, *(f"  {name.ljust(width)}  {text}" for name, text in plan.preview.facts)]
    steps = [f"  {n}. {call.title}" for n, call in enumerate(plan.calls, 1)] if len(plan.calls) > 1 else []
    return "\n".join([*lines, *(["", "In this order:", *steps] if steps else []), ""])


def _plan_json(plan: Plan) -> dict[str, Any]:
    return {
        "agreement": "0x" + plan.agreement.hex() if any(plan.agreement) else None,
        "index": plan.index,
        "from": plan.sender,
        "chain_id": plan.chain_id,
        "preview": {"headline": plan.preview.headline, "facts": [list(fact) for fact in plan.preview.facts]},
        "done_before": plan.done or None,
        **plan.facts,
    }


def _receipt_json(plan: Plan, carried: Carried) -> dict[str, Any]:
    moved = any(call.moves for call in plan.calls)
    return {
        **_plan_json(plan),
        "moved": (Moved.YES if moved else Moved.NONE).value,
        "transactions": [
            {
                "title": item.title,
                "hash": "0x" + item.receipt.tx_hash.hex(),
                "block": item.receipt.block_number,
                "block_hash": "0x" + item.receipt.block_hash.hex(),
                "gas_used": item.receipt.gas_used,
                "gas_price_wei": str(item.receipt.gas_price),
                "known": item.receipt.known,
            }
            for item in carried.sent
        ],
        "published": _published_json(carried),
    }


def _published_json(carried: Carried) -> list[dict[str, str]]:
    return [{"document": p.document, "title": p.title, "relay": p.relay, "status": p.status} for p in carried.published]


def _receipt(out: Console, plan: Plan, carried: Carried) -> None:
    relays = len({p.relay for p in carried.published})
    documents = len({p.document for p in carried.published})
    if documents:
        noun = "document is" if documents == 1 else "documents are"
        out.print(f"{documents} {noun} on {relays} relay{'s' * (relays > 1)}", markup=False, soft_wrap=True)
    for item in carried.sent:
        receipt = item.receipt
        known = " (before)" if receipt.known else ""
        place = f"block {receipt.block_number:,}, transaction 0x{receipt.tx_hash.hex()}, {receipt.gas_used:,} gas"
        out.print(f"done: {item.title}{known}\n      {place}", markup=False, soft_wrap=True)
    if plan.done:
        out.print(f"nothing to do: {plan.done}", markup=False, soft_wrap=True)
    if any(plan.agreement):
        out.print(f"agreement 0x{plan.agreement.hex()}", markup=False, soft_wrap=True)
