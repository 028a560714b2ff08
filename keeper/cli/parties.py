"""Commands that write: what parties, the arbiter, and anyone in their place can do without any keeper."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from keeper.cli.options import command
from keeper.cli.run import Run
from keeper.errors import MilepostError

if TYPE_CHECKING:
    from keeper.commands.carry import Carried
    from keeper.commands.context import Progress, Session
    from keeper.commands.plan import Plan
    from keeper.ledger.views import Place

Id = Annotated[str, typer.Argument(metavar="ID", help="Agreement id, or its first digits: 0x and at least 6.")]
Index = Annotated[int, typer.Argument(metavar="INDEX", min=0, help="Milestone, numbered from 0.")]
TermsPath = Annotated[Path, typer.Argument(metavar="FILE", help="Terms file (YAML).")]
NoRelay = Annotated[bool, typer.Option("--no-relay", help="Put no document on relays: I hand them over myself.")]


PARTIES, ANYONE = "Parties and the arbiter", "Anyone, without a keeper"


def register(app: typer.Typer) -> None:
    """Add the commands of this module to the program."""
    command(app, "fund", example="milepost fund examples/software-delivery.yaml", writes=True, panel=PARTIES)(fund)
    submit_example = "milepost submit 0x51d2c0 0 --deliverable deliverable.json"
    command(app, "submit", example=submit_example, writes=True, panel=PARTIES)(submit)
    command(app, "approve", example="milepost approve 0x51d2c0 0", writes=True, panel=PARTIES)(approve)
    command(app, "waive", example="milepost waive 0x51d2c0 0", writes=True, panel=PARTIES)(waive)
    dispute_example = 'milepost dispute 0x51d2c0 0 --data "the tests were switched off"'
    command(app, "dispute", example=dispute_example, writes=True, panel=PARTIES)(dispute)
    command(app, "rule", example="milepost rule 0x51d2c0 0 40%", writes=True, panel=PARTIES)(rule)
    command(app, "attest", example="milepost attest 0x51d2c0 0", writes=True, panel=ANYONE)(attest)
    command(app, "settle", example="milepost settle 0x51d2c0 0", writes=True, panel=ANYONE)(settle)
    command(app, "withdraw", example="milepost withdraw PLAY", writes=True, panel=ANYONE)(withdraw)


def fund(
    run: Run,
    file: TermsPath,
    milestones: Annotated[
        str | None, typer.Option("--milestones", metavar="LIST", help="Only these, for example 0,2 [default: all].")
    ] = None,
    no_relay: NoRelay = False,
) -> None:
    """Lock the money of a terms file in the escrow.

    Puts the legal text and the criteria on the relays, announces the quorum if nobody did, allows the escrow to take
    exactly the sum, and funds. Repeating it is safe: what is on chain, or on its way, is found and never paid twice.
    """
    from keeper.cli.writing import write
    from keeper.commands.fund import plan_fund, verify_funded

    indexes = _indexes(milestones)

    def verify(session: Session, plan: Plan, carried: Carried) -> None:
        verify_funded(session, plan, carried.sent[-1].receipt.tx_hash)

    write(run, lambda session, place, _: plan_fund(session, file, indexes, place), publishes=not no_relay, after=verify)


def submit(
    run: Run,
    agreement: Id,
    index: Index,
    deliverable: Annotated[
        Path, typer.Option("--deliverable", metavar="FILE", help="Deliverable document (JSON: version, fields).")
    ],
    salt: Annotated[
        str | None, typer.Option("--salt", metavar="HEX", help="32 bytes of 0x hex [default: random, then kept].")
    ] = None,
    no_relay: NoRelay = False,
) -> None:
    """Payee: hand in your work.

    The document and its random salt are kept in the database and beside the file (FILE.envelope.json), put on the
    relays, and their hash goes on chain. Repeating it with the same file reuses the salt.
    """
    from keeper.cli.writing import write
    from keeper.commands.subject import subject
    from keeper.commands.submit import plan_submit, save_envelope

    given = _salt(salt)

    def make(session: Session, place: Place, _progress: Progress) -> Plan:
        return plan_submit(session, subject(session, agreement, index, place), deliverable, given)

    def keep(session: Session, plan: Plan, _carried: Carried) -> None:
        save_envelope(session, plan, deliverable)

    write(run, make, publishes=not no_relay, before=keep)


def approve(run: Run, agreement: Id, index: Index) -> None:
    """Payer: pay a milestone in full, at any time before it is settled."""
    from keeper.cli.writing import write
    from keeper.commands.acts import plan_approve
    from keeper.commands.subject import subject

    write(run, lambda session, place, _: plan_approve(session, subject(session, agreement, index, place)))


def waive(run: Run, agreement: Id, index: Index) -> None:
    """Payee: give a milestone back in full, at any time before it is settled."""
    from keeper.cli.writing import write
    from keeper.commands.acts import plan_waive
    from keeper.commands.subject import subject

    write(run, lambda session, place, _: plan_waive(session, subject(session, agreement, index, place)))


def dispute(
    run: Run,
    agreement: Id,
    index: Index,
    data: Annotated[str, typer.Option("--data", metavar="TEXT", help="What the arbiter should know; public.")] = "",
) -> None:
    """Payer or payee: take a verdict, or the lack of one, to the arbiter. Once per milestone."""
    from keeper.cli.writing import write
    from keeper.commands.acts import plan_dispute
    from keeper.commands.subject import subject

    write(run, lambda session, place, _: plan_dispute(session, subject(session, agreement, index, place), data))


def rule(
    run: Run,
    agreement: Id,
    index: Index,
    share: Annotated[str, typer.Argument(metavar="SHARE", help="The payee's share, for example 40%.")],
) -> None:
    """Arbiter: decide a disputed milestone."""
    from keeper.cli.writing import write
    from keeper.commands.acts import plan_rule
    from keeper.commands.subject import subject
    from keeper.commands.words import parse_percent

    bps = parse_percent(share)
    write(run, lambda session, place, _: plan_rule(session, subject(session, agreement, index, place), bps))


def attest(run: Run, agreement: Id, index: Index) -> None:
    """Anyone: bring the attesters' verdict from the relays to the chain, as a keeper would."""
    from keeper.cli.writing import write
    from keeper.commands.attest import plan_attest
    from keeper.commands.subject import subject

    def make(session: Session, place: Place, progress: Progress) -> Plan:
        return plan_attest(session, subject(session, agreement, index, place), progress)

    write(run, make)


def settle(
    run: Run,
    agreement: Id,
    index: Annotated[
        int | None, typer.Argument(metavar="[INDEX]", min=0, help="Milestone, numbered from 0 [default: all due].")
    ] = None,
) -> None:
    """Anyone: let a clock that has run out do what the terms say, as a keeper would."""
    from keeper.cli.writing import write
    from keeper.commands.acts import plan_settle
    from keeper.commands.settle import plan_settle_all
    from keeper.commands.subject import subject

    if index is None:
        write(run, lambda session, place, _: plan_settle_all(session, agreement, place))
    else:
        write(run, lambda session, place, _: plan_settle(session, subject(session, agreement, index, place)))


def withdraw(
    run: Run,
    token: Annotated[
        str | None, typer.Argument(metavar="[TOKEN]", help="Ticker, address, or `native` [default: every token].")
    ] = None,
    to: Annotated[str | None, typer.Option("--to", metavar="ADDRESS", help="Receiver [default: yourself].")] = None,
) -> None:
    """Take what could not be paid to you directly."""
    from keeper.cli.writing import write
    from keeper.commands.context import parse_address
    from keeper.commands.withdraw import plan_withdraw

    receiver = None if to is None else parse_address(to, "--to")
    write(run, lambda session, place, _: plan_withdraw(session, token, receiver, place))


def _indexes(text: str | None) -> list[int] | None:
    if text is None:
        return None
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isascii() and part.isdigit() for part in parts):
        raise MilepostError("USAGE", f"--milestones: {text!r} is no list", cause="expected numbers, for example 0,2")
    return [int(part) for part in parts]


def _salt(text: str | None) -> bytes | None:
    if text is None:
        return None
    try:
        salt = bytes.fromhex(text.removeprefix("0x"))
    except ValueError:
        salt = b""
    if len(salt) != 32:
        raise MilepostError("USAGE", "--salt is no salt", cause="expected 0x and 64 hex digits")
    return salt
