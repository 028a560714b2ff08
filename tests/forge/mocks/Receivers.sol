// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

/// @title Takes no native currency
contract RefusingReceiver {
    receive() external payable {
        revert("no");
    }
}

/// @title On receiving native currency makes one call back to whoever sent it
contract ReenteringReceiver {
    bytes private _call;
    bool public reached;
    bool public worked;

    function arm(bytes calldata call) external {
        _call = call;
    }

    receive() external payable {
        reached = true;
        (worked,) = msg.sender.call(_call);
    }
}
