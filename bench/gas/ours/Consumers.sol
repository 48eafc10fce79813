// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

// Consumers of Assay, one a row: each trusts a registry, whose committee may rotate and which may pause.

import {AssayConsumer} from "contracts/src/AssayConsumer.sol";
import {ICommitteeRegistry} from "contracts/src/interfaces/ICommitteeRegistry.sol";
import {AggregatorV3Interface} from "contracts/src/interfaces/AggregatorV3Interface.sol";
import {IPythRead} from "contracts/src/interfaces/IPythRead.sol";
import {IFeedStore} from "contracts/src/interfaces/IFeedStore.sol";

/// @notice Uses the price of one feed that comes appended to its calldata.
contract PullOne is AssayConsumer {
    bytes32 private immutable BUNDLE;
    bytes32 private immutable FEED;

    constructor(ICommitteeRegistry registry, bytes32 bundleId, bytes32 feedId) AssayConsumer(registry) {
        BUNDLE = bundleId;
        FEED = feedId;
    }

    /// @notice The price, verified, of status OK, at most an hour old.
    function price() external view returns (int256 value) {
        (value,) = _read(BUNDLE, FEED, 1 hours);
    }
}

/// @notice Like PullOne, with the report as an argument.
contract PullArgument is AssayConsumer {
    bytes32 private immutable FEED;

    constructor(ICommitteeRegistry registry, bytes32 feedId) AssayConsumer(registry) {
        FEED = feedId;
    }

    /// @notice The price, verified, of status OK, at most an hour old.
    function price(bytes calldata report) external view returns (int256 value) {
        (value,) = _read(report, FEED, 1 hours);
    }
}

/// @notice Like PullOne, and never uses a report older than the last one it used.
contract PullNewest is AssayConsumer {
    bytes32 private immutable BUNDLE;
    bytes32 private immutable FEED;

    constructor(ICommitteeRegistry registry, bytes32 bundleId, bytes32 feedId) AssayConsumer(registry) {
        BUNDLE = bundleId;
        FEED = feedId;
    }

    /// @notice The price, verified, of status OK, at most an hour old, of the newest report seen here.
    function price() external returns (int256 value) {
        (value,) = _readNewest(BUNDLE, FEED, 1 hours);
    }
}

/// @notice Reads one feed three times in a transaction and verifies its report once.
contract PullOnce is AssayConsumer {
    bytes32 private immutable FEED;

    constructor(ICommitteeRegistry registry, bytes32 feedId) AssayConsumer(registry) {
        FEED = feedId;
    }

    /// @notice The price, as its first reading had it.
    function price() external returns (int256 value) {
        _readOnce(FEED, 1 hours);
        _readOnce(FEED, 1 hours);
        (value,) = _readOnce(FEED, 1 hours);
    }
}

/// @notice Uses the prices of all ten feeds of one bundle.
contract PullBundle is AssayConsumer {
    bytes32 private immutable BUNDLE;
    bytes32 private immutable FEED0;
    bytes32 private immutable FEED1;
    bytes32 private immutable FEED2;
    bytes32 private immutable FEED3;
    bytes32 private immutable FEED4;
    bytes32 private immutable FEED5;
    bytes32 private immutable FEED6;
    bytes32 private immutable FEED7;
    bytes32 private immutable FEED8;
    bytes32 private immutable FEED9;

    constructor(ICommitteeRegistry registry, bytes32 bundleId, bytes32[10] memory feeds) AssayConsumer(registry) {
        BUNDLE = bundleId;
        FEED0 = feeds[0];
        FEED1 = feeds[1];
        FEED2 = feeds[2];
        FEED3 = feeds[3];
        FEED4 = feeds[4];
        FEED5 = feeds[5];
        FEED6 = feeds[6];
        FEED7 = feeds[7];
        FEED8 = feeds[8];
        FEED9 = feeds[9];
    }

    /// @notice All ten prices, verified, of status OK, at most an hour old.
    function prices() external view returns (int256[] memory values) {
        (values,) = _readBundle(
            abi.encodePacked(BUNDLE, FEED0, FEED1, FEED2, FEED3, FEED4, FEED5, FEED6, FEED7, FEED8, FEED9), 1 hours
        );
    }
}

/// @notice Uses the prices of ten feeds from ten bundles of one report.
contract PullScattered is AssayConsumer {
    constructor(ICommitteeRegistry registry) AssayConsumer(registry) {}

    /// @notice How many feeds the appended report proves.
    function feeds() external view returns (uint256) {
        return _verified().count();
    }
}

/// @notice Reads what a store keeps.
contract StoreReader {
    IFeedStore private immutable STORE;
    bytes32 private immutable FEED;

    constructor(IFeedStore store, bytes32 feedId) {
        STORE = store;
        FEED = feedId;
    }

    /// @notice The stored price, of status OK, at most an hour old.
    function price() external view returns (int256 value) {
        (value,) = STORE.read(FEED, 1 hours);
    }
}

/// @notice A consumer written for Chainlink's aggregators, with the check of age that such consumers have.
contract AggregatorReader {
    AggregatorV3Interface private immutable FEED;

    error Stale();

    constructor(AggregatorV3Interface feed) {
        FEED = feed;
    }

    /// @notice The answer, at most an hour old.
    function price() external view returns (int256) {
        (, int256 answer,, uint256 updatedAt,) = FEED.latestRoundData();
        if (block.timestamp - updatedAt > 1 hours) revert Stale();
        return answer;
    }
}

/// @notice A consumer written for Pyth.
contract PythReader {
    IPythRead private immutable PYTH;
    bytes32 private immutable ID;

    constructor(IPythRead pyth, bytes32 id) {
        PYTH = pyth;
        ID = id;
    }

    /// @notice The price, at most an hour old.
    function price() external view returns (int64) {
        return PYTH.getPriceNoOlderThan(ID, 1 hours).price;
    }
}
