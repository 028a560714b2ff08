// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import { ERC20 } from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import { ERC20Permit } from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";
import {
    ERC20TransferAuthorization
} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20TransferAuthorization.sol";
import { ERC3009 } from "@openzeppelin/contracts/token/ERC20/extensions/draft-ERC3009.sol";
import { EIP712 } from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import { Allowances } from "./Allowances.sol";

/// @title OpenZeppelin's ERC-2612 and ERC-3009 as they are shipped
/// @notice Told to, it takes a fee or makes a call while it moves.
contract SigningToken is ERC20Permit, ERC3009 {
    bool public takesFee; // a tenth
    address public target;
    bytes public call;
    bytes public answer;

    constructor() ERC20("Signing", "SIGN") ERC20Permit("Signing") { }

    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    function setTakesFee(bool to) external {
        takesFee = to;
    }

    function arm(address target_, bytes calldata call_) external {
        (target, call) = (target_, call_);
    }

    function permit(address owner, address spender, uint256 value, uint256 deadline, uint8 v, bytes32 r, bytes32 s)
        public
        override
    {
        _callBack();
        super.permit(owner, spender, value, deadline, v, r, s);
    }

    function _update(address from, address to, uint256 amount) internal override {
        _callBack();
        super._update(from, to, amount);
        if (takesFee && from != address(0) && to != address(0)) super._update(to, address(0), amount / 10);
    }

    function _callBack() private {
        if (target != address(0)) (, answer) = target.call(call);
    }
}

/// @title OpenZeppelin's ERC-3009 with sequential nonces, as it is shipped
contract KeyedNonceToken is ERC20TransferAuthorization {
    constructor() ERC20("Keyed", "KEY") EIP712("Keyed", "1") { }

    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    function DOMAIN_SEPARATOR() external view returns (bytes32) {
        return _domainSeparatorV4();
    }
}

/// @title Ether as a token
/// @dev WETH9 at 0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2 (and WBNB, WAVAX, ...): no permit, no ERC-3009, and a fallback
/// that takes any call for a deposit, so that a call of either succeeds and does nothing.
contract WrappedNative is Allowances {
    mapping(address who => uint256) public balanceOf;

    fallback() external payable {
        deposit();
    }

    receive() external payable {
        deposit();
    }

    function deposit() public payable {
        balanceOf[msg.sender] += msg.value;
    }

    function _move(address from, address to, uint256 amount) internal override {
        balanceOf[from] -= amount;
        balanceOf[to] += amount;
    }
}

/// @title A token whose permit misbehaves; the rest is plain
contract OddPermitToken is ERC20("Odd", "ODD") {
    enum Mode {
        Bomb, // reverts with a megabyte: 2 million gas to have, and as much again to copy
        Shout, // returns a megabyte, having done nothing
        GrantLess // grants one unit less than asked
    }

    Mode public mode;

    function setMode(Mode to) external {
        mode = to;
    }

    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    function permit(address owner, address spender, uint256 amount, uint256, uint8, bytes32, bytes32) external {
        if (mode == Mode.GrantLess) {
            _approve(owner, spender, amount - 1);
            return;
        }
        bool bomb = mode == Mode.Bomb;
        assembly ("memory-safe") {
            if bomb { revert(0, 1000000) }
            return(0, 1000000)
        }
    }
}

/// @title A token that refuses an authorization with 100 kB of reason
contract LongReasonToken is ERC20("Long", "LONG") {
    function receiveWithAuthorization(address, address, uint256, uint256, uint256, bytes32, uint8, bytes32, bytes32)
        external
        pure
    {
        assembly ("memory-safe") {
            revert(mload(0x40), 100000)
        }
    }
}
