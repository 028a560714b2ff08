// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import { ERC20 } from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @title A token that can be told to misbehave in each way that an escrow must survive
contract HostileToken is ERC20("Hostile", "EVIL") {
    enum Mode {
        Honest,
        ReturnFalse, // refuses without reverting
        ReturnNothing, // pays, and says nothing, like the oldest tokens
        ReturnTwo, // pays, and returns a word that is neither true nor false
        ReturnByte, // pays, and returns less than a word
        Bomb, // refuses with a megabyte of revert data
        BurnGas, // never ends
        TakeFee, // a tenth of each transfer is lost
        Hungry // refuses unless it is given almost all of what a push promises
    }

    Mode public mode;
    mapping(address who => bool) public blocked;
    mapping(address who => bool) public answersShort; // a transfer to him returns one zero byte

    function setMode(Mode to) external {
        mode = to;
    }

    function setBlocked(address who, bool to) external {
        blocked[who] = to;
    }

    function setAnswersShort(address who) external {
        answersShort[who] = true;
    }

    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    function transfer(address to, uint256 amount) public override returns (bool) {
        uint256 given = gasleft();
        require(mode != Mode.Hungry || given > 149_000, "starved");
        if (mode == Mode.ReturnFalse) return false;
        super.transfer(to, amount);
        if (answersShort[to]) {
            assembly ("memory-safe") {
                mstore8(0, 0)
                return(0, 1)
            }
        }
        return _answer();
    }

    function transferFrom(address from, address to, uint256 amount) public override returns (bool) {
        if (mode == Mode.ReturnFalse) return false;
        super.transferFrom(from, to, amount);
        return _answer();
    }

    function _answer() private view returns (bool) {
        if (mode == Mode.ReturnNothing) {
            assembly ("memory-safe") {
                return(0, 0)
            }
        }
        if (mode == Mode.ReturnTwo) {
            assembly ("memory-safe") {
                mstore(0, 2)
                return(0, 32)
            }
        }
        if (mode == Mode.ReturnByte) {
            assembly ("memory-safe") {
                mstore8(0, 1)
                return(0, 1)
            }
        }
        return true;
    }

    function _update(address from, address to, uint256 amount) internal override {
        require(!blocked[to], "blocked");
        if (mode == Mode.Bomb) {
            assembly ("memory-safe") {
                revert(0, 100000)
            }
        }
        if (mode == Mode.BurnGas) while (true) { }
        super._update(from, to, amount);
        if (mode == Mode.TakeFee && from != address(0) && to != address(0)) super._update(to, address(0), amount / 10);
    }
}
