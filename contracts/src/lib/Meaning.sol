// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/// What a feed's id stands for, as far as contracts use it.
/// @param feedId keccak256 of the meaning's bytes
/// @param name the feed's name: lower-case letters, digits and single hyphens
/// @param unit what its numbers count: a currency, a UCUM code
/// @param decimals how many digits of its integers stand behind the point, at most 36
/// @param isNumber its value is one integer, so that leaves hold it and not a hash (kind 0)
struct FeedMeaning {
    bytes32 feedId;
    string name;
    string unit;
    uint8 decimals;
    bool isNumber;
}

/// @title Reads the meaning of a feed out of the bytes whose hash is the feed's id, so that decimals, name and unit are
/// proven by whatever proves the id, and nobody who deploys a reader has to be believed (incidents I50, I72).
/// @dev The bytes are RFC 8785 JSON, keys in this order and no white space:
/// {"decimals":8,"fields":[{"combine":"median","name":"price","type":"int176"}],"name":"btc-usd","schema":"0x…64 hex…",
/// "unit":"USD"}; a field of text has "bytesMax" before "combine". Read front to back, so nothing that a field holds
/// can pass for a key of the meaning. What this lets through beyond the rules of committee documents (a field's name
/// that is there twice, say) no committee declares, so no value of that id is ever signed.
library Meaning {
    /// Not the bytes of a feed's meaning, or a unit with a quote or backslash: what stands at `position` is wrong.
    error MalformedMeaning(uint256 position);

    uint256 private constant DECIMALS_MAX = 36;
    uint256 private constant SLUG_BYTES_MAX = 64;
    uint256 private constant UNIT_BYTES_MAX = 32;
    uint256 private constant STRING_BYTES_MAX = 1024;

    /// The meaning that `text` says; reverts with MalformedMeaning unless all of it is one.
    function parse(bytes memory text) internal pure returns (FeedMeaning memory meaning) {
        meaning.feedId = keccak256(text);
        uint256 i = _literal(text, 0, '{"decimals":');
        uint256 decimals;
        (decimals, i) = _integer(text, i, DECIMALS_MAX);
        // At most 36.
        meaning.decimals = uint8(decimals);
        (meaning.isNumber, i) = _fields(text, _literal(text, i, ',"fields":['));
        (meaning.name, i) = _slug(text, _literal(text, i, '],"name":"'));
        i = _hash(text, _literal(text, i, ',"schema":"0x'));
        (meaning.unit, i) = _unit(text, _literal(text, i, '","unit":"'));
        i = _literal(text, i, "}");
        if (i != text.length) revert MalformedMeaning(i);
    }

    /// One field or more, with commas between; whether it is one integer.
    function _fields(bytes memory text, uint256 i) private pure returns (bool isNumber, uint256 next) {
        (isNumber, next) = _field(text, i);
        while (_byte(text, next) == ",") {
            (, next) = _field(text, next + 1);
            isNumber = false;
        }
    }

    function _field(bytes memory text, uint256 i) private pure returns (bool isInteger, uint256 next) {
        next = _literal(text, i, "{");
        // No other key begins with b.
        if (_byte(text, next + 1) == "b") {
            (, next) = _integer(text, _literal(text, next, '"bytesMax":'), STRING_BYTES_MAX);
            next = _literal(text, next, ",");
        }
        string memory word;
        i = _literal(text, next, '"combine":"');
        (word, next) = _slug(text, i);
        if (!_is(word, "median") && !_is(word, "majority") && !_is(word, "identity")) revert MalformedMeaning(i);
        (, next) = _slug(text, _literal(text, next, ',"name":"'));
        i = _literal(text, next, ',"type":"');
        (word, next) = _slug(text, i);
        isInteger = _is(word, "int64") || _is(word, "int176");
        if (!isInteger && !_is(word, "bool") && !_is(word, "string")) revert MalformedMeaning(i);
        next = _literal(text, next, "}");
    }

    /// A decimal integer from 0 to `max`, without leading zeros.
    function _integer(bytes memory text, uint256 i, uint256 max) private pure returns (uint256 value, uint256 next) {
        next = i;
        while (_isDigit(_byte(text, next))) {
            value = 10 * value + uint8(text[next]) - 48;
            ++next;
            if (value > max) revert MalformedMeaning(i);
        }
        if (next == i || (text[i] == "0" && next != i + 1)) revert MalformedMeaning(i);
    }

    /// Lower-case letters, digits and single hyphens between them, and the quote behind.
    function _slug(bytes memory text, uint256 i) private pure returns (string memory slug, uint256 next) {
        bytes1 before = "-";
        for (next = i; _byte(text, next) != '"'; ++next) {
            bytes1 char = _byte(text, next);
            if (char == "-" ? before == "-" : !_isDigit(char) && (char < "a" || char > "z")) {
                revert MalformedMeaning(next);
            }
            before = char;
        }
        // Also of an empty one, as `before` is a hyphen then.
        if (before == "-" || next - i > SLUG_BYTES_MAX) revert MalformedMeaning(next);
        return (_slice(text, i, next), next + 1);
    }

    /// 64 lower-case hex digits.
    function _hash(bytes memory text, uint256 i) private pure returns (uint256 next) {
        for (next = i; next != i + 64; ++next) {
            bytes1 char = _byte(text, next);
            if (!_isDigit(char) && (char < "a" || char > "f")) revert MalformedMeaning(next);
        }
    }

    /// 1 to 32 printable ASCII characters, no outer spaces, and the quote behind. An escape would need unescaping.
    function _unit(bytes memory text, uint256 i) private pure returns (string memory unit, uint256 next) {
        for (next = i; _byte(text, next) != '"'; ++next) {
            bytes1 char = _byte(text, next);
            if (char < " " || char > "~" || char == "\\") revert MalformedMeaning(next);
        }
        if (next == i || next - i > UNIT_BYTES_MAX) revert MalformedMeaning(next);
        if (text[i] == " " || text[next - 1] == " ") revert MalformedMeaning(i);
        return (_slice(text, i, next), next + 1);
    }

    /// Exactly `expected`; gives back where it ends.
    function _literal(bytes memory text, uint256 i, bytes memory expected) private pure returns (uint256 next) {
        for (uint256 k = 0; k < expected.length; ++k) {
            if (_byte(text, i + k) != expected[k]) revert MalformedMeaning(i + k);
        }
        return i + expected.length;
    }

    /// The byte at `i`, and zero, which no meaning holds, behind the end.
    function _byte(bytes memory text, uint256 i) private pure returns (bytes1) {
        return i < text.length ? text[i] : bytes1(0);
    }

    function _isDigit(bytes1 char) private pure returns (bool) {
        return char >= "0" && char <= "9";
    }

    function _is(string memory word, string memory other) private pure returns (bool) {
        return keccak256(bytes(word)) == keccak256(bytes(other));
    }

    function _slice(bytes memory text, uint256 from, uint256 to) private pure returns (string memory) {
        bytes memory slice = new bytes(to - from);
        for (uint256 k = 0; k < slice.length; ++k) {
            slice[k] = text[from + k];
        }
        return string(slice);
    }
}
