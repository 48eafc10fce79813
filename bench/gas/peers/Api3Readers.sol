// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.17;

// Consumers that read what API3 stored: from its server by id or by name, and through its reader proxy.

/// @notice What the consumers call of Api3ServerV1.
interface IServer {
    function readDataFeedWithId(bytes32 dataFeedId) external view returns (int224 value, uint32 timestamp);

    function readDataFeedWithDapiNameHash(bytes32 dapiNameHash) external view returns (int224 value, uint32 timestamp);
}

/// @notice What the consumers call of Api3ReaderProxyV1.
interface IReaderProxy {
    function read() external view returns (int224 value, uint32 timestamp);
}

/// @notice Reads the server, and refuses a value older than an hour.
contract Api3Reader {
    IServer private immutable SERVER;

    error Stale();

    constructor(IServer server) {
        SERVER = server;
    }

    /// @notice The stored value of the data feed `id`.
    function read(bytes32 id) external view returns (int224 value) {
        uint32 timestamp;
        (value, timestamp) = SERVER.readDataFeedWithId(id);
        if (block.timestamp > uint256(timestamp) + 1 hours) revert Stale();
    }

    /// @notice The stored value of the dAPI whose name hashes to `nameHash`.
    function readByName(bytes32 nameHash) external view returns (int224 value) {
        uint32 timestamp;
        (value, timestamp) = SERVER.readDataFeedWithDapiNameHash(nameHash);
        if (block.timestamp > uint256(timestamp) + 1 hours) revert Stale();
    }
}

/// @notice Reads the proxy that API3 asks consumers to use, and refuses a value older than an hour.
contract Api3ProxyReader {
    IReaderProxy private immutable PROXY;

    error Stale();

    constructor(IReaderProxy proxy) {
        PROXY = proxy;
    }

    /// @notice The stored value of the proxy's dAPI.
    function read() external view returns (int224 value) {
        uint32 timestamp;
        (value, timestamp) = PROXY.read();
        if (block.timestamp > uint256(timestamp) + 1 hours) revert Stale();
    }
}
