// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;
// What tests of readers of a store start from: a committee, its store, and feeds with meanings that it signs values of.

import {IFeedStore} from "../../src/interfaces/IFeedStore.sol";
import {Feed} from "../../src/interfaces/IReportVerifier.sol";
import {Committee, Head, Reports} from "./Reports.sol";

/// @title Base of tests that read what was pushed
abstract contract StoredFeeds is Reports {
    string internal constant PRICE = '{"combine":"median","name":"price","type":"int176"}';
    string internal constant CANDLE =
        '{"combine":"median","name":"open","type":"int176"},{"combine":"median","name":"close","type":"int176"}';

    IFeedStore internal store;
    Committee private _committee;

    function setUp() public virtual {
        _committee = makeCommittee("stored feeds", 4);
        store = IFeedStore(vm.deployCode("FeedStore.sol:FeedStore", abi.encode(_committee.registry)));
        vm.warp(START + 1 days);
    }

    /// @dev The bytes whose hash is the id of a feed of one number.
    function meaningOf(string memory name, string memory unit, uint256 decimals) internal pure returns (bytes memory) {
        return meaningOf(name, unit, decimals, PRICE);
    }

    function meaningOf(string memory name, string memory unit, uint256 decimals, string memory fields)
        internal
        pure
        returns (bytes memory)
    {
        string memory schema = vm.toString(keccak256("a schema"));
        return abi.encodePacked(
            '{"decimals":',
            vm.toString(decimals),
            ',"fields":[',
            fields,
            '],"name":"',
            name,
            '","schema":"',
            schema,
            '","unit":"',
            unit,
            '"}'
        );
    }

    /// @dev Pushes a value that is OK, observed and attested now, valid for a minute.
    function push(bytes memory meaning, int256 value) internal {
        push(meaning, value, okMeta(nowMs()), nowMs());
    }

    /// @dev Pushes a value with this meta, attested at `attestedAtMs`.
    function push(bytes memory meaning, int256 value, uint256 meta, uint256 attestedAtMs) internal {
        bytes memory report = reportFor(meaning, value, meta, attestedAtMs);
        send(address(store), withReport(abi.encodePacked(IFeedStore.push.selector), report));
    }

    /// @dev The report that push() brings.
    function reportFor(bytes memory meaning, int256 value, uint256 meta, uint256 attestedAtMs)
        internal
        view
        returns (bytes memory)
    {
        Committee memory committee = _committee;
        Head memory head = headOf(committee, SEALS);
        head.attestedAtMs = uint48(attestedAtMs);
        return reportOf(committee, head, only(Feed(keccak256(meaning), bytes32(uint256(value)), meta)), 2);
    }
}
