"""Following a chain that forks, lags and falls silent: one behaviour each."""

from __future__ import annotations

from pathlib import Path

import pytest
from dumps import FOLDED, assert_shows, dump
from fake_node import DEPLOYMENT, ESCROW, FakeNode, Log, noise
from sqlalchemy import func, select
from story import (
    AGREEMENTS,
    AT_ONCE,
    DISPUTABLE,
    PAYER,
    QUORUM,
    VERIFIER,
    WORK,
    announced,
    approve,
    attest,
    fund,
    id_of,
    mine,
    must,
    new_node,
    said_of_member,
    submit,
)

from keeper.errors import MilepostError
from keeper.ledger import route, views
from keeper.ledger.follow import Follower
from keeper.ledger.rebuild import forget, rebuild
from keeper.protocol.types import Status
from keeper.store import schema
from keeper.store.engine import Store, open_store

DEPTH = 6


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(tmp_path / "m.db")


@pytest.fixture
def node() -> FakeNode:
    return new_node()


@pytest.fixture
def follower(node: FakeNode, store: Store) -> Follower:
    return Follower(node.rpc(), store, DEPLOYMENT, finality=DEPTH)


def _status(store: Store, index: int = 0) -> Status | None:
    with store.read() as conn:
        found = views.milestone_view(conn, id_of(DISPUTABLE), index)
    return found.state.status if found and found.open else None


def test_first_steps_show_everything_since_the_deployment(node: FakeNode, store: Store, follower: Follower) -> None:
    mine(node, extra=(announced(), noise(1)))
    must(
        node, fund(DISPUTABLE), submit(DISPUTABLE, 0), fund(AT_ONCE, 0b001), attest(AT_ONCE, 0, 10_000, what=bytes(32))
    )

    step = follower.follow()

    assert step.caught_up
    assert (step.added, step.events, step.removed) == (node.tip.number, 6, 0)
    assert_shows(store, node)
    with store.read() as conn:
        assert views.quorum_of(conn, VERIFIER, QUORUM.hash) == QUORUM


def test_a_step_without_news_changes_nothing(node: FakeNode, store: Store, follower: Follower) -> None:
    must(node, fund(DISPUTABLE))
    follower.follow()
    before = dump(store, schema.CACHE)

    step = follower.step()

    assert (step.added, step.removed, step.events) == (0, 0, 0)
    assert dump(store, schema.CACHE) == before


def test_a_lost_event_is_taken_back_and_the_agreement_folded_again(
    node: FakeNode, store: Store, follower: Follower
) -> None:
    must(node, fund(DISPUTABLE), submit(DISPUTABLE, 0))
    follower.follow()
    assert _status(store) is Status.SUBMITTED

    node.drop(1)
    node.mine()
    step = follower.step()

    assert (step.removed, step.added, step.reorg_depth) == (1, 1, 1)
    assert _status(store) is Status.FUNDED
    assert_shows(store, node)


def test_a_lost_settlement_opens_the_milestone_again(node: FakeNode, store: Store, follower: Follower) -> None:
    must(node, fund(DISPUTABLE), approve(DISPUTABLE, 0))
    follower.follow()
    node.drop(1)
    node.mine()
    node.mine()
    follower.follow()

    with store.read() as conn:
        assert views.settlement_of(conn, id_of(DISPUTABLE), 0) is None
    assert _status(store) is Status.FUNDED
    assert_shows(store, node)


def test_a_lost_funding_takes_the_agreement_and_its_quorum_away(
    node: FakeNode, store: Store, follower: Follower
) -> None:
    node.mine()
    mine(node, fund(DISPUTABLE), extra=(announced(),))
    follower.follow()
    node.drop(1)
    node.mine()
    follower.follow()

    with store.read() as conn:
        assert views.list_agreements(conn) == []
        assert views.quorum_of(conn, VERIFIER, QUORUM.hash) is None
    assert_shows(store, node)


def test_the_same_event_in_another_block_keeps_its_effect(node: FakeNode, store: Store, follower: Follower) -> None:
    must(node, fund(DISPUTABLE), submit(DISPUTABLE, 0))
    follower.follow()
    node.drop(1)
    node.mine()
    must(node, submit(DISPUTABLE, 0))
    follower.follow()

    assert _status(store) is Status.SUBMITTED
    assert_shows(store, node)


def test_a_shorter_branch_is_followed(node: FakeNode, store: Store, follower: Follower) -> None:
    must(node, fund(DISPUTABLE), submit(DISPUTABLE, 0))
    node.mine()
    follower.follow()
    node.drop(3)
    node.mine()

    step = follower.step()

    assert step.reorg_depth == 3
    assert_shows(store, node)


def test_a_lower_head_of_the_same_branch_is_no_reorg(node: FakeNode, store: Store, follower: Follower) -> None:
    must(node, fund(DISPUTABLE), submit(DISPUTABLE, 0))
    follower.follow()
    before = dump(store, schema.CACHE)
    for node.behind in (1, 2, 3):
        step = follower.step()
        assert step.removed == 0
        assert dump(store, schema.CACHE) == before


def test_a_head_below_what_is_held_shows_nothing(node: FakeNode, store: Store, follower: Follower) -> None:
    for _ in range(3 * DEPTH):
        node.mine()
    follower.follow()
    before = dump(store, schema.CACHE)
    node.behind = 2 * DEPTH
    assert follower.step().removed == 0
    assert dump(store, schema.CACHE) == before


def test_logs_that_the_node_hides_are_waited_for(node: FakeNode, store: Store, follower: Follower) -> None:
    must(node, fund(DISPUTABLE))
    node.silent.add(node.head)
    node.mine()

    step = follower.step()
    assert (step.head.number, step.events) == (0, 0)
    assert "all logs" in step.held
    assert not step.caught_up

    node.silent.clear()
    assert follower.step().caught_up
    assert_shows(store, node)


def test_blocks_before_a_silent_one_are_kept(node: FakeNode, store: Store, follower: Follower) -> None:
    must(node, fund(DISPUTABLE), submit(DISPUTABLE, 0))
    node.silent.add(node.head)

    step = follower.step()

    assert step.head.number == 1
    assert _status(store) is Status.FUNDED


def test_a_reorg_to_a_silent_block_takes_nothing_back_yet(node: FakeNode, store: Store, follower: Follower) -> None:
    must(node, fund(DISPUTABLE), submit(DISPUTABLE, 0))
    follower.follow()
    node.drop(1)
    must(node, approve(DISPUTABLE, 0))
    node.silent.add(node.head)

    assert follower.step().removed == 0
    assert _status(store) is Status.SUBMITTED

    node.silent.clear()
    follower.follow()
    assert_shows(store, node)


def test_a_filter_that_announces_by_chance_is_settled_by_all_logs_of_the_block(
    node: FakeNode, store: Store, follower: Follower
) -> None:
    # So many foreign logs that the filter announces nearly every address.
    node.mine([noise(i) for i in range(1500)])
    step = follower.step()
    assert step.caught_up
    assert_shows(store, node)


def test_a_log_that_the_filter_denies_is_refused(node: FakeNode, store: Store, follower: Follower) -> None:
    must(node, fund(DISPUTABLE))
    node.denying = True
    with pytest.raises(MilepostError) as caught:
        follower.step()
    assert caught.value.code == "RPC_INCONSISTENT"
    with store.read() as conn:
        assert views.head(conn) is None


def test_a_block_that_vanishes_while_it_is_read_is_looked_at_again(
    node: FakeNode, store: Store, follower: Follower
) -> None:
    must(node, fund(DISPUTABLE))
    node.vanishing.add(node.head)
    assert "vanished" in follower.step().held
    node.vanishing.clear()
    follower.follow()
    assert_shows(store, node)


def test_leaving_a_final_block_halts_and_comes_again_until_the_branch_is_back(
    node: FakeNode, store: Store, follower: Follower
) -> None:
    must(node, fund(DISPUTABLE))
    for _ in range(2 * DEPTH):
        node.mine()
    follower.follow()
    before, true_head = dump(store, schema.CACHE), node.head

    node.drop(DEPTH + 1)
    for _ in range(DEPTH + 3):
        node.mine()
    for _ in range(2):
        with pytest.raises(MilepostError) as caught:
            follower.step()
        assert caught.value.code == "DEEP_REORG"
    assert dump(store, schema.CACHE) == before

    node.head = true_head
    node.mine()
    assert follower.step().caught_up
    assert_shows(store, node)


def test_the_deepest_allowed_reorg_is_repaired(node: FakeNode, store: Store, follower: Follower) -> None:
    for _ in range(DEPTH):
        node.mine()
    must(node, fund(DISPUTABLE))
    for _ in range(DEPTH - 1):
        node.mine()
    follower.follow()
    node.drop(DEPTH)
    for _ in range(DEPTH + 1):
        node.mine()

    assert follower.step().reorg_depth == DEPTH
    assert_shows(store, node)


def test_bonds_resignations_and_equivocations_do_not_halt_a_keeper_nor_hide_the_quorum(
    node: FakeNode, store: Store, follower: Follower
) -> None:
    subject = (ESCROW, WORK, 0, 1, WORK[:24])
    node.mine([said_of_member("BondPosted", 10)])
    node.mine([announced()])
    node.mine([said_of_member("Resigned", 2_000_000_000), said_of_member("BondWithdrawn", PAYER, 10)])
    node.mine([said_of_member("Equivocated", *subject, 7000, 3000, PAYER, 1, 9)])

    follower.follow()
    assert_shows(store, node)

    node.drop(3)
    for _ in range(4):
        node.mine()
    follower.follow()
    assert_shows(store, node)
    node.mine([announced()])
    follower.follow()
    assert_shows(store, node)


def test_an_unknown_event_of_a_followed_contract_halts(node: FakeNode, store: Store, follower: Follower) -> None:
    node.mine([Log(ESCROW.lower(), ("0x" + "77" * 32, "0x" + "00" * 32), "0x")])
    with pytest.raises(MilepostError) as caught:
        follower.step()
    assert caught.value.code == "LEDGER_DIFFERS"
    with store.read() as conn:
        assert views.head(conn) is None


def test_an_event_that_cannot_be_halts_and_commits_nothing(node: FakeNode, store: Store, follower: Follower) -> None:
    must(node, fund(DISPUTABLE))
    follower.follow()
    before = dump(store, schema.CACHE)
    settled = must(node, approve(DISPUTABLE, 0))
    node.mine([settled.logs[0]])

    with pytest.raises(MilepostError, match="Settled of 0x") as caught:
        follower.step()
    assert caught.value.code == "LEDGER_DIFFERS"
    assert dump(store, schema.CACHE) == before


def test_a_restart_goes_on_where_the_last_commit_was(node: FakeNode, store: Store) -> None:
    must(node, fund(DISPUTABLE), submit(DISPUTABLE, 0))
    Follower(node.rpc(), store, DEPLOYMENT, finality=DEPTH).follow()
    store.close()
    node.drop(1)
    must(node, approve(DISPUTABLE, 0))

    again = open_store(store.path)
    Follower(node.rpc(), again, DEPLOYMENT, finality=DEPTH).follow()
    assert_shows(again, node)


def test_a_step_that_another_process_overtook_commits_nothing(node: FakeNode, store: Store, follower: Follower) -> None:
    other = Follower(node.rpc(), store, DEPLOYMENT, finality=DEPTH)
    must(node, fund(DISPUTABLE))
    follower.follow()
    must(node, submit(DISPUTABLE, 0))
    node.meanwhile = lambda: other.step() and None

    step = follower.step()

    assert (step.added, step.events, step.head.hash) == (0, 0, node.head)
    assert_shows(store, node)


def test_a_chain_that_moves_while_it_is_read_is_looked_at_again(
    node: FakeNode, store: Store, follower: Follower
) -> None:
    must(node, fund(DISPUTABLE), submit(DISPUTABLE, 0))

    def reorganise() -> None:
        node.drop(2)
        must(node, fund(AT_ONCE))

    node.meanwhile = reorganise
    follower.step()
    follower.follow()
    assert_shows(store, node)


def test_headers_of_two_branches_in_one_answer_are_not_joined(node: FakeNode, store: Store, follower: Follower) -> None:
    must(node, fund(DISPUTABLE), submit(DISPUTABLE, 0))
    node.mine()

    def reorganise() -> None:
        node.drop(3)
        for _ in range(3):
            node.mine()

    node.meanwhile, node.meanwhile_before = reorganise, ("eth_getBlockByNumber", "0x3")
    step = follower.step()
    assert "moving" in step.held
    assert step.head.number == 0
    follower.follow()
    assert_shows(store, node)


def test_finality_never_moves_back(node: FakeNode, store: Store, follower: Follower) -> None:
    must(node, fund(DISPUTABLE))
    for _ in range(DEPTH + 3):
        node.mine()
    follower.follow()
    node.behind = 3
    assert follower.step().finalized == 4
    with store.read() as conn:
        place = views.place(conn)
    assert place
    assert (place.finalized_number, place.safe_number) == (4, 4)


def test_a_node_that_dies_at_any_moment_leaves_a_ledger_that_goes_on(
    node: FakeNode, store: Store, follower: Follower
) -> None:
    must(node, fund(DISPUTABLE), submit(DISPUTABLE, 0))
    follower.follow()
    before = dump(store, schema.CACHE)
    node.drop(1)
    must(node, approve(DISPUTABLE, 0))
    codes = []
    for node.dies_after in range(3):
        with pytest.raises(MilepostError) as caught:
            follower.step()
        codes.append(caught.value.code)
        assert dump(store, schema.CACHE) == before
    assert set(codes) == {"RPC_UNREACHABLE"}
    node.dies_after = None
    assert follower.step().caught_up
    assert_shows(store, node)


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Gaps of more than three blocks are read as ranges of at most ten."""
    monkeypatch.setattr(route, "WALK", 3)
    monkeypatch.setattr(route, "RANGE", 10)


@pytest.mark.usefixtures("narrow")
def test_a_long_history_is_read_as_ranges_and_ends_the_same(
    node: FakeNode, store: Store, follower: Follower, tmp_path: Path
) -> None:
    mine(node, extra=(announced(),))
    for i, agreement in enumerate(AGREEMENTS):
        must(node, fund(agreement, 0b011), submit(agreement, i % 2), fund(agreement, 0b100))
        for _ in range(7):
            node.mine([noise(i)])
    step = follower.follow()

    assert step.caught_up
    headers = node.asked.count("eth_getBlockByNumber")
    assert headers < 3 * node.tip.number
    assert_shows(store, node)


@pytest.mark.usefixtures("narrow")
def test_after_a_long_absence_an_abandoned_head_is_repaired_first(
    node: FakeNode, store: Store, follower: Follower
) -> None:
    must(node, fund(DISPUTABLE))
    for _ in range(DEPTH):
        node.mine()
    must(node, submit(DISPUTABLE, 0))
    follower.follow()
    node.drop(2)
    for _ in range(5 * DEPTH):
        node.mine()

    step = follower.follow()

    assert step.reorg_depth == 2
    assert _status(store) is Status.FUNDED
    assert_shows(store, node)


def test_below_the_final_block_only_blocks_with_events_are_kept(
    node: FakeNode, store: Store, follower: Follower
) -> None:
    must(node, fund(DISPUTABLE))
    for _ in range(5 * DEPTH):
        node.mine()
        follower.step()
    with store.read() as conn:
        place = views.place(conn)
        kept = conn.execute(select(func.count()).select_from(schema.block)).scalar_one()
    assert place
    assert place.finalized_number == node.tip.number - DEPTH
    assert kept == DEPTH + 1 + 1


def test_rebuild_ends_byte_equal(node: FakeNode, store: Store, follower: Follower) -> None:
    mine(node, extra=(announced(),))
    for agreement in AGREEMENTS:
        must(node, fund(agreement, 0b011), submit(agreement, 0), approve(agreement, 1))
    follower.follow()
    before = dump(store, schema.CACHE)
    with store.begin() as conn:
        conn.execute(schema.milestone.update().values(attempt=7))
        conn.execute(schema.settlement.delete())
    assert dump(store) != {name: before[name] for name in (t.name for t in FOLDED)}

    assert rebuild(store) == 10

    assert dump(store, schema.CACHE) == before


def test_forgetting_everything_and_following_again_ends_byte_equal(
    node: FakeNode, store: Store, follower: Follower
) -> None:
    mine(node, extra=(announced(),))
    for agreement in AGREEMENTS:
        must(node, fund(agreement), submit(agreement, 0))
        follower.follow()
        node.drop(1)
        node.mine()
    for _ in range(2 * DEPTH):
        node.mine()
        follower.follow()
    before = dump(store, schema.CACHE)

    forget(store)
    assert all(rows == [] for rows in dump(store, schema.CACHE).values())
    follower.follow()

    assert dump(store, schema.CACHE) == before


def test_rebuild_never_touches_records(node: FakeNode, store: Store, follower: Follower) -> None:
    must(node, fund(DISPUTABLE))
    follower.follow()
    with store.begin() as conn:
        conn.execute(schema.document.insert(), {"hash": "0x1", "salt": "", "media_type": "", "content": b"kept"})
    rebuild(store)
    forget(store)
    with store.read() as conn:
        assert conn.execute(select(schema.document.c.content)).scalar() == b"kept"


def test_a_node_that_has_not_reached_the_deployment_is_named(store: Store, node: FakeNode) -> None:
    late = DEPLOYMENT.model_copy(update={"block": 50})
    with pytest.raises(MilepostError, match="deployment") as caught:
        Follower(node.rpc(), store, late, finality=DEPTH).step()
    assert caught.value.code == "RPC_INCONSISTENT"
