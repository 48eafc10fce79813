// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.17;

// A consumer of RedStone's pull model: verification is compiled into it.

import {ProxyConnector} from "@redstone-finance/evm-connector/contracts/core/ProxyConnector.sol";
import {Signers} from "made/Signers.sol";

/// @notice Uses prices that come appended to its calldata.
contract RedstonePull is Signers {
    /// @notice The median of one feed, verified, within RedStone's default window of time.
    function price() external view returns (uint256) {
        return getOracleNumericValueFromTxMsg("BTC");
    }

    /// @notice The medians of ten feeds, verified, within RedStone's default window of time.
    function prices() external view returns (uint256[] memory) {
        bytes32[] memory ids = new bytes32[](10);
        ids[0] = "BTC";
        ids[1] = "ETH";
        ids[2] = "USDC";
        ids[3] = "USDT";
        ids[4] = "SOL";
        ids[5] = "AVAX";
        ids[6] = "BNB";
        ids[7] = "LINK";
        ids[8] = "UNI";
        ids[9] = "AAVE";
        return getOracleNumericValuesFromTxMsg(ids);
    }
}

/// @notice A consumer that holds no keys: it forwards RedStone's payload to the contract that verifies.
contract RedstoneThroughConsumer is ProxyConnector {
    RedstonePull private immutable ORACLE;

    constructor(RedstonePull oracle) {
        ORACLE = oracle;
    }

    /// @notice The median of one feed.
    function price() external view returns (uint256) {
        return abi.decode(proxyCalldataView(address(ORACLE), abi.encodeCall(ORACLE.price, ())), (uint256));
    }

    /// @notice The medians of ten feeds.
    function prices() external view returns (uint256[] memory) {
        return abi.decode(proxyCalldataView(address(ORACLE), abi.encodeCall(ORACLE.prices, ())), (uint256[]));
    }
}
