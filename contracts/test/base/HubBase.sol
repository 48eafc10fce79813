// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;
// What the tests of the hub share: a committee, a hub, a contract that asks, and reports of the feed it asks for.

import {IAssayRequester} from "../../src/interfaces/IAssayRequester.sol";
import {Feed} from "../../src/interfaces/IReportVerifier.sol";
import {IRequestHub} from "../../src/interfaces/IRequestHub.sol";
import {Meta} from "../../src/lib/Meta.sol";
import {Committee, Reports} from "./Reports.sol";
import {Vm} from "./Vm.sol";

/// @dev Asks, and keeps what it is told.
contract Asker is IAssayRequester {
    IRequestHub private immutable HUB;
    uint256 public answers;
    uint256 public refusals;
    bytes32 public id;
    bytes32 public feedId;
    int256 public value;
    uint256 public meta;
    uint256 public attestedAtMs;
    bytes public encoded;
    uint256 public status;

    constructor(IRequestHub hub) {
        HUB = hub;
    }

    function ask(bytes memory meaning, uint64 deadlineS, uint32 callbackGas) external returns (bytes32) {
        return HUB.request(meaning, deadlineS, callbackGas);
    }

    function cancel(bytes32 id_) external {
        HUB.cancel(id_);
    }

    function onAnswer(bytes32 id_, bytes32 feedId_, int256 value_, Meta meta_, uint256 t, bytes calldata encoded_)
        external
    {
        ++answers;
        (id, feedId, value, meta, attestedAtMs, encoded) = (id_, feedId_, value_, Meta.unwrap(meta_), t, encoded_);
    }

    function onRefused(bytes32 id_, uint256 status_) external {
        ++refusals;
        (id, status) = (id_, status_);
    }
}

/// @title Base of the tests of the hub
abstract contract HubBase is Reports {
    bytes internal constant MEANING = "{\"decimals\":2,\"name\":\"eth-usd\"}";
    bytes32 internal constant FEED = keccak256(MEANING);
    uint32 internal constant GAS = 400_000;
    /// @dev The first whole second after a request whose reports answer it.
    uint256 internal constant NEWS_S = 31;
    uint64 internal constant DEADLINE = uint64(START + 1 hours);

    Committee internal c;
    IRequestHub internal hub;
    Asker internal asker;

    function setUp() public virtual {
        c = makeCommittee("hub", 4);
        hub = makeHub();
        asker = new Asker(hub);
    }

    /// @dev A hub by its artifact: `new` would compile it into every test contract.
    function makeHub() internal returns (IRequestHub) {
        return IRequestHub(vm.deployCode("RequestHub.sol:RequestHub", abi.encode(c.registry)));
    }

    /// @dev Answers with what a relayer sends.
    function answer(bytes32 id, bytes memory encoded, bytes memory report) internal {
        send(address(hub), answerData(id, encoded, report));
    }

    /// @dev What a relayer sends.
    function answerData(bytes32 id, bytes memory encoded, bytes memory report) internal pure returns (bytes memory) {
        return withReport(abi.encodeCall(IRequestHub.answer, (id, encoded)), report);
    }

    /// @dev As soon as it can be news by a clock that is right, a number that is OK.
    function numberReport(int256 value) internal returns (bytes memory) {
        vm.warp(vm.getBlockTimestamp() + NEWS_S);
        return feedReport(bytes32(uint256(value)), okMeta(nowMs()));
    }

    /// @dev At the same time, a structured value that is OK.
    function structuredReport(bytes memory encoded) internal returns (bytes memory) {
        vm.warp(vm.getBlockTimestamp() + NEWS_S);
        return feedReport(keccak256(encoded), packMeta(nowMs(), 60, 0, 3, 1, 0));
    }

    /// @dev At the same time, a number of this status.
    function statusReport(uint256 status) internal returns (bytes memory) {
        vm.warp(vm.getBlockTimestamp() + NEWS_S);
        // NO_DATA has no source time, no groups and no spread.
        return feedReport(0, status == 9 ? packMeta(0, 60, 9, 0, 0, 0) : packMeta(nowMs(), 60, status, 3, 0, 250));
    }

    /// @dev A report of T now that holds the feed alone.
    function feedReport(bytes32 word, uint256 meta) internal view returns (bytes memory) {
        return reportOf(c, only(Feed(FEED, word, meta)), 4);
    }

    /// @dev The only log of the hub since recordLogs().
    function hubLog() internal returns (Vm.Log memory log) {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        uint256 found = 0;
        for (uint256 i = 0; i < logs.length; ++i) {
            if (logs[i].emitter == address(hub)) {
                log = logs[i];
                ++found;
            }
        }
        assertEq(found, 1, "logs of the hub");
    }

    /// @dev Nothing can be done any more with a request of this id.
    function requireUnknown(bytes32 id, bytes memory report) internal {
        bytes memory unknown = abi.encodeWithSelector(IRequestHub.UnknownRequest.selector, id);
        vm.expectRevert(unknown);
        this.tryAnswer(id, report);
        vm.expectRevert(unknown);
        hub.expire(id);
        vm.expectRevert(unknown);
        asker.cancel(id);
        assertEq(hub.requestOf(id).requester, address(0));
    }

    /// @dev answer() as a call of its own, for expectRevert.
    function tryAnswer(bytes32 id, bytes memory report) external {
        answer(id, "", report);
    }
}
