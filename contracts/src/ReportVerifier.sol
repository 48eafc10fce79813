// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {ICommitteeRegistry} from "./interfaces/ICommitteeRegistry.sol";
import {Feed, IReportVerifier} from "./interfaces/IReportVerifier.sol";

/// @title Verifies reports of one generation of one lineage. Created by its registry only (CREATE2, salt = generation).
/// @dev Storage layout: slot 0 = from (bits 0–39), until (40–79), paused (80). Everything else is code: a verification
/// touches one account and one slot that are cold, which is what makes it cheaper than signers behind a pointer that
/// has to be looked up (docs/adr/0016).
contract ReportVerifier is IReportVerifier {
    /// How far T may lie ahead of block time: block times lag behind clocks by a slot, and by two where one was missed.
    uint256 private constant FUTURE_TOLERANCE_MS = 30_000;
    uint256 private constant KIND_SEALS = 1;
    uint256 private constant KIND_ATTESTATIONS = 2;
    uint256 private constant HEAD_BYTES = 24;
    /// Half the order of secp256k1, rounded down: a larger s is the other form of a signature (EIP-2).
    uint256 private constant HALF_ORDER = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0;

    bytes32 private constant SALT_TAG = keccak256("assay/committee/v1");
    bytes32 private constant DOMAIN_TYPEHASH = keccak256("EIP712Domain(string name,string version,bytes32 salt)");
    bytes32 private constant REPORT_TYPEHASH =
        keccak256("Report(uint32 epoch,uint32 round,uint64 attestedAtMs,bytes32 root)");
    bytes32 private constant SEALED_TYPEHASH = keccak256("Sealed(bytes32 reportDigest)");

    address public immutable registry;
    bytes32 public immutable salt;
    bytes32 private immutable LINEAGE;
    bytes32 private immutable DOMAIN;
    uint256 private immutable GENERATION;
    uint256 private immutable MEMBERS;
    uint256 private immutable F;

    // The signing addresses, 20 bytes each, end to end: immutables live in code, and arrays cannot be immutable.
    bytes32 private immutable T0;
    bytes32 private immutable T1;
    bytes32 private immutable T2;
    bytes32 private immutable T3;
    bytes32 private immutable T4;
    bytes32 private immutable T5;
    bytes32 private immutable T6;
    bytes32 private immutable T7;
    bytes32 private immutable T8;
    bytes32 private immutable T9;
    bytes32 private immutable T10;
    bytes32 private immutable T11;
    bytes32 private immutable T12;
    bytes32 private immutable T13;
    bytes32 private immutable T14;
    bytes32 private immutable T15;
    bytes32 private immutable T16;
    bytes32 private immutable T17;
    bytes32 private immutable T18;
    bytes32 private immutable T19;

    uint256 private _window;

    /// Asks the registry what to be: without constructor arguments the init code, and so the address, is known ahead.
    constructor() {
        (bytes32 lineage, uint32 generation, uint8 f, address[] memory signers) =
            ICommitteeRegistry(msg.sender).creating();
        registry = msg.sender;
        LINEAGE = lineage;
        GENERATION = generation;
        F = f;
        MEMBERS = signers.length;
        salt = keccak256(abi.encode(SALT_TAG, lineage, uint256(generation), uint256(f), signers));
        DOMAIN = keccak256(abi.encode(DOMAIN_TYPEHASH, keccak256("Assay"), keccak256("1"), salt));

        bytes memory table = new bytes(640);
        for (uint256 i = 0; i < signers.length; ++i) {
            uint256 word = uint256(uint160(signers[i])) << 96;
            // Each address but the last is followed by its neighbour, which overwrites the twelve zero bytes.
            assembly ("memory-safe") {
                let at := add(add(table, 32), mul(20, i))
                mstore(at, word)
            }
        }
        T0 = _tableWord(table, 0);
        T1 = _tableWord(table, 1);
        T2 = _tableWord(table, 2);
        T3 = _tableWord(table, 3);
        T4 = _tableWord(table, 4);
        T5 = _tableWord(table, 5);
        T6 = _tableWord(table, 6);
        T7 = _tableWord(table, 7);
        T8 = _tableWord(table, 8);
        T9 = _tableWord(table, 9);
        T10 = _tableWord(table, 10);
        T11 = _tableWord(table, 11);
        T12 = _tableWord(table, 12);
        T13 = _tableWord(table, 13);
        T14 = _tableWord(table, 14);
        T15 = _tableWord(table, 15);
        T16 = _tableWord(table, 16);
        T17 = _tableWord(table, 17);
        T18 = _tableWord(table, 18);
        T19 = _tableWord(table, 19);
    }

    /// Whatever has no known selector, calldata of fewer than four bytes included.
    fallback() external {
        revert UnknownFunction();
    }

    /// @inheritdoc IReportVerifier
    function setWindow(uint40 from, uint40 until, bool paused) external {
        if (msg.sender != registry) revert OnlyRegistry();
        _window = uint256(from) | (uint256(until) << 40) | (uint256(paused ? 1 : 0) << 80);
        emit WindowSet(from, until, paused);
    }

    /// @inheritdoc IReportVerifier
    function window() external view returns (uint40 from, uint40 until, bool paused) {
        uint256 packed = _window;
        return (uint40(packed), uint40(packed >> 40), packed >> 80 != 0);
    }

    /// @inheritdoc IReportVerifier
    function committee() external view returns (bytes32, uint32, uint8, address[] memory signers) {
        signers = new address[](MEMBERS);
        uint256 table = _signerTable();
        for (uint256 i = 0; i < signers.length; ++i) {
            uint256 word;
            assembly ("memory-safe") {
                word := mload(add(table, mul(20, i)))
            }
            signers[i] = address(uint160(word >> 96));
        }
        return (LINEAGE, uint32(GENERATION), uint8(F), signers);
    }

    /// @inheritdoc IReportVerifier
    function verifyPacked() external view returns (uint256 attestedAtMs, Feed[] memory) {
        if (msg.data.length < 4 + HEAD_BYTES) revert MalformedReport();
        uint256 head;
        assembly ("memory-safe") {
            head := calldataload(4)
        }
        if (uint32(head >> 216) != GENERATION) revert WrongGeneration(uint32(head >> 216));
        attestedAtMs = uint48(head >> 104);
        _checkTime(attestedAtMs);

        (uint256 root, uint256 cursor, uint256 out, uint256 outBytes) = _climb(uint8(head >> 64));
        uint256 digest =
            _typedDigest(uint256(REPORT_TYPEHASH), uint32(head >> 184), uint32(head >> 152), attestedAtMs, root);
        uint256 threshold;
        uint256 kind = head >> 248;
        if (kind == KIND_SEALS) {
            digest = _sealedDigest(digest);
            threshold = F + 1;
        } else if (kind == KIND_ATTESTATIONS) {
            threshold = (MEMBERS + F) / 2 + 1;
        } else {
            revert UnknownKind(kind);
        }
        _checkSignatures(digest, uint32(head >> 72), threshold, cursor);
        assembly ("memory-safe") {
            mstore(out, attestedAtMs)
            return(out, outBytes)
        }
    }

    /// Both T and block time must lie in the window, and T not beyond what a block's time can lag behind.
    function _checkTime(uint256 attestedAtMs) private view {
        uint256 packed = _window;
        uint256 from = uint40(packed);
        uint256 until = uint40(packed >> 40);
        if (packed >> 80 != 0) revert Paused();
        bool outside;
        bool ahead;
        assembly ("memory-safe") {
            outside := or(
                gt(timestamp(), until),
                or(lt(attestedAtMs, mul(from, 1000)), gt(attestedAtMs, mul(until, 1000)))
            )
            ahead := gt(attestedAtMs, add(mul(timestamp(), 1000), FUTURE_TOLERANCE_MS))
        }
        if (outside) revert OutsideWindow(from, until);
        if (ahead) revert FutureReport(attestedAtMs);
    }

    /// The root that `bundles` bundles from byte 28 on lead to, where their bytes end, and where in memory their feeds
    /// lie as verifyPacked() returns them: attestedAtMs (still empty), 0x40, count, feeds.
    function _climb(uint256 bundles)
        private
        pure
        returns (uint256 root, uint256 cursor, uint256 out, uint256 outBytes)
    {
        assembly ("memory-safe") {
            // MalformedReport(): Yul functions see no Solidity names.
            function malformed() {
                mstore(0, shl(224, 0x28ed90e8))
                revert(0, 4)
            }
            // keccak256 of the pair in sorted order, up from `node` over the siblings that a depth byte announces.
            function ascend(node, at) -> up, next {
                up := node
                next := add(at, 1)
                for { let end := add(next, shl(5, byte(0, calldataload(at)))) } lt(next, end) { next := add(next, 32) }
                {
                    let sibling := calldataload(next)
                    let place := shl(5, gt(up, sibling))
                    mstore(place, up)
                    mstore(xor(place, 32), sibling)
                    up := keccak256(0, 64)
                }
            }

            // A stack of nodes that wait for a merge, one place a bundle; behind it the answer.
            let stack := mload(0x40)
            let top := stack
            out := add(stack, shl(5, bundles))
            let write := add(out, 64)
            cursor := 28
            for { let left := bundles } left { left := sub(left, 1) } {
                let feeds := byte(0, calldataload(cursor))
                // More feeds than a bundle has would only be dear, none would shift the answer.
                if iszero(lt(sub(feeds, 1), 16)) { malformed() }
                let bytes_ := mul(feeds, 96)
                // The bundle's id goes over the last word before its feeds, which is put back after hashing.
                let kept := mload(write)
                calldatacopy(write, add(cursor, 1), add(bytes_, 32))
                mstore(0, keccak256(write, add(bytes_, 32)))
                mstore(write, kept)
                write := add(write, bytes_)
                cursor := add(cursor, add(bytes_, 33))
                let node := keccak256(0, 32)
                node, cursor := ascend(node, cursor)
                let merges := byte(0, calldataload(cursor))
                cursor := add(cursor, 1)
                for {} merges { merges := sub(merges, 1) } {
                    // Nothing waits: the report merges more than it has.
                    if eq(top, stack) { malformed() }
                    top := sub(top, 32)
                    let waiting := mload(top)
                    let place := shl(5, gt(node, waiting))
                    mstore(place, node)
                    mstore(xor(place, 32), waiting)
                    node, cursor := ascend(keccak256(0, 64), cursor)
                }
                mstore(top, node)
                top := add(top, 32)
            }
            // Exactly one node is left: none of a report without bundles, more where bundles were never merged.
            if iszero(eq(top, add(stack, 32))) { malformed() }
            root := mload(stack)
            mstore(add(out, 32), 64)
            outBytes := sub(add(write, 32), out)
            mstore(add(out, 64), div(sub(outBytes, 96), 96))
            mstore(0x40, add(out, outBytes))
        }
    }

    /// EIP-712 digest of Report(epoch, round, attestedAtMs, root) under this committee's domain.
    function _typedDigest(uint256 typeHash, uint256 epoch, uint256 round, uint256 attestedAtMs, uint256 root)
        private
        view
        returns (uint256 digest)
    {
        uint256 domain = uint256(DOMAIN);
        assembly ("memory-safe") {
            let at := mload(0x40)
            mstore(at, typeHash)
            mstore(add(at, 32), epoch)
            mstore(add(at, 64), round)
            mstore(add(at, 96), attestedAtMs)
            mstore(add(at, 128), root)
            let hashed := keccak256(at, 160)
            mstore(at, shl(240, 0x1901))
            mstore(add(at, 2), domain)
            mstore(add(at, 34), hashed)
            digest := keccak256(at, 66)
        }
    }

    /// EIP-712 digest of Sealed(reportDigest) under this committee's domain (P11).
    function _sealedDigest(uint256 reportDigest) private view returns (uint256 digest) {
        uint256 domain = uint256(DOMAIN);
        bytes32 typeHash = SEALED_TYPEHASH;
        assembly ("memory-safe") {
            mstore(0, typeHash)
            mstore(32, reportDigest)
            let hashed := keccak256(0, 64)
            let at := mload(0x40)
            mstore(at, shl(240, 0x1901))
            mstore(add(at, 2), domain)
            mstore(add(at, 34), hashed)
            digest := keccak256(at, 66)
        }
    }

    /// One valid signature of each member in the bitmap, in order, up to the end of the calldata: members are distinct
    /// by construction (I-5), and each signature must be that of its member.
    function _checkSignatures(uint256 digest, uint256 bitmap, uint256 threshold, uint256 cursor) private view {
        if (bitmap >> MEMBERS != 0) revert ForeignSigner();
        uint256 table = _signerTable();
        uint256 count;
        assembly ("memory-safe") {
            let input := sub(table, 128)
            mstore(input, digest)
            for { let signer := table } bitmap {
                signer := add(signer, 20)
                bitmap := shr(1, bitmap)
            } {
                if and(bitmap, 1) {
                    let vs := calldataload(add(cursor, 32))
                    let s := and(vs, 0x7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff)
                    mstore(add(input, 32), add(27, shr(255, vs)))
                    mstore(add(input, 64), calldataload(cursor))
                    mstore(add(input, 96), s)
                    pop(staticcall(gas(), 1, input, 128, 0, 32))
                    // Without a signer ecrecover answers nothing, and the scratch word keeps what was there.
                    if or(gt(s, HALF_ORDER), or(xor(returndatasize(), 32), xor(mload(0), shr(96, mload(signer))))) {
                        // BadSignature(member), or MalleableSignature(member)
                        let selector := 0xa1c97319
                        if gt(s, HALF_ORDER) { selector := 0xc651b61c }
                        mstore(0, shl(224, selector))
                        mstore(4, div(sub(signer, table), 20))
                        revert(0, 36)
                    }
                    cursor := add(cursor, 64)
                    count := add(count, 1)
                }
            }
        }
        if (count < threshold) revert TooFewSignatures(count, threshold);
        if (cursor != msg.data.length) revert MalformedReport();
    }

    /// Writes the table of signers to new memory, behind 128 bytes for ecrecover's input, and says where.
    function _signerTable() private view returns (uint256 table) {
        (bytes32 a, bytes32 b, bytes32 c, bytes32 d, bytes32 e) = (T0, T1, T2, T3, T4);
        assembly ("memory-safe") {
            table := add(mload(0x40), 128)
            mstore(0x40, add(table, 640))
            mstore(table, a)
            mstore(add(table, 32), b)
            mstore(add(table, 64), c)
            mstore(add(table, 96), d)
            mstore(add(table, 128), e)
        }
        if (MEMBERS <= 8) return table;
        _writeWords(table + 160, T5, T6, T7, T8, T9);
        _writeWords(table + 320, T10, T11, T12, T13, T14);
        _writeWords(table + 480, T15, T16, T17, T18, T19);
    }

    function _writeWords(uint256 target, bytes32 a, bytes32 b, bytes32 c, bytes32 d, bytes32 e) private pure {
        assembly ("memory-safe") {
            mstore(target, a)
            mstore(add(target, 32), b)
            mstore(add(target, 64), c)
            mstore(add(target, 96), d)
            mstore(add(target, 128), e)
        }
    }

    function _tableWord(bytes memory table, uint256 i) private pure returns (bytes32 word) {
        assembly ("memory-safe") {
            word := mload(add(add(table, 32), shl(5, i)))
        }
    }
}
