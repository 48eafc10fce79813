// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IFeedStore, Reading} from "./interfaces/IFeedStore.sol";
import {IPythRead, Price} from "./interfaces/IPythRead.sol";
import {FeedMeaning} from "./lib/Meaning.sol";
import {StoredNumber} from "./lib/StoredNumber.sol";
import {Verification} from "./lib/Verification.sol";

/// @title Feeds of a store under the price ids and functions that Pyth's consumers use.
/// @dev Storage layout: slot 0 _others (price id → feed id, expo, for the ninth price id and on). Only the constructor
/// writes. The first eight price ids are in code: each of the others costs 4,200 gas more to read.
contract PythFacade is IPythRead {
    /// A price id and the bytes of the meaning of the feed behind it (see Meaning).
    struct PriceId {
        bytes32 id;
        bytes meaning;
    }

    struct Target {
        bytes32 feedId;
        int32 expo;
    }

    uint256 private constant IN_CODE = 8;
    uint256 private constant PPM = 1_000_000;

    /// @inheritdoc IPythRead
    IFeedStore public immutable store;
    /// @inheritdoc IPythRead
    uint256 public immutable getValidTimePeriod;

    // Price ids and the feeds behind them; places that are not used are zero, and zero is no feed's id.
    bytes32 private immutable P0;
    bytes32 private immutable P1;
    bytes32 private immutable P2;
    bytes32 private immutable P3;
    bytes32 private immutable P4;
    bytes32 private immutable P5;
    bytes32 private immutable P6;
    bytes32 private immutable P7;
    bytes32 private immutable F0;
    bytes32 private immutable F1;
    bytes32 private immutable F2;
    bytes32 private immutable F3;
    bytes32 private immutable F4;
    bytes32 private immutable F5;
    bytes32 private immutable F6;
    bytes32 private immutable F7;
    /// Their exponents, 32 bits each, the first lowest.
    uint256 private immutable EXPOS;

    mapping(bytes32 priceId => Target) private _others;

    /// @param store_ where the feeds are pushed to; it must have a value of each already
    /// @param ids price ids and what they stand for; the first eight are the cheapest to read
    /// @param validTimePeriodS how old the prices of getPrice() may be
    constructor(IFeedStore store_, PriceId[] memory ids, uint256 validTimePeriodS) {
        store = store_;
        getValidTimePeriod = validTimePeriodS;
        bytes32[IN_CODE] memory priceIds;
        bytes32[IN_CODE] memory feedIds;
        uint256 expos;
        for (uint256 i = 0; i < ids.length; ++i) {
            bytes32 id = ids[i].id;
            for (uint256 j = 0; j < i; ++j) {
                if (ids[j].id == id) revert RepeatedPriceId(id);
            }
            FeedMeaning memory feed = StoredNumber.prove(store_, ids[i].meaning);
            int32 expo = -int32(uint32(feed.decimals));
            if (i < IN_CODE) {
                (priceIds[i], feedIds[i]) = (id, feed.feedId);
                expos |= uint256(uint32(expo)) << (32 * i);
            } else {
                _others[id] = Target(feed.feedId, expo);
            }
            emit PriceIdMapped(id, feed.feedId, feed.name, feed.unit);
        }
        (P0, P1, P2, P3) = (priceIds[0], priceIds[1], priceIds[2], priceIds[3]);
        (P4, P5, P6, P7) = (priceIds[4], priceIds[5], priceIds[6], priceIds[7]);
        (F0, F1, F2, F3) = (feedIds[0], feedIds[1], feedIds[2], feedIds[3]);
        (F4, F5, F6, F7) = (feedIds[4], feedIds[5], feedIds[6], feedIds[7]);
        EXPOS = expos;
    }

    /// Whatever has no known selector.
    fallback() external {
        revert UnknownFunction();
    }

    /// @inheritdoc IPythRead
    function getPriceUnsafe(bytes32 id) external view returns (Price memory) {
        return getPriceNoOlderThan(id, type(uint256).max);
    }

    /// @inheritdoc IPythRead
    function getPrice(bytes32 id) external view returns (Price memory) {
        return getPriceNoOlderThan(id, getValidTimePeriod);
    }

    /// @inheritdoc IPythRead
    function priceFeedExists(bytes32 id) external view returns (bool) {
        (bytes32 feedId,) = _target(id);
        return feedId != 0;
    }

    /// @inheritdoc IPythRead
    function getEmaPrice(bytes32) external pure returns (Price memory) {
        revert NoMovingAverage();
    }

    /// @inheritdoc IPythRead
    function getEmaPriceUnsafe(bytes32) external pure returns (Price memory) {
        revert NoMovingAverage();
    }

    /// @inheritdoc IPythRead
    function getEmaPriceNoOlderThan(bytes32, uint256) external pure returns (Price memory) {
        revert NoMovingAverage();
    }

    /// @inheritdoc IPythRead
    function getUpdateFee(bytes[] calldata) external pure returns (uint256) {
        return 0;
    }

    /// @inheritdoc IPythRead
    function updatePriceFeedsIfNecessary(
        bytes[] calldata updateData,
        bytes32[] calldata priceIds,
        uint64[] calldata publishTimes
    ) external payable {
        if (priceIds.length != publishTimes.length) revert InvalidArgument();
        for (uint256 i = 0; i < priceIds.length; ++i) {
            (bytes32 feedId,) = _target(priceIds[i]);
            Reading memory reading = store.tryRead(feedId);
            // Of an id that stands for nothing the store knows nothing: the time is 0.
            if (reading.status != 0 || StoredNumber.observedAtS(reading) < publishTimes[i]) {
                return updatePriceFeeds(updateData);
            }
        }
        revert NoFreshUpdate();
    }

    /// @inheritdoc IPythRead
    function getPriceNoOlderThan(bytes32 id, uint256 age) public view returns (Price memory) {
        (bytes32 feedId, int32 expo) = feedOf(id);
        Reading memory reading = StoredNumber.load(store, feedId);
        if (!StoredNumber.isFresh(reading, age)) revert StalePrice();
        return _price(id, expo, reading);
    }

    /// @inheritdoc IPythRead
    function updatePriceFeeds(bytes[] calldata updateData) public payable {
        if (msg.value != 0) revert NoFee();
        for (uint256 i = 0; i < updateData.length; ++i) {
            _push(updateData[i]);
        }
    }

    /// @inheritdoc IPythRead
    function feedOf(bytes32 id) public view returns (bytes32 feedId, int32 expo) {
        (feedId, expo) = _target(id);
        if (feedId == 0) revert PriceFeedNotFound();
    }

    function _price(bytes32 id, int32 expo, Reading memory reading) private view returns (Price memory) {
        int64 value = int64(reading.value);
        if (value != reading.value) revert PriceOutOfRange(id, reading.value);
        uint256 conf;
        unchecked {
            // At most 2^63 times what 32 bits hold.
            uint256 magnitude = uint256(value < 0 ? -int256(value) : int256(value));
            conf = (magnitude * reading.spreadPpm + PPM - 1) / PPM;
        }
        if (conf > type(uint64).max) conf = type(uint64).max;
        return Price(value, uint64(conf), expo, StoredNumber.observedAtS(reading));
    }

    /// What stands behind a price id; a feed id of zero: nothing.
    function _target(bytes32 id) private view returns (bytes32, int32) {
        if (id == P0) return (F0, int32(uint32(EXPOS)));
        if (id == P1) return (F1, int32(uint32(EXPOS >> 32)));
        if (id == P2) return (F2, int32(uint32(EXPOS >> 64)));
        if (id == P3) return (F3, int32(uint32(EXPOS >> 96)));
        if (id == P4) return (F4, int32(uint32(EXPOS >> 128)));
        if (id == P5) return (F5, int32(uint32(EXPOS >> 160)));
        if (id == P6) return (F6, int32(uint32(EXPOS >> 192)));
        if (id == P7) return (F7, int32(uint32(EXPOS >> 224)));
        Target storage other = _others[id];
        return (other.feedId, other.expo);
    }

    function _push(bytes calldata report) private {
        if (report.length > type(uint16).max) revert InvalidUpdateData();
        bytes memory input =
            abi.encodePacked(IFeedStore.push.selector, report, uint16(report.length), uint16(Verification.MARKER));
        (bool pushed, bytes memory answer) = address(store).call(input);
        // Somebody else was faster: what was to be brought is there.
        if (pushed || bytes4(answer) == IFeedStore.NothingNewer.selector) return;
        assembly ("memory-safe") {
            revert(add(answer, 32), mload(answer))
        }
    }
}
