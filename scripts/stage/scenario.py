"""What happens in the demo, step by step, and what everybody must hold at the end.

The chain's clock is moved by the demo; everything else is moved by the keepers, attesters and parties.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from functools import partial
from typing import Any

from keeper.protocol.types import Cause, Status
from scripts.stage.cast import Cast, Deal, Keeper
from scripts.stage.people import ROOT
from scripts.stage.processes import DemoFailedError, wait_for

# Who holds what at the end, in PLAY token units (6 decimals), worked out by hand from the two example files:
#   software-delivery: 6,000.00 locked, all four milestones paid. Fee 0.50 % = 30.00 to the integrator, a tip of 2.00 a
#     milestone = 8.00 to whichever keeper settles it, 6,000.00 - 30.00 - 8.00 = 5,962.00 to the payee.
#   support-contract: 1,400.00 locked. 400.00, 300.00 and 200.00 go back whole; of the disputed 500.00 the arbiter gives
#     40 % = 200.00 to the payee and 300.00 back. A ruling pays no tip, and there is no fee.
#   payer: 10,000.00 - 6,000.00 - 1,400.00 + 400.00 + 300.00 + 200.00 + 300.00 = 3,800.00
#   payee: 5,962.00 + 200.00 = 6,162.00
BALANCES = {
    "payer": 3_800_000_000,
    "payee": 6_162_000_000,
    "integrator": 30_000_000,
    "keepers": 8_000_000,
    "arbiter": 0,
    "attesters": 0,
    "escrow": 0,
}

# Cause, to the payee and to the payer of every milestone, by hand as well: 1,000.00 less 5.00 fee and 2.00 tip, ...
SETTLEMENTS = {
    ("software-delivery", 0): (Cause.ATTESTED, 993_000_000, 0),
    ("software-delivery", 1): (Cause.ATTESTED, 2_983_000_000, 0),
    ("software-delivery", 2): (Cause.ATTESTED, 1_490_500_000, 0),
    ("software-delivery", 3): (Cause.ATTESTED, 495_500_000, 0),
    ("support-contract", 0): (Cause.UNREVIEWED, 0, 400_000_000),
    ("support-contract", 1): (Cause.UNREVIEWED, 0, 300_000_000),
    ("support-contract", 2): (Cause.RULED, 200_000_000, 300_000_000),
    ("support-contract", 3): (Cause.LAPSED, 0, 200_000_000),
}

ATTESTERS = ("attester-1", "attester-2", "attester-3")


class Scenario:
    """Plays the demo on a cast. `tell` is called with each step's words."""

    def __init__(self, cast: Cast, tell: Callable[[str], None]) -> None:
        self.cast = cast
        self.tell = tell
        self.delivery = cast.deal("software-delivery.yaml")
        self.support = cast.deal("support-contract.yaml")

    def play(self) -> None:
        """Everything, in order; raises DemoFailedError when something does not happen."""
        self.fund()
        self.pay_and_dispute()
        self.silent_source()
        self.lying_source()
        self.never_delivered()
        self.kill_while_sending()
        self.reorganise()
        self.one_keeper_alone()
        self.rest()

    # --- what the steps are made of ---

    def submit(self, deal: Deal, index: int, deliverable: str) -> None:
        """The payee hands in one of examples/deliverables, from a folder of his own: the salt is kept beside it."""
        payee = self.cast.people["payee"]
        file = payee.home / f"{deliverable}.json"
        shutil.copy(ROOT / "examples/deliverables" / file.name, file)
        payee.milepost("submit", deal.hex, str(index), "--deliverable", file, "--yes")

    def wait_attested(self, deal: Deal, index: int) -> None:
        self._wait(
            f"a verdict on {deal.path.stem} {index}",
            lambda: self.cast.escrow.milestone(deal.id, index).status == Status.ATTESTED,
        )

    def settled(self, deal: Deal, index: int) -> bool:
        return bool(self.cast.escrow.state(deal.id)[1] >> index & 1)

    def wait_settled(self, deal: Deal, index: int) -> None:
        self._wait(f"the settlement of {deal.path.stem} {index}", lambda: self.settled(deal, index))

    def pass_clock(self, deal: Deal, index: int) -> None:
        """Moves the chain's clock to the first second at which the milestone may be settled by anyone."""
        ready = self.cast.escrow.due(deal.file.agreement.part(index)).ready_at
        if ready > self.cast.chain.time():
            self.cast.chain.warp(ready)

    def wait_abstained(self, deal: Deal, index: int) -> None:
        """Waits until each attester has said in its log that it abstains on this milestone."""
        for role in ATTESTERS:
            self._wait(f"{role} to abstain", partial(self._abstained, role, deal, index))
        if self.cast.escrow.milestone(deal.id, index).status != Status.SUBMITTED:
            raise DemoFailedError(f"{deal.path.stem} {index}: a verdict came although every attester abstained")

    def _abstained(self, role: str, deal: Deal, index: int) -> bool:
        subject = f"milestone {index} of {deal.hex}"
        lines = self.cast.attesters[role].log.read_text(errors="replace").splitlines()
        return any("abstained" in line and subject in line for line in lines)

    def _wait(self, what: str, condition: Callable[[], Any]) -> Any:
        def checked() -> Any:
            self.cast.crew.check_alive()
            return condition()

        return wait_for(what, checked)

    # --- the steps ---

    def fund(self) -> None:
        cast, payer = self.cast, self.cast.people["payer"]
        cast.start_attester("attester-1")
        self.tell("The payer locks 6,000.00 and 1,400.00 PLAY against two schedules of four milestones")
        payer.milepost("fund", self.delivery.path, "--yes")
        payer.milepost("fund", self.support.path, "--yes")
        cast.start_attester("attester-2")

    def pay_and_dispute(self) -> None:
        self.tell("The payee submits; three attesters check two sources each; two signatures make a verdict")
        self.submit(self.delivery, 0, "design")
        self.submit(self.support, 2, "support-disputed")
        self.cast.start_attester("attester-3")
        self.wait_attested(self.delivery, 0)
        self.wait_attested(self.support, 2)
        self.tell("The payer disputes one verdict in its challenge window; the arbiter gives the payee 40 %")
        words = "the ticket queue was not emptied"
        self.cast.people["payer"].milepost("dispute", self.support.hex, "2", "--data", words, "--yes")
        self.cast.people["arbiter"].milepost("rule", self.support.hex, "2", "40%", "--yes")
        self.tell("Two days later the undisputed verdict stands: a keeper settles it")
        self.pass_clock(self.delivery, 0)
        self.wait_settled(self.delivery, 0)

    def silent_source(self) -> None:
        self.tell("The CI source goes silent: the attesters abstain, and the clock refunds the payer")
        self.cast.sources["ci"][0].stop()
        self.submit(self.support, 0, "support-silent")
        self.wait_abstained(self.support, 0)
        self.pass_clock(self.support, 0)
        self.wait_settled(self.support, 0)
        self.cast.start_source("ci")

    def lying_source(self) -> None:
        self.tell("The shipment source lies: the two sources disagree, the attesters abstain, the clock refunds")
        item = "urn:epc:id:sscc:0614141.1000000006"
        self.cast.lie(item, "damaged")
        self.submit(self.support, 1, "support-lied")
        self.wait_abstained(self.support, 1)
        self.pass_clock(self.support, 1)
        self.wait_settled(self.support, 1)

    def never_delivered(self) -> None:
        self.tell("One milestone is never submitted: its last day passes, and the payer is refunded")
        self.pass_clock(self.support, 3)
        self.wait_settled(self.support, 3)

    def kill_while_sending(self) -> None:
        self.tell("A keeper is killed (SIGKILL) after saving its settlement and before the node sees it")
        self.submit(self.delivery, 1, "build")
        self.wait_attested(self.delivery, 1)
        kills = {
            role: keeper.proxy.kill_on("eth_sendRawTransaction", keeper.process.pid)
            for role, keeper in self.cast.keepers.items()
        }
        self.pass_clock(self.delivery, 1)
        killed = wait_for(
            "a keeper to send", lambda: next((role for role, kill in kills.items() if kill.done.is_set()), None)
        )
        for keeper in self.cast.keepers.values():
            keeper.proxy.disarm()
        self.cast.keepers[killed].process.stop()
        saved = self._saved_and_unsent(self.cast.keepers[killed])
        self.tell(f"  {killed} is gone; transaction {saved[:10]}…{saved[-6:]} is in its database and nowhere else")
        others = [role for role in self.cast.keepers if role != killed and not kills[role].done.is_set()]
        if others:
            self.wait_settled(self.delivery, 1)
            self.tell(f"  {others[0]} settled it instead; {killed} starts again and finds nothing left to pay")
        for role, kill in kills.items():
            if kill.done.is_set():
                self.cast.keepers[role].process.stop()
                self.cast.start_keeper(role)
        self.wait_settled(self.delivery, 1)

    def _saved_and_unsent(self, keeper: Keeper) -> str:
        """The hash of the transaction that the killed keeper had saved; fails if the node knows it after all."""
        with closing(sqlite3.connect(f"file:{keeper.person.home / 'milepost.db'}?mode=ro", uri=True)) as database:
            rows = database.execute('SELECT hash FROM "transaction" ORDER BY seq DESC LIMIT 1').fetchall()
        if not rows:
            raise DemoFailedError(f"{keeper.role} was about to send a transaction that its database does not hold")
        saved = str(rows[0][0])
        if self.cast.chain.rpc("eth_getTransactionByHash", saved) is not None:
            raise DemoFailedError(f"{keeper.role} was killed too late: the node knows {saved}")
        return saved

    def reorganise(self) -> None:
        self.tell("A settlement that every keeper has seen is reorganised away (anvil_reorg)")
        chain, keepers = self.cast.chain, self.cast.keepers.values()
        self.submit(self.delivery, 2, "hardware")
        self.wait_attested(self.delivery, 2)
        chain.pause()
        self.pass_clock(self.delivery, 2)
        chain.warp(chain.time() + 60)
        self._wait("a settlement in the pool", chain.waiting)
        chain.mine()
        if not self.settled(self.delivery, 2):
            raise DemoFailedError("the block that was mined does not hold the settlement")
        self._wait("every keeper to see it", lambda: all(self._sees_head(keeper) for keeper in keepers))
        before = chain.head()["hash"]
        chain.reorg(1)
        if self.settled(self.delivery, 2):
            raise DemoFailedError("anvil_reorg left the settlement in place")
        self._wait("every keeper to see the new branch", lambda: all(self._sees_head(keeper) for keeper in keepers))
        self.tell(f"  block {before[:10]}… is gone, the ledgers are repaired; the payment happens again, once")
        chain.resume()
        self.wait_settled(self.delivery, 2)

    def _sees_head(self, keeper: Keeper) -> bool:
        head = keeper.status().get("head") or {}
        return bool(head.get("hash") == self.cast.chain.head()["hash"])

    def one_keeper_alone(self) -> None:
        """Stops the keeper that has settled more, if there are two, so that the other must do the last one."""
        self.submit(self.delivery, 3, "handover")
        self.wait_attested(self.delivery, 3)
        stopped = self._busier() if len(self.cast.keepers) > 1 else None
        if stopped:
            self.tell(f"{stopped} is stopped for maintenance; the other keeper settles the last milestone alone")
            code = self.cast.keepers[stopped].process.stop()
            if code != 0:
                raise DemoFailedError(f"{stopped} was asked to stop and ended with exit code {code}, expected 0")
        else:
            self.tell("The last milestone is settled")
        self.pass_clock(self.delivery, 3)
        self.wait_settled(self.delivery, 3)
        if stopped:
            self.cast.start_keeper(stopped)

    def _busier(self) -> str:
        settled = dict.fromkeys(self.cast.keepers, 0)
        for log, name, _ in self.cast.events():
            sender = self.cast.chain.rpc("eth_getTransactionByHash", log["transactionHash"])["from"]
            for role, keeper in self.cast.keepers.items():
                settled[role] += name == "Settled" and keeper.person.address.lower() == sender
        return max(settled, key=lambda role: settled[role])

    def rest(self) -> None:
        """Waits until every keeper has nothing left to do and all of it is final."""
        self.tell("Everything is settled; the keepers wait for finality and have nothing left to do")
        for keeper in self.cast.keepers.values():
            self._wait(f"{keeper.role} to come to rest", partial(self._at_rest, keeper))

    def _at_rest(self, keeper: Keeper) -> bool:
        status = keeper.status()
        return bool(status) and not any(count for state, count in status["intents"].items() if state in LIVE)


LIVE = ("planned", "held", "sent", "included", "missed")
"""States of an intent that still wants something to happen."""
