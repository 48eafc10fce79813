// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.17;

// A consumer of Chainlink Data Streams: verifies reports of schema v3 through the VerifierProxy and uses their prices.

/// @notice What the consumer calls of the VerifierProxy.
interface IProxy {
    function verify(bytes calldata payload, bytes calldata parameterPayload) external payable returns (bytes memory);

    function verifyBulk(bytes[] calldata payloads, bytes calldata parameterPayload)
        external
        payable
        returns (bytes[] memory);
}

/// @notice Uses prices that come as signed reports; no fees are set, so none are paid.
contract ChainlinkConsumer {
    /// @dev Report schema v3 ("crypto advanced").
    struct ReportV3 {
        bytes32 feedId;
        uint32 validFromTimestamp;
        uint32 observationsTimestamp;
        uint192 nativeFee;
        uint192 linkFee;
        uint32 expiresAt;
        int192 price;
        int192 bid;
        int192 ask;
    }

    IProxy private immutable PROXY;
    uint256 private immutable FIRST_ID;

    error WrongFeed();
    error OutsideWindow();

    constructor(IProxy proxy, uint256 firstId) {
        PROXY = proxy;
        FIRST_ID = firstId;
    }

    /// @notice The price of the first feed, verified and not expired.
    function price(bytes calldata payload) external returns (int192) {
        return _accept(0, PROXY.verify(payload, ""));
    }

    /// @notice The prices of the first feeds, whose ids follow each other, verified and not expired.
    function prices(bytes[] calldata payloads) external returns (int192[] memory values) {
        bytes[] memory verified = PROXY.verifyBulk(payloads, "");
        values = new int192[](verified.length);
        for (uint256 i = 0; i < verified.length; i++) {
            values[i] = _accept(i, verified[i]);
        }
    }

    function _accept(uint256 index, bytes memory verified) private view returns (int192) {
        ReportV3 memory report = abi.decode(verified, (ReportV3));
        if (uint256(report.feedId) != FIRST_ID + index) revert WrongFeed();
        if (block.timestamp < report.validFromTimestamp || block.timestamp > report.expiresAt) revert OutsideWindow();
        return report.price;
    }
}
