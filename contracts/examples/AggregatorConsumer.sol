// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {AggregatorV3Interface} from "../src/interfaces/AggregatorV3Interface.sol";

/// @title A vault that values deposits of ether in dollars, written for Chainlink: nothing in it knows of Assay.
/// @notice Give it the address of an AggregatorFacade in the place of a Chainlink proxy, and it runs as it is.
/// @dev Storage layout: slot 0 depositOf.
contract AggregatorConsumer {
    /// The sender has less here than is asked back.
    error InsufficientDeposit(uint256 deposit);
    /// A price of zero or below is no price.
    error InvalidPrice(int256 answer);
    /// The feed has not been updated for longer than its heartbeat.
    error StalePrice(uint256 updatedAt);
    /// The ether could not be sent.
    error SendFailed();

    /// The price of one ether.
    AggregatorV3Interface public immutable feed;
    /// How long the feed may stay silent, s.
    uint256 public immutable heartbeatS;
    uint256 private immutable UNIT;

    /// How much wei an account has here.
    mapping(address account => uint256) public depositOf;

    constructor(AggregatorV3Interface feed_, uint256 heartbeatS_) {
        feed = feed_;
        heartbeatS = heartbeatS_;
        UNIT = 10 ** feed_.decimals();
    }

    /// Takes the ether that is sent along into the sender's deposit.
    function deposit() external payable {
        depositOf[msg.sender] += msg.value;
    }

    /// Sends ether of the sender's deposit back.
    function withdraw(uint256 amount) external {
        uint256 before = depositOf[msg.sender];
        if (amount > before) revert InsufficientDeposit(before);
        depositOf[msg.sender] = before - amount;
        (bool sent,) = msg.sender.call{value: amount}("");
        if (!sent) revert SendFailed();
    }

    /// What an account's deposit is worth, in dollars of 18 decimals.
    function valueOf(address account) external view returns (uint256) {
        (, int256 answer,, uint256 updatedAt,) = feed.latestRoundData();
        if (answer <= 0) revert InvalidPrice(answer);
        if (block.timestamp - updatedAt > heartbeatS) revert StalePrice(updatedAt);
        return depositOf[account] * uint256(answer) / UNIT;
    }
}
