// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Meta} from "../lib/Meta.sol";

/// @title What a contract implements to be called back by a RequestHub.
/// @notice Each request ends in at most one of the two calls, with the gas that the request named. Check that the caller
/// is the hub and the id one of your own. A call that fails is not repeated: IRequestHub.requestOf says whether a request
/// is still open.
interface IAssayRequester {
    /// The value that was asked for: OK, within its validity, attested after the request. Its source time may be earlier.
    /// @param id the request
    /// @param feedId the feed
    /// @param value the number scaled by the feed's decimals; 0 for a structured feed
    /// @param meta source time, validity, groups and spread as signed: see Meta
    /// @param attestedAtMs T, ms since 1970: when the committee attested the value
    /// @param encoded the abi.encode of a structured value, checked against its signed hash; empty for a number
    function onAnswer(bytes32 id, bytes32 feedId, int256 value, Meta meta, uint256 attestedAtMs, bytes calldata encoded)
        external;

    /// There is no value.
    /// @param id the request
    /// @param status what the committee says of the feed (Meta.status, 1 to 9), or IRequestHub.EXPIRED
    function onRefused(bytes32 id, uint256 status) external;
}
