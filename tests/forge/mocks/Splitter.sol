// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import { Escrow } from "../../../contracts/Escrow.sol";
import { Part } from "@interfaces/IEscrow.sol";

/// @title Takes money and hands it on, and calls nobody else; it takes none while it hands on
contract Splitter {
    error Busy();

    bool private transient _busy;

    modifier once() {
        if (_busy) revert Busy();
        _busy = true;
        _;
        _busy = false;
    }

    receive() external payable once { }

    function release(address to, uint256 amount) external once {
        (bool worked,) = to.call{ value: amount }("");
        if (!worked) revert Busy();
    }
}

/// @title Settles a milestone at the very moment when its payee takes no money
contract MomentPicker {
    Escrow private immutable ESCROW;
    bytes private call;

    constructor(Escrow escrow) {
        ESCROW = escrow;
    }

    function attack(Splitter payee, Part calldata part) external {
        call = abi.encodeCall(Escrow.settle, (part));
        payee.release(address(this), 0);
    }

    receive() external payable {
        (bool worked,) = address(ESCROW).call(call);
        if (!worked) revert();
    }
}
