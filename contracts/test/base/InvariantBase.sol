// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;
// What invariant tests inherit: which contracts, functions and senders forge draws its random calls from.

import {TestBase} from "./TestBase.sol";

/// @title Base of the invariant tests
/// @dev Forge asks the functions below once after setUp() and checks each function named invariant… after every call.
/// Without a target it would call every contract that setUp() made, handlers and registries alike.
abstract contract InvariantBase is TestBase {
    /// @dev Forge's type: the functions of one contract that may be called.
    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    address[] private _contracts;
    address[] private _sendersExcluded;
    FuzzSelector[] private _selectors;

    /// @dev Random calls go to this contract, to any of its functions that change state.
    function target(address handler) internal {
        _contracts.push(handler);
    }

    /// @dev Random calls go to these functions of this contract and no others of it.
    function target(address handler, bytes4[] memory selectors) internal {
        _contracts.push(handler);
        _selectors.push(FuzzSelector({addr: handler, selectors: selectors}));
    }

    /// @dev No random call comes from this address.
    function excludeSender(address sender) internal {
        _sendersExcluded.push(sender);
    }

    /// @dev Asked by forge.
    function targetContracts() external view returns (address[] memory) {
        return _contracts;
    }

    /// @dev Asked by forge.
    function targetSelectors() external view returns (FuzzSelector[] memory) {
        return _selectors;
    }

    /// @dev Asked by forge.
    function excludeSenders() external view returns (address[] memory) {
        return _sendersExcluded;
    }
}
