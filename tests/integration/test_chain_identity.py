"""check_identity against a real chain."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from chainlab import Anvil, Deployed

from keeper.chain.identity import check_identity
from keeper.chain.rpc import Rpc
from keeper.errors import MilepostError

pytestmark = pytest.mark.chain


def test_the_deployed_chain_passes(deployed: Deployed) -> None:
    check_identity(Rpc([deployed.anvil.url]), deployed.deployment)


def test_another_chain_id_is_named_with_both_numbers(deployed: Deployed, new_anvil: Callable[..., Anvil]) -> None:
    other = new_anvil("--chain-id", "1234")

    with pytest.raises(MilepostError) as caught:
        check_identity(other.rpc, deployed.deployment)

    assert caught.value.code == "WRONG_CHAIN"
    assert "expected chain id 31337, found 1234" in caught.value.cause


def test_another_chain_of_the_same_id_is_told_by_its_genesis(
    deployed: Deployed, new_anvil: Callable[..., Anvil]
) -> None:
    other = new_anvil("--timestamp", "1700000000")

    with pytest.raises(MilepostError) as caught:
        check_identity(other.rpc, deployed.deployment)

    assert caught.value.code == "WRONG_CHAIN"
    assert f"expected genesis {deployed.deployment.genesis}" in caught.value.cause


def test_an_address_without_code_is_no_contract(deployed: Deployed) -> None:
    escrow = deployed.deployment.escrow.model_copy(update={"address": deployed.anvil.accounts[5]})
    wrong = deployed.deployment.model_copy(update={"escrow": escrow})

    with pytest.raises(MilepostError) as caught:
        check_identity(Rpc([deployed.anvil.url]), wrong)

    assert caught.value.code == "WRONG_CONTRACT"
    assert "found no code" in caught.value.cause


def test_other_code_at_the_address_is_refused(deployed: Deployed) -> None:
    escrow = deployed.deployment.escrow.model_copy(update={"address": deployed.token})
    wrong = deployed.deployment.model_copy(update={"escrow": escrow})

    with pytest.raises(MilepostError) as caught:
        check_identity(Rpc([deployed.anvil.url]), wrong)

    assert caught.value.code == "WRONG_CONTRACT"
    assert deployed.deployment.escrow.code_hash in caught.value.cause


def test_every_endpoint_is_checked_at_the_start(deployed: Deployed, new_anvil: Callable[..., Anvil]) -> None:
    other = new_anvil("--chain-id", "1234")

    with pytest.raises(MilepostError) as caught:
        check_identity(Rpc([deployed.anvil.url, other.url]), deployed.deployment)

    assert caught.value.code == "WRONG_CHAIN"


def test_an_endpoint_that_was_down_at_the_start_is_checked_before_it_is_believed(
    own_chain: Deployed, new_anvil: Callable[..., Anvil]
) -> None:
    down = new_anvil()
    port = down.url.rpartition(":")[2]
    down.stop()
    rpc = Rpc([own_chain.anvil.url, down.url])
    check_identity(rpc, own_chain.deployment)
    new_anvil("--chain-id", "1234", "--port", port)
    own_chain.anvil.stop()

    with pytest.raises(MilepostError) as caught:
        rpc.call("eth_blockNumber")

    assert caught.value.code == "WRONG_CHAIN"


def test_a_dead_second_endpoint_does_not_stop_the_first(own_chain: Deployed, new_anvil: Callable[..., Anvil]) -> None:
    down = new_anvil()
    down.stop()

    check_identity(Rpc([down.url, own_chain.anvil.url]), own_chain.deployment)


def test_a_dead_node_is_unreachable(own_chain: Deployed) -> None:
    own_chain.anvil.stop()

    with pytest.raises(MilepostError) as caught:
        check_identity(Rpc([own_chain.anvil.url]), own_chain.deployment)

    assert caught.value.code == "RPC_UNREACHABLE"
    assert "connection refused" in caught.value.cause
