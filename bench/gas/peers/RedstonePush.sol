// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.17;

// RedStone's push model: its own multi-feed adapter with our keys, its price feed, and consumers that read them.

import {IRedstoneAdapter} from "@redstone-finance/on-chain-relayer/contracts/core/IRedstoneAdapter.sol";
import {
    MultiFeedAdapterWithoutRounds
} from "@redstone-finance/on-chain-relayer/contracts/price-feeds/without-rounds/MultiFeedAdapterWithoutRounds.sol";
import {
    PriceFeedWithoutRoundsForMultiFeedAdapter
} from "@redstone-finance/on-chain-relayer/contracts/price-feeds/without-rounds/PriceFeedWithoutRoundsForMultiFeedAdapter.sol";
import {Signers} from "made/Signers.sol";

/// @notice The adapter that stores values, as RedStone deploys it but for the keys.
contract RedstonePush is MultiFeedAdapterWithoutRounds, Signers {}

/// @notice RedStone's AggregatorV3-like view of one feed of the adapter.
contract RedstoneFeed is PriceFeedWithoutRoundsForMultiFeedAdapter {
    IRedstoneAdapter private immutable ADAPTER;

    constructor(IRedstoneAdapter adapter) {
        ADAPTER = adapter;
    }

    /// @notice The feed that this contract shows.
    function getDataFeedId() public pure override returns (bytes32) {
        return "BTC";
    }

    /// @notice The adapter that holds its value.
    function getPriceFeedAdapter() public view override returns (IRedstoneAdapter) {
        return ADAPTER;
    }
}

/// @notice Reads the adapter's storage, and refuses a value older than an hour.
contract RedstoneReader {
    RedstonePush private immutable ADAPTER;

    error Stale();

    constructor(RedstonePush adapter) {
        ADAPTER = adapter;
    }

    /// @notice The stored value of `id`.
    function read(bytes32 id) external view returns (uint256 value) {
        uint256 storedAt;
        (, storedAt, value) = ADAPTER.getLastUpdateDetails(id);
        if (block.timestamp > storedAt + 1 hours) revert Stale();
    }
}

/// @notice Reads the price feed, and refuses a value older than an hour.
contract RedstoneFeedReader {
    RedstoneFeed private immutable FEED;

    error Stale();

    constructor(RedstoneFeed feed) {
        FEED = feed;
    }

    /// @notice The latest answer.
    function read() external view returns (int256 value) {
        uint256 updatedAt;
        (, value,, updatedAt,) = FEED.latestRoundData();
        if (block.timestamp > updatedAt + 1 hours) revert Stale();
    }
}
