// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;
// Updates through the Pyth facade: reports as update data, races, fees, and what is refused.

import {PythFacade} from "../src/PythFacade.sol";
import {IFeedStore} from "../src/interfaces/IFeedStore.sol";
import {IPythRead, Price} from "../src/interfaces/IPythRead.sol";
import {IReportVerifier} from "../src/interfaces/IReportVerifier.sol";
import {Values} from "../src/lib/Values.sol";
import {Verification} from "../src/lib/Verification.sol";
import {PythFacades} from "./base/PythFacades.sol";

/// @title Tests of PythFacade's updates
contract PythFacadeUpdatesTest is PythFacades {
    function test_UpdatesAreReportsAndCostNothing() external {
        bytes[] memory update = new bytes[](2);
        update[0] = reportFor(eth, 3_100e10, okMeta(nowMs()), nowMs());
        update[1] = reportFor(btc, 66_000e8, okMeta(nowMs()), nowMs());
        assertEq(facade.getUpdateFee(update), 0);
        facade.updatePriceFeeds(update);
        assertEq(facade.getPriceNoOlderThan(ETH, 0).price, 3_100e10);
        assertEq(facade.getPriceNoOlderThan(BTC, 0).price, 66_000e8);
        facade.updatePriceFeeds(new bytes[](0));
        vm.deal(address(this), 2);
        vm.expectRevert(IPythRead.NoFee.selector);
        facade.updatePriceFeeds{value: 1}(update);
        vm.expectRevert(IPythRead.NoFee.selector);
        facade.updatePriceFeedsIfNecessary{value: 1}(update, _ids(BTC), _times(type(uint64).max));
    }

    function test_WhoLosesARaceStillReads() external {
        bytes[] memory update = updateOf(66_000e8, nowMs());
        facade.updatePriceFeeds(update);
        facade.updatePriceFeeds(update);
        assertEq(facade.getPrice(BTC).price, 66_000e8);
    }

    function test_AnyOtherFailureOfAnUpdateIsTheStores() external {
        bytes[] memory update = updateOf(66_000e8, nowMs());
        update[0][update[0].length - 1] ^= 0x01;
        vm.expectPartialRevert(IReportVerifier.BadSignature.selector);
        facade.updatePriceFeeds(update);
        uint256 old = nowMs() - 61_000;
        update = updateOf(66_000e8, old);
        vm.expectRevert(abi.encodeWithSelector(IFeedStore.ReportTooOld.selector, btcId, old));
        facade.updatePriceFeeds(update);
        update[0] = new bytes(65_535);
        vm.expectRevert(abi.encodeWithSelector(Verification.UnknownGeneration.selector, 0));
        facade.updatePriceFeeds(update);
        update[0] = new bytes(65_536);
        vm.expectRevert(IPythRead.InvalidUpdateData.selector);
        facade.updatePriceFeeds(update);
    }

    function test_UpdatesOnlyIfNecessary() external {
        push(btc, 65_000e8);
        uint64 published = uint64(nowMs() / 1000);
        bytes[] memory update = updateOf(66_000e8, nowMs() + 1);
        // As new as said already: nothing to do.
        vm.expectRevert(IPythRead.NoFreshUpdate.selector);
        facade.updatePriceFeedsIfNecessary(update, _ids(BTC), _times(published));
        vm.expectRevert(IPythRead.NoFreshUpdate.selector);
        facade.updatePriceFeedsIfNecessary(update, new bytes32[](0), new uint64[](0));
        vm.expectRevert(IPythRead.InvalidArgument.selector);
        facade.updatePriceFeedsIfNecessary(update, _ids(BTC), new uint64[](0));
        vm.expectRevert(IPythRead.InvalidArgument.selector);
        facade.updatePriceFeedsIfNecessary(update, new bytes32[](0), _times(published));
        facade.updatePriceFeedsIfNecessary(update, _ids(BTC), _times(published + 1));
        assertEq(facade.getPrice(BTC).price, 66_000e8);
        // Not OK is worth an update of the same second.
        vm.warp(published + 10);
        push(btc, 66_000e8, packMeta(nowMs(), 60, 8, 3, 0, 0), nowMs());
        assertEq(store.tryRead(btcId).observedAtMs, nowMs());
        facade.updatePriceFeedsIfNecessary(updateOf(67_000e8, nowMs() + 1), _ids(BTC), _times(published + 10));
        assertEq(facade.getPrice(BTC).price, 67_000e8);
        // What nobody knows the price of is older than anything.
        facade.updatePriceFeedsIfNecessary(updateOf(68_000e8, nowMs() + 2), _ids(btcId), _times(1));
        assertEq(facade.getPrice(BTC).price, 68_000e8);
    }

    function _ids(bytes32 id) private pure returns (bytes32[] memory ids) {
        ids = new bytes32[](1);
        ids[0] = id;
    }

    function _times(uint64 time) private pure returns (uint64[] memory times) {
        times = new uint64[](1);
        times[0] = time;
    }
}
