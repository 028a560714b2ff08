"""The demo's account: who was paid what and why, read from the chain alone and held against tables made by hand."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from keeper.protocol.types import Cause
from scripts.stage.cast import Cast, Deal
from scripts.stage.people import ROLES, account_of
from scripts.stage.scenario import ATTESTERS, BALANCES, SETTLEMENTS, Scenario

WHY = {
    Cause.ATTESTED: "two of three attesters found it done, and nobody disputed",
    Cause.RULED: "the payer disputed the verdict, the arbiter ruled",
    Cause.UNREVIEWED: "the attesters abstained until the review's clock ran out",
    Cause.LAPSED: "nothing was submitted in time",
}
STEPS = ("Submitted", "Attested", "Rejected", "Disputed", "Settled")


@dataclass(frozen=True, slots=True)
class Paid:
    """One settlement, as its event and its transaction tell it; amounts in token units."""

    agreement: str
    index: int
    title: str
    cause: str
    toPayee: str  # noqa: N815 (the contract's own names, as in the event)
    toPayer: str  # noqa: N815
    fee: str
    tip: str
    tx: str
    block: int
    keeper: str
    gas: int


def settlements(cast: Cast, deals: list[Deal]) -> list[Paid]:
    """One entry per Settled event on the canonical chain."""
    roles = {account_of(role).address.lower(): role for role in ROLES}
    by_id = {deal.id: deal for deal in deals}
    paid = []
    for log, name, args in cast.events():
        if name != "Settled":
            continue
        receipt = cast.chain.rpc("eth_getTransactionReceipt", log["transactionHash"])
        deal, index = by_id[args["id"]], args["index"]
        paid.append(
            Paid(
                agreement=deal.path.stem,
                index=index,
                title=deal.file.titles[index],
                cause=Cause(args["cause"]).name.title(),
                toPayee=str(args["toPayee"]),
                toPayer=str(args["toPayer"]),
                fee=str(args["fee"]),
                tip=str(args["tip"]),
                tx=log["transactionHash"],
                block=int(log["blockNumber"], 16),
                keeper=roles.get(receipt["from"], receipt["from"]),
                gas=int(receipt["gasUsed"], 16),
            )
        )
    return paid


def balances(cast: Cast) -> dict[str, int]:
    """What everybody holds, in token units, asked from the token itself."""
    held = {role: cast.balance(role) for role in ("payer", "payee", "integrator", "arbiter", "escrow")}
    held["keepers"] = sum(cast.balance(role) for role in ("keeper-1", "keeper-2"))
    held["attesters"] = sum(cast.balance(role) for role in ATTESTERS)
    return held


def differences(paid: list[Paid], held: dict[str, int], both_keepers: list[str]) -> list[str]:
    """Everything that is not as the hand-written tables say, in words; [] when all is."""
    wrong = [f"{who} holds {held[who]}, expected {want}" for who, want in BALANCES.items() if held[who] != want]
    count = Counter((p.agreement, p.index) for p in paid)
    by_key = {(p.agreement, p.index): p for p in paid}
    for (name, index), (cause, to_payee, to_payer) in SETTLEMENTS.items():
        if count[name, index] != 1:
            wrong.append(f"{name} {index} was settled {count[name, index]} times, expected once")
            continue
        p = by_key[name, index]
        found, want = (p.cause, p.toPayee, p.toPayer), (cause.name.title(), str(to_payee), str(to_payer))
        if found != want:
            wrong.append(f"{name} {index}: cause, to payee, to payer are {found}, expected {want}")
    idle = [role for role in both_keepers if role not in {p.keeper for p in paid}]
    return wrong + [f"{role} settled nothing" for role in idle]


def money(units: str | int) -> str:
    """Token units with 6 decimals as PLAY, in integer arithmetic."""
    whole, rest = divmod(int(units), 10**6)
    return f"{whole:,}.{rest:06d}".rstrip("0").ljust(len(f"{whole:,}.") + 2, "0")


def day(seconds: int) -> str:
    """A block's date, UTC: "06 Jan"."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%d %b")


def timelines(cast: Cast) -> dict[tuple[bytes, int], str]:
    """Each milestone's steps with their dates on chain: "04 Jan submitted, 04 Jan attested, 06 Jan settled"."""
    steps: dict[tuple[bytes, int], list[str]] = defaultdict(list)
    for log, name, args in cast.events():
        if name in STEPS:
            steps[args["id"], args["index"]].append(f"{day(int(log['blockTimestamp'], 16))} {name.lower()}")
    return {key: ", ".join(words) for key, words in steps.items()}


def show(console: Console, cast: Cast, scenario: Scenario, paid: list[Paid], held: dict[str, int]) -> None:
    """Prints the account: three lines a milestone, then who holds what. Fits 80 columns."""
    times = timelines(cast)
    for deal in (scenario.delivery, scenario.support):
        console.print(f"\n[bold]{deal.file.title}[/]  {deal.hex}\n", soft_wrap=True)
        for p in sorted((p for p in paid if p.agreement == deal.path.stem), key=lambda p: p.index):
            console.print(
                f"  [bold]{p.index}  {p.title:24}[/] payee {money(p.toPayee):>9}   payer {money(p.toPayer):>9}   PLAY"
            )
            console.print(f"     {p.cause}: {WHY[Cause[p.cause.upper()]]}")
            costs = f"fee {money(p.fee)}, tip {money(p.tip)}, {p.gas:,} gas, by {p.keeper} in block {p.block}"
            console.print(f"     [dim]{times[deal.id, p.index]}[/]")
            console.print(f"     [dim]{costs}[/]\n")
    table = Table(title="Balances in PLAY, the chain against the hand-written table", title_justify="left")
    for column in ("who", "on chain", "expected"):
        table.add_column(column, justify="left" if column == "who" else "right", min_width=16)
    for who, want in BALANCES.items():
        table.add_row(who, money(held[who]), money(want), style=None if held[who] == want else "bold red")
    console.print(table)


def write_report(path: Path, paid: list[Paid], wrong: list[str], seconds: int) -> None:
    """Writes reports/demo.json."""
    count = Counter(f"{p.agreement}/{p.index}" for p in paid)
    report = {
        "milestones": [asdict(p) for p in paid],
        "settlements_per_milestone": {f"{name}/{index}": count[f"{name}/{index}"] for name, index in SETTLEMENTS},
        "balance_errors": wrong,
        "seconds": seconds,
    }
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(report, indent=2) + "\n")
