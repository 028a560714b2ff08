"""The gas of a full batch, where every token and every receiver burns what it is given (docs/protocol.md section 4)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from eth_abi.abi import encode
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak
from fuzz_cast import ANN, DEPLOYER, JUDGE, KEEPER, MOODS, Stage, set_stage
from fuzz_evm import GENESIS, build

from keeper.outbox import batch
from keeper.protocol.encoding import milestone_to_abi, part_to_abi, terms_to_abi
from keeper.protocol.types import ZERO32, ZERO_ADDRESS, Address, Agreement, Milestone, Terms

TRANSACTION_LIMIT = 2**24
"""EIP-7825."""
AMOUNT, TIP = 10**18, 10**10
SCHEDULE = 64
_BURN_GAS = 6
"""A mode of HostileToken."""


@dataclass(frozen=True)
class Ready:
    """A batch of as many agreements, each with one milestone that is due."""

    stage: Stage
    calls: list[bytes]

    @property
    def limit(self) -> int:
        return batch.batch_gas(self.calls, [batch.MILESTONE_GAS] * len(self.calls))

    def settles(self, gas: int) -> int:
        """How many milestones a batch with so much gas settles; the batch must not fail."""
        reply = self.stage.chain.send(KEEPER, self.stage.escrow, batch.settle_many(self.calls), gas=gas)
        assert reply.revert is None, reply.revert
        return sum(batch.settled_flags(reply.returned))

    def cost(self) -> int:
        """Gas used by the batch, everything included."""
        self.settles(60_000_000)
        return self.stage.chain.gas_used


def someone(name: str) -> Address:
    return Address(to_checksum_address(keccak(text=name)[12:]))


def burning_wallet(stage: Stage) -> Address:
    """A receiver that burns all gas that comes with native currency."""
    code = stage.codes["MoodyWallet"]
    wallet = stage.chain.deploy(DEPLOYER, code, encode(["address"], [DEPLOYER]))
    stage.chain.send(DEPLOYER, wallet, code.codec.encode("setMood", MOODS.index("BurnGas"), stage.escrow, b""))
    return wallet


def due_milestone(stage: Stage, number: int, token: Address, party: Callable[[str], Address]) -> bytes:
    """Fund and submit one milestone of a full schedule that splits four ways; its `settle`."""
    codec, payee = stage.codes["Escrow"].codec, party("payee")
    terms = Terms(
        payer=party("payer"), payee=payee, token=token, verifier=ZERO_ADDRESS, quorum=ZERO32, arbiter=JUDGE,
        arbiter_hook=False, review_window=1, challenge_window=0, ruling_window=1, unreviewed_bps=5_000,
        unruled_bps=5_000, fee_bps=5_000, fee_to=party("fee"), tip=TIP, document=ZERO32, salt=keccak(text=str(number)),
    )  # fmt: skip
    milestones = tuple(Milestone(AMOUNT, GENESIS + 100, keccak(text=f"{number} {i}")) for i in range(SCHEDULE))
    part = Agreement(terms, milestones).part(0)
    value = AMOUNT if token == ZERO_ADDRESS else 0
    fund = codec.encode("fund", terms_to_abi(terms), [milestone_to_abi(m) for m in milestones], 1)
    submit = codec.encode("submit", part_to_abi(part), b"\x01" * 32)
    assert stage.chain.send(ANN, stage.escrow, fund, value).revert is None
    if token == ZERO_ADDRESS:
        assert stage.chain.send(DEPLOYER, payee, stage.through(payee, stage.escrow, submit)).revert is None
    else:
        assert stage.chain.send(payee, stage.escrow, submit).revert is None
    return codec.encode("settle", part_to_abi(part))


def ready(native: bool, count: int = batch.MAX_BATCH) -> Ready:
    stage = set_stage(build(), build())
    token = ZERO_ADDRESS if native else stage.moody
    calls = [
        due_milestone(stage, n, token, lambda role, n=n: burning_wallet(stage) if native else someone(f"{role} {n}"))
        for n in range(count)
    ]
    stage.chain.warp(GENESIS + 50)
    stage.chain.send(ANN, stage.moody, stage.codes["HostileToken"].codec.encode("setMode", _BURN_GAS))
    return Ready(stage, calls)


@pytest.mark.parametrize("native", [False, True])
def test_a_full_batch_of_the_most_hostile_milestones_settles_within_its_limit_and_a_transactions(native: bool) -> None:
    full = ready(native)

    assert full.limit <= TRANSACTION_LIMIT
    assert full.settles(full.limit) == batch.MAX_BATCH


@pytest.mark.parametrize("native", [False, True])
def test_a_milestones_overhead_is_measured_and_not_guessed(native: bool) -> None:
    """What it takes beside its four pushes and its calldata; the margin is for chains that price state higher."""
    full = ready(native)
    nonzero = sum(map(bool, batch.settle_many(full.calls)))
    calldata = 16 * nonzero + 4 * (len(batch.settle_many(full.calls)) - nonzero)

    overhead = (full.cost() - 21_000 - calldata) / batch.MAX_BATCH - batch.MILESTONE_GAS

    assert overhead <= 0.95 * batch.MILESTONE_OVERHEAD_GAS
    assert native or overhead >= 0.8 * batch.MILESTONE_OVERHEAD_GAS
