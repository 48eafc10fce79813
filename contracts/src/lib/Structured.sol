// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/// Conditions at one place, hundredths of each unit.
/// @param temperature air temperature 2 m above ground, 0.01 °C
/// @param precipitation of the interval before, 0.01 mm
/// @param windSpeed 10 m above ground, 0.01 m/s
struct Weather {
    int64 temperature;
    int64 precipitation;
    int64 windSpeed;
}

/// Prices and volume of one window of time.
/// @param openTimeMs start of the window, ms since 1970
/// @param windowS its length, s
/// @param open first price, scaled by the feed's decimals like the other prices
/// @param high highest price
/// @param low lowest price
/// @param close last price
/// @param volume amount of the base traded, eight decimals
struct Candle {
    int64 openTimeMs;
    int64 windowS;
    int64 open;
    int64 high;
    int64 low;
    int64 close;
    int64 volume;
}

/// @title Reads structured values out of their signed form: abi.encode of the schema's leaves, in the schema's order.
/// @notice Whether the committee signed these bytes is for Values.structured or a store's readEncoded to say, before.
library Structured {
    /// The value has this many bytes; the schema's leaves have 32 each.
    error WrongLength(uint256 length, uint256 expected);
    /// This leaf is no number of 64 bits.
    error NotInt64(uint256 leaf);

    /// A value of the schema "weather".
    function weather(bytes calldata encoded) internal pure returns (Weather memory) {
        _requireLeaves(encoded, 3);
        return
            Weather({temperature: _int64(encoded, 0), precipitation: _int64(encoded, 1), windSpeed: _int64(encoded, 2)});
    }

    /// A value of the schema "candle".
    function candle(bytes calldata encoded) internal pure returns (Candle memory) {
        _requireLeaves(encoded, 7);
        return Candle({
            openTimeMs: _int64(encoded, 0),
            windowS: _int64(encoded, 1),
            open: _int64(encoded, 2),
            high: _int64(encoded, 3),
            low: _int64(encoded, 4),
            close: _int64(encoded, 5),
            volume: _int64(encoded, 6)
        });
    }

    function _requireLeaves(bytes calldata encoded, uint256 leaves) private pure {
        if (encoded.length != 32 * leaves) revert WrongLength(encoded.length, 32 * leaves);
    }

    /// Leaf number `leaf`, which must lie within `encoded`.
    function _int64(bytes calldata encoded, uint256 leaf) private pure returns (int64) {
        int256 word;
        assembly ("memory-safe") {
            word := calldataload(add(encoded.offset, shl(5, leaf)))
        }
        if (word != int64(word)) revert NotInt64(leaf);
        return int64(word);
    }
}
