// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IFeedStore} from "./IFeedStore.sol";

/// A price as Pyth's consumers know it: price ± conf, both times 10^expo.
/// @param price the number
/// @param conf how far it may be off
/// @param expo the power of ten that a unit of price is worth
/// @param publishTime when it was seen, s since 1970
struct Price {
    int64 price;
    uint64 conf;
    int32 expo;
    uint256 publishTime;
}

/// @title What contracts that read Pyth call, over a store's feeds; names, arguments and results are Pyth's.
/// @notice Prices are the committee's: price is the feed's number, expo its decimals, negative, and conf the spread
/// between its groups of sources, rounded up (a store's slot keeps it to an eighth). publishTime is the source's own
/// time, rounded down and never ahead of block time. A price is given only while its status is OK; where it is not,
/// reading reverts with NotOk, and with PriceOutOfRange where the number does not fit. Errors that Pyth has too carry
/// Pyth's names, as consumers may look for them. Not here, so refused with UnknownFunction: the parse… functions and
/// queryPriceFeed, whose results hold moving averages, and everything of TWAPs. No PriceFeedUpdate is emitted: the
/// store's Updated tells.
interface IPythRead {
    /// No feed has this price id.
    error PriceFeedNotFound();
    /// The price is older than asked for, or past the validity that its feed declares.
    error StalePrice();
    /// All prices named are as new as said.
    error NoFreshUpdate();
    /// As many times must be given as price ids.
    error InvalidArgument();
    /// Longer than a report can be.
    error InvalidUpdateData();
    /// Updates cost nothing, and nothing sent along could be given back.
    error NoFee();
    /// The committee attests no moving averages.
    error NoMovingAverage();
    /// The number of this feed needs more than 64 bits: read it from the store.
    error PriceOutOfRange(bytes32 id, int256 value);
    /// A price id was given twice.
    error RepeatedPriceId(bytes32 id);
    /// No function has this selector.
    error UnknownFunction();

    /// A price id stands for this feed, for good: compare name and unit with what you take it for.
    event PriceIdMapped(bytes32 indexed id, bytes32 indexed feedId, string name, string unit);

    /// The newest price, if it is OK, of whatever age within the validity that the committee gave it (I-6): look at
    /// publishTime. Pyth's gives any; past its validity a price here is StalePrice.
    function getPriceUnsafe(bytes32 id) external view returns (Price memory price);

    /// The newest price, if it is OK, within its validity, and seen at most `age` s ago; else StalePrice.
    function getPriceNoOlderThan(bytes32 id, uint256 age) external view returns (Price memory price);

    /// The same with an age of getValidTimePeriod().
    function getPrice(bytes32 id) external view returns (Price memory price);

    /// How old the prices of getPrice may be, s.
    function getValidTimePeriod() external view returns (uint256);

    /// Whether a feed has this price id.
    function priceFeedExists(bytes32 id) external view returns (bool);

    /// Always reverts with NoMovingAverage.
    function getEmaPrice(bytes32 id) external view returns (Price memory price);

    /// Always reverts with NoMovingAverage.
    function getEmaPriceUnsafe(bytes32 id) external view returns (Price memory price);

    /// Always reverts with NoMovingAverage.
    function getEmaPriceNoOlderThan(bytes32 id, uint256 age) external view returns (Price memory price);

    /// What an update costs: nothing.
    function getUpdateFee(bytes[] calldata updateData) external view returns (uint256 fee);

    /// Pushes each report to the store; one that is no news is passed over, any other failure is the store's revert.
    /// Passed over is what claims a T that the store has reached, before anybody looks at a signature: that this call
    /// succeeded says that prices are as new as the reports claim to be, not that the reports are valid. No price changes.
    /// @param updateData attested reports in the wire format of IReportVerifier.verifyPacked
    function updatePriceFeeds(bytes[] calldata updateData) external payable;

    /// The same, if any of these prices is missing, not OK or older than said; else NoFreshUpdate.
    /// @param publishTimes for each of `priceIds` the publishTime that the reports bring
    function updatePriceFeedsIfNecessary(
        bytes[] calldata updateData,
        bytes32[] calldata priceIds,
        uint64[] calldata publishTimes
    ) external payable;

    /// The feed behind a price id; reverts with PriceFeedNotFound.
    /// @return feedId its id in the store
    /// @return expo the exponent of its prices
    function feedOf(bytes32 id) external view returns (bytes32 feedId, int32 expo);

    /// The store that is read and pushed to.
    function store() external view returns (IFeedStore);
}
