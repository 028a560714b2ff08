// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import { IERC777Recipient } from "@openzeppelin/contracts/interfaces/IERC777Recipient.sol";
import { IERC777Sender } from "@openzeppelin/contracts/interfaces/IERC777Sender.sol";
import { ERC20 } from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import { vm } from "../Vm.sol";
import { Allowances } from "./Allowances.sol";

/// @title A token whose sender pays a fee on top
/// @dev As reflection tokens that debit amount and fee (SafeMoon's kind): the receiver gets all of it, the sender loses
/// more than it sent.
contract SurchargeToken is ERC20("Surcharge", "MORE") {
    uint256 public bps;

    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    function setBps(uint256 to) external {
        bps = to;
    }

    function _update(address from, address to, uint256 amount) internal override {
        super._update(from, to, amount);
        if (from != address(0) && to != address(0)) super._update(from, address(0), amount * bps / 10_000);
    }
}

/// @title A token whose balances follow a pool
/// @dev Lido's stETH at 0xae7ab96520DE3A18E5e111B5EaAb095312D7fE84: a balance is shares * pool / all shares, rounded down; a
/// transfer moves amount * all shares / pool shares, rounded down, so that a unit or two may fail to arrive. Ampleforth
/// rebases the same way.
contract RebasingToken is Allowances {
    uint256 public pool;
    uint256 public allShares;
    mapping(address who => uint256) public shares;

    function mint(address to, uint256 amount) external {
        shares[to] += amount;
        allShares += amount;
        pool += amount;
    }

    function setPool(uint256 to) external {
        pool = to;
    }

    function balanceOf(address who) public view returns (uint256) {
        return shares[who] * pool / allShares;
    }

    function _move(address from, address to, uint256 amount) internal override {
        uint256 moved = amount * allShares / pool;
        shares[from] -= moved;
        shares[to] += moved;
    }
}

/// @title A token that tells sender and receiver
/// @dev ERC-777 as OpenZeppelin had it: transfer and transferFrom call the sender's hook before and the receiver's after
/// they move, where one is registered, and do not ask a contract to have one. The registry (ERC-1820) is folded in.
contract HookedToken is ERC20("Hooked", "HOOK") {
    mapping(address who => address) public hookOf;

    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    function register(address who, address hook) external {
        hookOf[who] = hook;
    }

    function _update(address from, address to, uint256 amount) internal override {
        address hook = hookOf[from];
        if (hook != address(0)) IERC777Sender(hook).tokensToSend(msg.sender, from, to, amount, "", "");
        super._update(from, to, amount);
        hook = hookOf[to];
        if (hook != address(0)) IERC777Recipient(hook).tokensReceived(msg.sender, from, to, amount, "", "");
    }
}

/// @title A token that answers more than it was asked, or refuses zero
/// @dev It returns true with 160 kB behind it: 64,000 gas to have, 79,000 more to copy. Zero is refused as by LEND.
contract LoudToken is ERC20("Loud", "LOUD") {
    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    function transfer(address to, uint256 amount) public override returns (bool) {
        require(amount > 0, "zero");
        super.transfer(to, amount);
        assembly ("memory-safe") {
            mstore(0, 1)
            return(0, 160000)
        }
    }
}

/// @title A token that lies about balances
contract LyingToken is ERC20("Lying", "LIE") {
    enum Lie {
        None,
        Constant, // what it says never changes
        Promise, // moves nothing, and says that it did
        Shrink // says that a receiver owns less than before
    }

    Lie public lie;
    mapping(address who => uint256) public promised;

    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    function setLie(Lie to) external {
        lie = to;
    }

    function balanceOf(address who) public view override returns (uint256) {
        if (lie == Lie.Constant) return 1e30;
        if (lie == Lie.Shrink) return 1e30 - super.balanceOf(who);
        return super.balanceOf(who) + promised[who];
    }

    function transferFrom(address from, address to, uint256 amount) public override returns (bool) {
        if (lie != Lie.Promise) return super.transferFrom(from, to, amount);
        promised[to] += amount;
        return true;
    }
}

/// @title The book behind two tokens
contract TwinLedger {
    mapping(address who => uint256) public balanceOf;
    mapping(address twin => bool) private twins;

    function add(address twin) external {
        twins[twin] = true;
    }

    function mint(address to, uint256 amount) external {
        balanceOf[to] += amount;
    }

    function move(address from, address to, uint256 amount) external {
        require(twins[msg.sender]);
        balanceOf[from] -= amount;
        balanceOf[to] += amount;
    }
}

/// @title One of two addresses for the same balances
/// @dev As TrueUSD was behind 0x8dd5fbCe2F6a956C3022bA3663759011Dd51e73E and
/// 0x0000000000085d4780B73119b644AE5ecd22b376.
contract TwinToken is Allowances {
    TwinLedger public immutable ledger;

    constructor(TwinLedger ledger_) {
        ledger = ledger_;
    }

    function balanceOf(address who) external view returns (uint256) {
        return ledger.balanceOf(who);
    }

    function _move(address from, address to, uint256 amount) internal override {
        ledger.move(from, to, amount);
    }
}

/// @title The chain's native currency as a token as well
/// @dev As CELO at 0x471EcE3750Da237f93B8E339c536989b8978a438: the token's balances are the native ones, moved by a
/// precompile, for which the cheatcode stands.
contract NativeTwin is Allowances {
    function balanceOf(address who) external view returns (uint256) {
        return who.balance;
    }

    function _move(address from, address to, uint256 amount) internal override {
        vm.deal(from, from.balance - amount);
        vm.deal(to, to.balance + amount);
    }
}
