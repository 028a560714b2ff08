// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

/// @title Tether USD on Ethereum, in all that an escrow meets
/// @dev TetherToken at 0xdAC17F958D2ee523a2206206994597C13D831ec7: transfer, transferFrom and approve return nothing; an
/// allowance is changed only from or to zero; setParams can switch on a fee, rate < 20 in 10,000 and at most 49 dollars,
/// which comes out of what the receiver gets; a blacklisted account cannot send, but receives, and its balance can be
/// destroyed; everything can be paused. Refusals give no reason.
contract UsdtLike {
    uint256 private constant MAX_SETTABLE_BASIS_POINTS = 20;
    uint256 private constant MAX_SETTABLE_FEE = 50; // dollars
    uint8 public constant decimals = 6;

    address public owner = msg.sender;
    uint256 public basisPointsRate;
    uint256 public maximumFee; // token units
    bool public paused;
    mapping(address who => uint256) public balanceOf;
    mapping(address who => mapping(address spender => uint256)) public allowance;
    mapping(address who => bool) public isBlackListed;

    function issue(address to, uint256 amount) external {
        balanceOf[to] += amount;
    }

    function setParams(uint256 rate, uint256 maxFee) external {
        require(rate < MAX_SETTABLE_BASIS_POINTS);
        require(maxFee < MAX_SETTABLE_FEE);
        (basisPointsRate, maximumFee) = (rate, maxFee * 10 ** decimals);
    }

    function setPaused(bool to) external {
        paused = to;
    }

    function setBlackListed(address who, bool to) external {
        isBlackListed[who] = to;
    }

    function destroyBlackFunds(address who) external {
        require(isBlackListed[who]);
        balanceOf[who] = 0;
    }

    function approve(address spender, uint256 amount) external {
        require(amount == 0 || allowance[msg.sender][spender] == 0);
        allowance[msg.sender][spender] = amount;
    }

    function transfer(address to, uint256 amount) external {
        _move(msg.sender, to, amount);
    }

    function transferFrom(address from, address to, uint256 amount) external {
        uint256 allowed = allowance[from][msg.sender];
        if (allowed < type(uint256).max) allowance[from][msg.sender] = allowed - amount;
        _move(from, to, amount);
    }

    function feeOf(uint256 amount) public view returns (uint256) {
        uint256 fee = amount * basisPointsRate / 10_000;
        return fee > maximumFee ? maximumFee : fee;
    }

    function _move(address from, address to, uint256 amount) private {
        require(!paused);
        require(!isBlackListed[from]);
        uint256 fee = feeOf(amount);
        balanceOf[from] -= amount;
        balanceOf[to] += amount - fee;
        balanceOf[owner] += fee;
    }
}
