// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {AssayConsumer} from "./AssayConsumer.sol";
import {IAssayRequester} from "./interfaces/IAssayRequester.sol";
import {ICommitteeRegistry} from "./interfaces/ICommitteeRegistry.sol";
import {IRequestHub, Request} from "./interfaces/IRequestHub.sol";
import {FeedTemplate} from "./lib/FeedTemplate.sol";
import {Meta} from "./lib/Meta.sol";
import {Values} from "./lib/Values.sol";
import {Verified} from "./lib/Verification.sol";

/// @title Requests of one lineage's feeds, answered once each in a callback.
/// @dev Storage layout: slot 0 how many requests there have been; slot 1 the mapping of open requests, two slots each:
/// requester (bits 0–159), requestedAtS (160–199), openForS (200–223), callbackGas (224–255); feedId. An ended request
/// leaves nothing. No owner, no other state.
contract RequestHub is IRequestHub, AssayConsumer {
    uint256 public constant EXPIRED = 256;

    /// What an oracle has to read, and each node has to keep, of a request.
    uint256 private constant MEANING_BYTES_MAX = 2_048;
    uint256 private constant OPEN_S_MAX = 30 days;
    /// What an answer can cost at most on top of its verification (I08); far below what a transaction may use.
    uint256 private constant CALLBACK_GAS_MAX = 500_000;
    /// More than the call itself takes before the callee gets its share: two cold accounts, where the requester has
    /// delegated its code (EIP-7702), and the few steps from reading the gas left to the call.
    uint256 private constant CALL_GAS = 6_000;
    /// As far as verifiers let T run ahead of block time (ReportVerifier). A report of up to then can be used in the
    /// request's own block, so whoever asks, or makes another ask, may hold the answer already.
    uint256 private constant AHEAD_MS = 30_000;

    uint256 private _count;
    mapping(bytes32 id => Request) private _requests;

    constructor(ICommitteeRegistry registry) AssayConsumer(registry) {}

    /// Whatever has no known selector.
    fallback() external {
        revert UnknownFunction();
    }

    /// @inheritdoc IRequestHub
    function request(bytes calldata meaning, uint64 deadlineS, uint32 callbackGas) external returns (bytes32 id) {
        return _open(meaning, deadlineS, callbackGas);
    }

    /// @inheritdoc IRequestHub
    function requestFrom(string[] calldata pieces, string[] calldata params, uint64 deadlineS, uint32 callbackGas)
        external
        returns (bytes32 id)
    {
        return _open(FeedTemplate.fill(pieces, params), deadlineS, callbackGas);
    }

    /// @inheritdoc IRequestHub
    function cancel(bytes32 id) external {
        if (_known(id).requester != msg.sender) revert OnlyRequester();
        delete _requests[id];
        emit Cancelled(id);
    }

    /// @inheritdoc IRequestHub
    function answer(bytes32 id, bytes calldata encoded) external {
        Request memory asked = _known(id);
        if (block.timestamp > _deadlineOf(asked)) revert DeadlinePassed(_deadlineOf(asked));
        Verified verified = _verified();
        uint256 attestedAtMs = verified.attestedAtMs();
        {
            uint256 knownUntilMs = uint256(asked.requestedAtS) * 1000 + AHEAD_MS;
            if (attestedAtMs <= knownUntilMs) revert NotAfterRequest(attestedAtMs, knownUntilMs);
        }
        (bytes32 word, Meta meta) = verified.find(asked.feedId);
        uint256 status = meta.status();
        if (status != 0) {
            // A refused value may have no source time, so its age is that of the report.
            if (attestedAtMs + 1000 * meta.validForS() < block.timestamp * 1000) {
                revert ReportTooOld(asked.feedId, attestedAtMs);
            }
            _refuse(id, asked, status);
            return;
        }
        int256 value = _valueOf(asked.feedId, word, meta, encoded);
        bytes memory input =
            abi.encodeCall(IAssayRequester.onAnswer, (id, asked.feedId, value, meta, attestedAtMs, encoded));
        emit Answered(id, attestedAtMs, _close(id, asked, input));
    }

    /// @inheritdoc IRequestHub
    function expire(bytes32 id) external {
        Request memory asked = _known(id);
        uint256 deadlineS = _deadlineOf(asked);
        if (block.timestamp <= deadlineS) revert StillOpen(deadlineS);
        _refuse(id, asked, EXPIRED);
    }

    /// @inheritdoc IRequestHub
    function requestOf(bytes32 id) external view returns (Request memory) {
        return _requests[id];
    }

    function _open(bytes memory meaning, uint256 deadlineS, uint32 callbackGas) private returns (bytes32 id) {
        if (meaning.length == 0 || meaning.length > MEANING_BYTES_MAX) revert InvalidMeaning(meaning.length);
        if (deadlineS <= block.timestamp || deadlineS > block.timestamp + OPEN_S_MAX) {
            revert InvalidDeadline(deadlineS);
        }
        if (callbackGas == 0 || callbackGas > CALLBACK_GAS_MAX) revert InvalidCallbackGas(callbackGas);
        if (msg.sender.code.length == 0) revert NoContract(msg.sender);
        bytes32 feedId = keccak256(meaning);
        id = keccak256(abi.encode(block.chainid, address(this), ++_count));
        _requests[id] = Request({
            requester: msg.sender,
            requestedAtS: uint40(block.timestamp),
            openForS: uint24(deadlineS - block.timestamp),
            callbackGas: callbackGas,
            feedId: feedId
        });
        emit Requested(id, msg.sender, feedId, meaning, deadlineS, callbackGas);
    }

    function _known(bytes32 id) private view returns (Request memory asked) {
        asked = _requests[id];
        if (asked.requester == address(0)) revert UnknownRequest(id);
    }

    function _deadlineOf(Request memory asked) private pure returns (uint256) {
        return uint256(asked.requestedAtS) + asked.openForS;
    }

    /// The number, or 0 where `encoded` is the value; whoever answers a number cannot send other bytes along.
    function _valueOf(bytes32 feedId, bytes32 word, Meta meta, bytes calldata encoded) private view returns (int256) {
        // The requester set no bound on age beyond the feed's own validity.
        if (meta.kind() == Values.STRUCTURED) {
            Values.structured(feedId, word, meta, encoded, type(uint256).max);
            return 0;
        }
        if (encoded.length != 0) revert Values.WrongBytes(feedId);
        return Values.number(feedId, word, meta, type(uint256).max);
    }

    function _refuse(bytes32 id, Request memory asked, uint256 status) private {
        bool success = _close(id, asked, abi.encodeCall(IAssayRequester.onRefused, (id, status)));
        emit Refused(id, status, success);
    }

    /// Forgets the request, then calls back. What the callback reverts with or returns is not copied: its length is the
    /// requester's choice, and its price would be the caller's.
    function _close(bytes32 id, Request memory asked, bytes memory input) private returns (bool success) {
        delete _requests[id];
        (address requester, uint256 callbackGas) = (asked.requester, asked.callbackGas);
        // A call gets at most 63/64 of what is left (EIP-150): with less here the callback would silently get less.
        uint256 needed = CALL_GAS + callbackGas * 64 / 63 + 1;
        if (gasleft() < needed) revert InsufficientGas(gasleft(), needed);
        assembly ("memory-safe") {
            success := call(callbackGas, requester, 0, add(input, 32), mload(input), 0, 0)
        }
    }
}
