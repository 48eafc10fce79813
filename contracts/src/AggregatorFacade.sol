// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {AggregatorV3Interface, IAggregatorFacade} from "./interfaces/AggregatorV3Interface.sol";
import {IFeedStore, Reading} from "./interfaces/IFeedStore.sol";
import {FeedMeaning} from "./lib/Meaning.sol";
import {StoredNumber} from "./lib/StoredNumber.sol";
import {Values} from "./lib/Values.sol";

/// @title One feed of a store under Chainlink's AggregatorV3Interface.
/// @dev Storage layout: slot 0 description. Nothing writes after deployment; what answers need is in code.
contract AggregatorFacade is IAggregatorFacade {
    /// @inheritdoc AggregatorV3Interface
    uint256 public constant version = 1;

    /// @inheritdoc IAggregatorFacade
    IFeedStore public immutable store;
    /// @inheritdoc IAggregatorFacade
    bytes32 public immutable feedId;
    /// @inheritdoc IAggregatorFacade
    uint256 public immutable maxAgeS;
    /// @inheritdoc AggregatorV3Interface
    uint8 public immutable decimals;

    /// @inheritdoc AggregatorV3Interface
    string public description;

    /// @param store_ where the feed is pushed to; it must have a value of it already
    /// @param meaning the bytes whose hash is the feed's id; reverts unless they mean a number
    /// @param maxAgeS_ how old an answer may be, s; the feed's own validity counts besides
    constructor(IFeedStore store_, bytes memory meaning, uint256 maxAgeS_) {
        FeedMeaning memory feed = StoredNumber.prove(store_, meaning);
        store = store_;
        feedId = feed.feedId;
        maxAgeS = maxAgeS_;
        decimals = feed.decimals;
        description = _describe(feed.name, feed.unit);
    }

    /// Whatever has no known selector.
    fallback() external {
        revert UnknownFunction();
    }

    /// @inheritdoc AggregatorV3Interface
    function getRoundData(uint80 roundId) external view returns (uint80, int256, uint256, uint256, uint80) {
        (uint80 latest, int256 answer, uint256 updatedAt) = _latest();
        if (roundId != latest) revert NoHistory(roundId, latest);
        return (latest, answer, updatedAt, updatedAt, latest);
    }

    /// @inheritdoc AggregatorV3Interface
    function latestRoundData() external view returns (uint80, int256, uint256, uint256, uint80) {
        (uint80 latest, int256 answer, uint256 updatedAt) = _latest();
        return (latest, answer, updatedAt, updatedAt, latest);
    }

    /// @inheritdoc IAggregatorFacade
    function latestAnswer() external view returns (int256 answer) {
        (, answer,) = _latest();
    }

    /// @inheritdoc IAggregatorFacade
    function latestTimestamp() external view returns (uint256 updatedAt) {
        (,, updatedAt) = _latest();
    }

    /// @inheritdoc IAggregatorFacade
    function latestRound() external view returns (uint256 latest) {
        (latest,,) = _latest();
    }

    function _latest() private view returns (uint80 roundId, int256 answer, uint256 updatedAt) {
        Reading memory reading = StoredNumber.load(store, feedId);
        if (!StoredNumber.isFresh(reading, maxAgeS)) revert Values.Stale(feedId, reading.observedAtMs);
        // T has 48 bits in a report.
        return (uint80(reading.attestedAtMs), reading.value, StoredNumber.observedAtS(reading));
    }

    /// "BTC / USD" of a feed named btc-usd whose unit is USD; the name of any other.
    function _describe(string memory name, string memory unit) private pure returns (string memory) {
        bytes memory text = bytes(name);
        uint256 unitBytes = bytes(unit).length;
        if (text.length <= unitBytes) return name;
        uint256 hyphen = text.length - unitBytes - 1;
        bytes memory base = new bytes(hyphen);
        for (uint256 i = 0; i < text.length; ++i) {
            bytes1 upper = text[i] >= "a" && text[i] <= "z" ? text[i] ^ 0x20 : text[i];
            if (i < hyphen) {
                // A base of several words is no symbol.
                if (upper == "-") return name;
                base[i] = upper;
            } else if (upper != (i == hyphen ? bytes1("-") : bytes(unit)[i - hyphen - 1])) {
                return name;
            }
        }
        return string.concat(string(base), " / ", unit);
    }
}
