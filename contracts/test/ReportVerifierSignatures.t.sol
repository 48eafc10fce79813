// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;
// Signatures that are none, of others, over other things, or from elsewhere: B16 to B20, and what audits found in others.

import {IReportVerifier} from "../src/interfaces/IReportVerifier.sol";
import {Committee, Head, Reports} from "./base/Reports.sol";
import {Bundle} from "./base/Trees.sol";

/// @title Forged, bent, borrowed and replayed signatures
contract ReportVerifierSignaturesTest is Reports {
    Committee private _c;
    Head private _head;
    bytes private _body;
    bytes32 private _root;
    bytes32 private _digest;
    bytes private _report;

    function setUp() external {
        _c = makeCommittee("signatures", 4);
        _head = headOf(_c, SEALS);
        (_body, _root) = single(numbers(2), 3);
        _digest = digestOf(_c, _head, _root);
        _report = assemble(_c, _head, 1, _body, _root);
        assertAccepted(_c, _report);
    }

    // B17: other forms of a signature

    function test_B17_RefusesOutOfRangeROrS() external view {
        (bytes32 r, uint256 vs) = first();
        uint256 parity = vs & 2 ** 255;
        assertBad(0, abi.encode(0, vs));
        assertBad(0, abi.encode(ORDER, vs));
        assertBad(0, abi.encode(uint256(ORDER) + 1, vs));
        assertBad(0, abi.encode(type(uint256).max, vs));
        assertBad(0, abi.encode(r, parity));
        assertBad(0, new bytes(64));
        // r is an x-coordinate of no point of the curve.
        assertBad(0, abi.encode(5, vs));
    }

    function test_B17_RefusesTheOtherParity() external view {
        for (uint256 member = 0; member < 2; ++member) {
            bytes memory signature =
                slice(_report, _report.length - 128 + 64 * member, _report.length - 64 + 64 * member);
            assertBad(member, flip(signature, 256), member);
        }
    }

    function test_B17_RefusesHighS() external view {
        (bytes32 r, uint256 vs) = first();
        uint256 parity = vs & 2 ** 255;
        uint256 half = ORDER / 2;
        bytes memory malleable = abi.encodeWithSelector(IReportVerifier.MalleableSignature.selector, 0);
        assertRefused(_c, withSignature(_report, 0, 2, abi.encode(r, parity | (half + 1))), malleable);
        assertRefused(_c, withSignature(_report, 0, 2, abi.encode(r, parity | (2 ** 255 - 1))), malleable);
        // Half the order itself is low: only not a signature of anybody here.
        assertBad(0, abi.encode(r, parity | half));
        // The twin of a valid signature: its s has 256 bits, so that the format cannot even say it.
        (bytes32 twinR, uint256 s, uint256 twinParity) = highForm(abi.encode(r, vs));
        assertEq(ecrecover(_digest, uint8(27 + twinParity), twinR, bytes32(s)), _c.signers[0], "a valid twin");
        assertGt(s, 2 ** 255 - 1);
        (bool accepted,) = ask(_c, withSignature(_report, 0, 2, abi.encode(r, s)));
        assertFalse(accepted);
    }

    function test_B17_RefusesHighSThoughEcrecoverTakesIt() external {
        // No key is known whose s lies in the few values between half the order and 2^255: ecrecover is made to say so.
        (bytes32 r, uint256 vs) = first();
        uint256 s = ORDER / 2 + 1;
        bytes memory high = abi.encode(r, (vs & 2 ** 255) | s);
        vm.mockCall(address(1), abi.encode(_digest, 27 + (vs >> 255), r, s), abi.encode(_c.signers[0]));
        assertEq(ecrecover(_digest, uint8(27 + (vs >> 255)), r, bytes32(s)), _c.signers[0], "ecrecover takes it");
        bytes memory malleable = abi.encodeWithSelector(IReportVerifier.MalleableSignature.selector, 0);
        assertRefused(_c, withSignature(_report, 0, 2, high), malleable);
    }

    function test_B17_RefusesSignaturesOf65Bytes() external view {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(_c.keys[0], _digest);
        bytes memory report = bytes.concat(cut(_report, _report.length - 128), abi.encodePacked(r, s, v));
        report = bytes.concat(report, slice(_report, _report.length - 64, _report.length));
        (bool accepted,) = ask(_c, report);
        assertFalse(accepted);
    }

    function test_AnswersOfEcrecoverThatAreNoneProveNothing() external view {
        // Without a signer ecrecover returns no bytes, and its place in memory keeps what was there. After attestations
        // that is the smaller of the last two nodes: a sibling that says the first member's address must not sign for it.
        bytes32[] memory siblings = new bytes32[](1);
        siblings[0] = bytes32(uint256(uint160(_c.signers[0])));
        (bytes memory body, bytes32 root) = single(numbers(1), siblings);
        Head memory head = headOf(_c, ATTESTATIONS);
        bytes memory report = assemble(_c, head, 1, body, root);
        assertAccepted(_c, report);
        for (uint256 i = 0; i < 3; ++i) {
            assertRefused(_c, withSignature(report, i, 3, new bytes(64)), bad(i));
        }
    }

    function test_EcrecoversZeroIsNobody() external {
        // A member that a signature of nobody would match cannot be there in the first place.
        Committee memory c = makeMembers("zero", 4);
        c.signers[2] = address(0);
        c.registry = makeRegistry(c.lineage, address(this));
        vm.expectRevert(abi.encodeWithSignature("InvalidCommittee()"));
        c.registry.start(1, 1, c.signers);
    }

    // B18: one member counted twice

    function test_B18_RefusesOneMembersSignatureInAnothersPlace() external view {
        bytes memory own = slice(_report, _report.length - 128, _report.length - 64);
        assertBad(1, own, 1);
        Head memory head = _head;
        head.bitmap = 0xf;
        bytes memory all = assemble(_c, head, 1, _body, _root);
        for (uint256 i = 1; i < 4; ++i) {
            assertRefused(_c, withSignature(all, i, 4, own), bad(i));
        }
    }

    function test_B18_RefusesSignaturesBeyondTheBitmap() external view {
        // Member 0 alone in the bitmap, its signature twice behind it: one was counted, the other is no part of a report.
        Head memory head = _head;
        head.bitmap = 1;
        bytes memory report = assemble(_c, head, 1, _body, _root);
        bytes memory own = slice(report, report.length - 64, report.length);
        bytes memory few = abi.encodeWithSelector(IReportVerifier.TooFewSignatures.selector, 1, 2);
        assertRefused(_c, bytes.concat(report, own), few);
        bytes memory malformed = abi.encodeWithSelector(IReportVerifier.MalformedReport.selector);
        assertRefused(_c, bytes.concat(_report, own), malformed);
    }

    function test_B18_RefusesPaddingWithInvalidSignatures() external view {
        Head memory head = _head;
        head.bitmap = 0x7;
        bytes memory report = assemble(_c, head, 1, _body, _root);
        assertAccepted(_c, report);
        // Two good ones would do; the third must be good all the same.
        assertRefused(_c, withSignature(report, 2, 3, new bytes(64)), bad(2));
        assertRefused(_c, withSignature(report, 2, 3, signCompact(keyOf("stranger"), _digest)), bad(2));
    }

    // B19, B20: other committees and keys

    function test_B19_RefusesStrangers() external view {
        for (uint256 member = 0; member < 2; ++member) {
            assertBad(member, signCompact(keyOf("stranger"), _digest), member);
            assertBad(member, signCompact(_c.keys[3], _digest), member);
        }
    }

    function test_B20_AKeyMadeOfOthersSignsForItselfOnly() external {
        // Nothing is aggregated: a member whose key is the sum of others' keys, less its own, is one member.
        Committee memory c = makeMembers("rogue", 4);
        c.keys[3] = addmod(addmod(c.keys[0], c.keys[1], ORDER), ORDER - c.keys[2], ORDER);
        c.signers[3] = vm.addr(c.keys[3]);
        c.registry = makeRegistry(c.lineage, address(this));
        c.registry.start(1, 1, c.signers);
        Head memory head = headOf(c, SEALS);
        head.bitmap = 0x8;
        bytes memory report = reportOf(c, head, numbers(1), 0);
        assertRefused(c, report, abi.encodeWithSelector(IReportVerifier.TooFewSignatures.selector, 1, 2));
        bytes memory own = slice(report, report.length - 64, report.length);
        for (uint8 bitmap = 9; bitmap < 13; ++bitmap) {
            head.bitmap = bitmap;
            report = reportOf(c, head, numbers(1), 0);
            assertAccepted(c, report);
            assertRefused(
                c, withSignature(report, 0, bitmap == 11 ? 3 : 2, own), bad(bitmap == 10 ? 1 : bitmap == 12 ? 2 : 0)
            );
        }
    }

    // Coverage: each signed thing is in what is signed

    function test_SealsAndAttestationsAreNotEachOther() external view {
        Head memory head = _head;
        // Attestations offered as seals would need only f+1 of them.
        bytes32 attested = reportDigest(_c, head, _root);
        bytes memory unsigned = bytes.concat(headBytes(head, 1), _body);
        assertRefused(_c, bytes.concat(unsigned, signaturesOf(_c, attested, 3)), bad(0));
        head.kind = ATTESTATIONS;
        head.bitmap = 7;
        bytes memory seals = signaturesOf(_c, _digest, 7);
        assertRefused(_c, bytes.concat(headBytes(head, 1), _body, seals), bad(0));
        // A seal of a seal is none of the report.
        bytes32 twice = typedDigest(_c, keccak256(abi.encode(keccak256("Sealed(bytes32 reportDigest)"), _digest)));
        assertRefused(_c, bytes.concat(unsigned, signaturesOf(_c, twice, 3)), bad(0));
    }

    function test_I57_OtherTypesOfTheSameFieldsAreNoReports() external view {
        bytes memory unsigned = bytes.concat(headBytes(_head, 1), _body);
        string[4] memory types = [
            "Override(bytes32 reportDigest)",
            "Sealed(bytes32 digest)",
            "Proposal(uint32 epoch,uint32 round,bytes32 observations)",
            "Disowned(uint32 epoch,uint32 round,bytes32 signedDigest)"
        ];
        bytes32 attested = reportDigest(_c, _head, _root);
        for (uint256 i = 0; i < types.length; ++i) {
            bytes32 typeHash = keccak256(bytes(types[i]));
            bytes32 struct_ = i < 2
                ? keccak256(abi.encode(typeHash, attested))
                : keccak256(abi.encode(typeHash, _head.epoch, _head.round, attested));
            assertRefused(_c, bytes.concat(unsigned, signaturesOf(_c, typedDigest(_c, struct_), 3)), bad(0));
        }
        // As attestations: a manual override of the same slot, time and root.
        Head memory head = _head;
        head.kind = ATTESTATIONS;
        head.bitmap = 7;
        bytes32 overridden = keccak256("Override(uint32 epoch,uint32 round,uint64 attestedAtMs,bytes32 root)");
        bytes32 digest =
            typedDigest(_c, keccak256(abi.encode(overridden, head.epoch, head.round, head.attestedAtMs, _root)));
        assertRefused(_c, bytes.concat(headBytes(head, 1), _body, signaturesOf(_c, digest, 7)), bad(0));
        // Nor is the bare digest, nor a personal message of it.
        assertRefused(_c, bytes.concat(unsigned, signaturesOf(_c, _root, 3)), bad(0));
        bytes32 personal = keccak256(abi.encodePacked("\x19Ethereum Signed Message:\n32", _digest));
        assertRefused(_c, bytes.concat(unsigned, signaturesOf(_c, personal, 3)), bad(0));
    }

    // B16: replay

    function test_B16_RefusesReportsOfOtherLineagesGenerationsAndCommittees() external {
        // The same members under another lineage, another generation, another f, or in another order: another S each.
        for (uint256 i = 0; i < 4; ++i) {
            Committee memory other = makeMembers("signatures", 4);
            if (i == 0) other.lineage = keccak256("test environment");
            if (i == 1) other.generation = 2;
            if (i == 2) (other.signers[0], other.signers[1]) = (other.signers[1], other.signers[0]);
            if (i == 2) (other.keys[0], other.keys[1]) = (other.keys[1], other.keys[0]);
            if (i == 3) other = makeMembers("signatures", 7);
            other.registry = makeRegistry(other.lineage, address(this));
            other.registry.start(other.generation, other.f, other.signers);
            Head memory head = headOf(other, SEALS);
            bytes memory theirs = assemble(other, head, 1, _body, _root);
            assertAccepted(other, theirs);
            (bool accepted,) = ask(_c, theirs);
            assertFalse(accepted, "theirs with ours");
            (accepted,) = ask(other, _report);
            assertFalse(accepted, "ours with theirs");
            // Nor with the generation put right.
            head.generation = _c.generation;
            head.bitmap = 3;
            bytes memory bent = bytes.concat(headBytes(head, 1), slice(theirs, 24, theirs.length));
            (accepted,) = ask(_c, bent);
            assertFalse(accepted, "theirs, bent");
        }
    }

    function test_B16_TheSameCommitteeIsBelievedOnEveryChainAndByEveryRegistryOfItsLineage() external {
        // On purpose: one report serves all chains. What must not be replayed is up to readers: newest T only.
        vm.chainId(424242);
        assertAccepted(_c, _report);
        Committee memory elsewhere = makeMembers("signatures", 4);
        elsewhere.registry = makeRegistry(elsewhere.lineage, address(this));
        elsewhere.registry.start(1, 1, elsewhere.signers);
        assertAccepted(elsewhere, _report);
    }

    function first() private view returns (bytes32 r, uint256 vs) {
        return abi.decode(slice(_report, _report.length - 128, _report.length - 64), (bytes32, uint256));
    }

    function bad(uint256 member) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IReportVerifier.BadSignature.selector, member);
    }

    function assertBad(uint256 member, bytes memory signature) private view {
        assertBad(member, signature, member);
    }

    function assertBad(uint256 place, bytes memory signature, uint256 member) private view {
        assertRefused(_c, withSignature(_report, place, 2, signature), bad(member));
    }
}
