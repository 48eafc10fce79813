// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;
// What tests of both stores share: pushing to one, and saying what it must answer.

import {IFeedStore} from "../../src/interfaces/IFeedStore.sol";
import {Reports} from "./Reports.sol";

/// @title Base of the tests of a store
abstract contract Stores is Reports {
    /// @dev What a transaction that pushes `report` sends.
    function pushOf(bytes memory report) internal pure returns (bytes memory) {
        return withReport(bytes.concat(IFeedStore.push.selector), report);
    }

    function push(IFeedStore store, bytes memory report) internal {
        send(address(store), pushOf(report));
    }

    function assertPushReverts(IFeedStore store, bytes memory report, bytes memory error) internal {
        (bool done, bytes memory answer) = address(store).call(pushOf(report));
        assertFalse(done, "accepted");
        assertEq(answer, error, "refused for another reason");
    }

    function assertRead(IFeedStore store, bytes32 feedId, uint256 maxAgeS, int256 value, uint256 observedAtMs)
        internal
        view
    {
        (int256 got, uint256 gotAtMs) = store.read(feedId, maxAgeS);
        assertEq(got, value, "value");
        assertEq(gotAtMs, observedAtMs, "source time");
    }

    function assertReadReverts(IFeedStore store, bytes32 feedId, uint256 maxAgeS, bytes memory error) internal view {
        (bool done, bytes memory answer) =
            address(store).staticcall(abi.encodeWithSelector(IFeedStore.read.selector, feedId, maxAgeS));
        assertFalse(done, "read");
        assertEq(answer, error, "refused for another reason");
    }
}
