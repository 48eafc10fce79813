// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IFeedStore} from "./IFeedStore.sol";

/// @title The functions by which contracts read Chainlink's price feeds; names, arguments and results are Chainlink's.
interface AggregatorV3Interface {
    /// How many digits of an answer stand behind the point.
    function decimals() external view returns (uint8);

    /// What the answers are, for people: "BTC / USD".
    function description() external view returns (string memory);

    /// Which make of aggregator this is.
    function version() external view returns (uint256);

    /// The answer of one round.
    function getRoundData(uint80 roundId)
        external
        view
        returns (uint80, int256 answer, uint256 startedAt, uint256 updatedAt, uint80 answeredInRound);

    /// The answer of the newest round.
    function latestRoundData()
        external
        view
        returns (uint80 roundId, int256 answer, uint256 startedAt, uint256 updatedAt, uint80 answeredInRound);
}

/// @title One feed of a store, for contracts that read Chainlink's.
/// @notice Answers are the committee's as they are: never clamped, never of a feed that is not OK, never older than
/// maxAgeS() or the feed's own validity allow. Where there is no such answer, every function that would give one
/// reverts with NotOk or Stale. Decimals and description are those of the feed's meaning, which its id is the hash of.
/// startedAt and updatedAt are the source's own time, not the push's, so a consumer's check of age sees the age of the
/// data; they are never ahead of block time. Round ids are T in ms: they rise with each answer, leave gaps, and have no
/// phase in their upper bits.
interface IAggregatorFacade is AggregatorV3Interface {
    /// There is no answer of this round any more, or not yet: only the newest is kept.
    error NoHistory(uint80 roundId, uint80 latestRoundId);
    /// No function has this selector. getAnswer and getTimestamp are for rounds gone by, aggregator and phaseId for
    /// proxies, minAnswer and maxAnswer for clamped answers: nothing here has them.
    error UnknownFunction();

    /// The newest answer, for consumers from before rounds came with their times.
    function latestAnswer() external view returns (int256);

    /// updatedAt of the newest answer.
    function latestTimestamp() external view returns (uint256);

    /// The newest answer's round id.
    function latestRound() external view returns (uint256);

    /// The store that is read.
    function store() external view returns (IFeedStore);

    /// The feed that is read.
    function feedId() external view returns (bytes32);

    /// How old an answer may be, s.
    function maxAgeS() external view returns (uint256);
}
