// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;
// A consumer that shows tests every reader of AssayConsumer, and what Verification hands to contracts of other shapes.

import {AssayConsumer} from "../../src/AssayConsumer.sol";
import {ICommitteeRegistry} from "../../src/interfaces/ICommitteeRegistry.sol";
import {Verification} from "../../src/lib/Verification.sol";

/// @title Every reader, open to calls
contract Consumer is AssayConsumer {
    bytes32 private immutable CODE_HASH;
    uint256 private _slack;

    constructor(ICommitteeRegistry registry) AssayConsumer(registry) {
        CODE_HASH = registry.verifierCodeHash();
    }

    function read(bytes32 feedId, uint256 maxAgeS) external view returns (int256 value, uint256 observedAtMs) {
        return _read(feedId, maxAgeS);
    }

    /// @dev Arguments of any length before the report: they cannot move it.
    function readAfter(bytes calldata, bytes32 feedId, uint256 maxAgeS) external view returns (int256, uint256) {
        return _read(feedId, maxAgeS);
    }

    function readGiven(bytes calldata report, bytes32 feedId, uint256 maxAgeS) external view returns (int256, uint256) {
        return _read(report, feedId, maxAgeS);
    }

    function readBundle(bytes calldata ids, uint256 maxAgeS) external view returns (int256[] memory values) {
        (values,) = _readBundle(ids, maxAgeS);
    }

    function readKnown(bytes32 bundleId, bytes32 feedId, uint256 maxAgeS) external view returns (int256, uint256) {
        return _read(bundleId, feedId, maxAgeS);
    }

    function readNewest(bytes32 feedId, uint256 maxAgeS) external returns (int256, uint256) {
        return _readNewest(feedId, maxAgeS);
    }

    function readNewestKnown(bytes32 bundleId, bytes32 feedId, uint256 maxAgeS) external returns (int256, uint256) {
        return _readNewest(bundleId, feedId, maxAgeS);
    }

    function readOnce(bytes32 feedId, uint256 maxAgeS) external returns (int256, uint256) {
        return _readOnce(feedId, maxAgeS);
    }

    function readBundleAt(bytes calldata ids, uint256 maxAgeS) external view returns (uint256 attestedAtMs) {
        (, attestedAtMs) = _readBundle(ids, maxAgeS);
    }

    function readEncoded(bytes32 feedId, bytes calldata encoded, uint256 maxAgeS)
        external
        view
        returns (uint256 observedAtMs, uint256 attestedAtMs)
    {
        return _readEncoded(feedId, encoded, maxAgeS);
    }

    /// @dev How far behind the newest report readNewest lets one lie.
    function setSlack(uint256 slackMs) external {
        _slack = slackMs;
    }

    /// @dev All that the appended report holds, as the verifier answered.
    function all() external view returns (bytes memory) {
        return _verified().encoded();
    }

    /// @dev The same of a report given as an argument.
    function allGiven(bytes calldata report) external view returns (bytes memory) {
        return _verified(report).encoded();
    }

    /// @dev All that a report holds whose feeds this contract knows.
    function known(bytes calldata ids) external view returns (bytes memory) {
        (uint256 offset, uint256 length) = Verification.tail();
        return Verification.verifyKnown(address(REGISTRY), CODE_HASH, offset, length, ids).encoded();
    }

    /// @dev Several calls in one transaction, each with the report that stands behind this call.
    function multicall(bytes[] calldata calls) external returns (bytes[] memory answers) {
        (uint256 offset, uint256 length) = Verification.tail();
        bytes calldata tail;
        assembly ("memory-safe") {
            tail.offset := offset
            tail.length := add(length, 4)
        }
        return _each(calls, tail);
    }

    /// @dev The same, each with what it brings itself.
    function multicallEach(bytes[] calldata calls) external returns (bytes[] memory answers) {
        return _each(calls, msg.data[:0]);
    }

    function _slackMs() internal view override returns (uint256) {
        return _slack == 0 ? super._slackMs() : _slack;
    }

    function _each(bytes[] calldata calls, bytes calldata tail) private returns (bytes[] memory answers) {
        answers = new bytes[](calls.length);
        for (uint256 i = 0; i < calls.length; ++i) {
            bool done;
            (done, answers[i]) = address(this).call(bytes.concat(calls[i], tail));
            if (!done) {
                bytes memory answer = answers[i];
                assembly ("memory-safe") {
                    revert(add(answer, 32), mload(answer))
                }
            }
        }
    }
}
