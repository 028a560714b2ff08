// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import { ERC20 } from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import { Escrow } from "../../../contracts/Escrow.sol";
import { Cause, Milestone, Part, Terms } from "@interfaces/IEscrow.sol";

/// @title Wrapped native currency, which takes any call that it does not know for a deposit
contract PhantomToken is ERC20("Wrapped", "WRAP") {
    fallback() external payable {
        _mint(msg.sender, msg.value);
    }

    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }
}

/// @title A token that calls its sender before it moves, as ERC-777 does
contract CallingToken is ERC20("Calling", "CALL") {
    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    function _update(address from, address to, uint256 amount) internal override {
        if (from.code.length > 0 && from != msg.sender) GenerousSender(from).tokensToSend();
        super._update(from, to, amount);
    }
}

/// @title A funder who slips the escrow a unit of his own while it counts what arrives
contract GenerousSender {
    Escrow private immutable ESCROW;
    CallingToken private immutable TOKEN;
    uint256 public gift;

    constructor(Escrow escrow, CallingToken token) {
        (ESCROW, TOKEN) = (escrow, token);
        token.approve(address(escrow), type(uint256).max);
    }

    function setGift(uint256 to) external {
        gift = to;
    }

    function fund(Terms calldata terms, Milestone[] calldata milestones, uint64 mask) external {
        ESCROW.fund(terms, milestones, mask);
    }

    function tokensToSend() external {
        if (gift > 0) TOKEN.transfer(address(ESCROW), gift);
    }
}

/// @title A receiver of native currency that refuses to be starved
contract HungryReceiver {
    uint256 private constant STIPEND = 2300;

    receive() external payable {
        require(gasleft() > 149_000 + STIPEND, "starved");
    }
}

/// @title A receiver that writes down what the escrow says while it is being paid
contract Onlooker {
    Escrow private immutable ESCROW;
    bytes private looksAt;
    uint64 public closed;
    Cause public cause;
    uint256 public held;

    constructor(Escrow escrow) {
        ESCROW = escrow;
    }

    function lookAt(bytes32 id, Part calldata part) external {
        looksAt = abi.encode(id, part);
    }

    receive() external payable {
        (bytes32 id, Part memory part) = abi.decode(looksAt, (bytes32, Part));
        (, closed) = ESCROW.state(id);
        (cause,,) = ESCROW.due(part);
        held = address(ESCROW).balance;
    }
}
