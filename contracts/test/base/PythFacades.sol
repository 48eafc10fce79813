// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;
// What the tests of the Pyth facade share: a store that has bitcoin and ether, and a facade over it.

import {PythFacade} from "../../src/PythFacade.sol";
import {StoredFeeds} from "./StoredFeeds.sol";

/// @title Base of the tests of PythFacade
abstract contract PythFacades is StoredFeeds {
    /// The price ids that Pyth's consumers know bitcoin and ether by.
    bytes32 internal constant BTC = 0xe62df6c8b4a85fe1a67db44dc12de5db330f7ac66b72dc658afedf0f4a415b43;
    bytes32 internal constant ETH = 0xff61491a931112ddf1bd8147cd1b641375f79f5825126d665480874634fd0ace;
    uint256 internal constant VALID_TIME_PERIOD = 30;

    bytes internal btc;
    bytes internal eth;
    bytes32 internal btcId;
    PythFacade internal facade;

    function setUp() public virtual override {
        super.setUp();
        btc = meaningOf("btc-usd", "USD", 8);
        eth = meaningOf("eth-usd", "USD", 10);
        btcId = keccak256(btc);
        push(btc, 65_000e8);
        push(eth, 3_000e10);
        facade = this.deploy(two());
        vm.warp(START + 2 days);
    }

    function two() internal view returns (PythFacade.PriceId[] memory ids) {
        ids = new PythFacade.PriceId[](2);
        ids[0] = PythFacade.PriceId(BTC, btc);
        ids[1] = PythFacade.PriceId(ETH, eth);
    }

    /// What Pyth's consumers bring along: one report.
    function updateOf(int256 value, uint256 attestedAtMs) internal view returns (bytes[] memory update) {
        update = new bytes[](1);
        update[0] = reportFor(btc, value, okMeta(attestedAtMs), attestedAtMs);
    }

    /// A call of its own: what is expected to revert ends the call that it happens in.
    function deploy(PythFacade.PriceId[] memory ids) external returns (PythFacade) {
        return new PythFacade(store, ids, VALID_TIME_PERIOD);
    }
}
