// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IFeedStore, Reading} from "../interfaces/IFeedStore.sol";
import {FeedMeaning, Meaning} from "./Meaning.sol";
import {Values} from "./Values.sol";

/// @title What the facades share: which feed it is, proven once, and its number as the store has it now.
library StoredNumber {
    /// The feed that `meaning` says. It must be a number, and the store must have heard of it: the store knows only ids
    /// that a committee signed values for, so of bytes with other decimals, name or unit it has nothing.
    function prove(IFeedStore store, bytes memory meaning) internal view returns (FeedMeaning memory feed) {
        feed = Meaning.parse(meaning);
        if (!feed.isNumber) revert Values.WrongKind(feed.feedId, Values.STRUCTURED);
        if (store.tryRead(feed.feedId).attestedAtMs == 0) revert IFeedStore.UnknownFeed(feed.feedId);
    }

    /// What the store has of a feed that prove() accepted, if it is OK and a number, of whatever age. One call instead
    /// of read() and another for T and the spread; its eight words land in the struct as they are: 700 gas less.
    function load(IFeedStore store, bytes32 feedId) internal view returns (Reading memory reading) {
        bytes4 selector = IFeedStore.tryRead.selector;
        bool answered;
        assembly ("memory-safe") {
            mstore(0, selector)
            mstore(4, feedId)
            // Right to left: the call comes before the size of its answer.
            answered := and(gt(returndatasize(), 255), staticcall(gas(), store, 0, 36, reading, 256))
        }
        if (!answered) revert IFeedStore.UnknownFeed(feedId);
        if (reading.status != 0) revert Values.NotOk(feedId, reading.status);
        if (reading.kind != Values.NUMBER) revert Values.WrongKind(feedId, reading.kind);
    }

    /// The source's own time, s, rounded down. A source may be ahead of block time, which consumers subtract it from
    /// without a thought: it is of age 0 then.
    function observedAtS(Reading memory reading) internal view returns (uint256) {
        uint256 observed = reading.observedAtMs / 1000;
        return observed < block.timestamp ? observed : block.timestamp;
    }

    /// Whether it is within its validity, and at most `maxAgeS` old: whole seconds, rounded up as the source's time is
    /// rounded down. Both ends count.
    function isFresh(Reading memory reading, uint256 maxAgeS) internal view returns (bool) {
        unchecked {
            return block.timestamp - observedAtS(reading) <= maxAgeS && block.timestamp * 1000 <= reading.validUntilMs;
        }
    }
}
