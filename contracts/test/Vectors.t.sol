// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;
// The golden vectors of TypeScript: Solidity accepts what it packs, and computes the same salts, digests, leaves and metas.

import {IReportVerifier} from "../src/interfaces/IReportVerifier.sol";
import {Meta} from "../src/lib/Meta.sol";
import {Committee, Head, Reports} from "./base/Reports.sol";
import {Consumer} from "./base/Consumer.sol";

/// @title The contracts and the test base before vectors that other code made
contract VectorsTest is Reports {
    string private _json;

    function test_EveryCalldataVectorIsAcceptedAndSaysTheSame() external {
        _json = vm.readFile("test/vectors/calldata.json");
        Committee memory c = committeeOf(".committee");
        uint256 attestedAtMs = vm.parseJsonUint(_json, ".attestedAtMs");
        vm.warp(attestedAtMs / 1000);
        start(c);
        vm.warp(attestedAtMs / 1000 + 1);
        uint256 cases = lengthOf(".cases");
        assertGt(cases, 9);
        for (uint256 i = 0; i < cases; ++i) {
            string memory at = string.concat(".cases[", vm.toString(i), "]");
            bytes memory calldata_ = vm.parseJsonBytes(_json, string.concat(at, ".calldata"));
            bytes[] memory feeds = vm.parseJsonBytesArray(_json, string.concat(at, ".feeds"));
            bytes memory ids = vm.parseJsonBytes(_json, string.concat(at, ".bundle"));
            bytes memory wanted = abi.encode(attestedAtMs, 64, feeds.length);
            for (uint256 j = 0; j < feeds.length; ++j) {
                wanted = bytes.concat(wanted, feeds[j]);
                ids = bytes.concat(ids, bytes32(feeds[j]));
            }
            assertEq(answerOf(c, calldata_, ids), wanted, vm.parseJsonString(_json, string.concat(at, ".name")));
        }
    }

    /// @dev What a contract is told of one vector: by the verifier itself where the bytes are a whole report, by a
    /// consumer that finds it in its calldata otherwise.
    function answerOf(Committee memory c, bytes memory calldata_, bytes memory ids) private returns (bytes memory) {
        bool trailed = uint8(calldata_[calldata_.length - 2]) == 0xA5 && uint8(calldata_[calldata_.length - 1]) == 0x5A;
        bool isShort = uint8(calldata_[0]) & 0x80 != 0;
        if (!trailed && !isShort) {
            return send(verifierOf(c), bytes.concat(IReportVerifier.verifyPacked.selector, calldata_));
        }
        bytes memory call = abi.encodeCall(Consumer.known, (ids));
        bytes memory data = trailed ? bytes.concat(call, calldata_) : withReport(call, calldata_);
        return abi.decode(send(address(new Consumer(c.registry)), data), (bytes));
    }

    function test_SaltsAreThoseOfTheCommitteeDocument() external {
        _json = vm.readFile("test/vectors/committee.json");
        Committee memory c = documentOf();
        bytes32 salt = vm.parseJsonBytes32(_json, ".salt");
        assertEq(saltOf(c), salt, "of the test base");
        start(c);
        assertEq(IReportVerifier(verifierOf(c)).salt(), salt, "of the verifier");
        (bytes32 lineage, uint32 generation, uint8 f, address[] memory signers) =
            IReportVerifier(verifierOf(c)).committee();
        assertEq(abi.encode(lineage, generation, f, signers), abi.encode(c.lineage, c.generation, c.f, c.signers));
    }

    function test_DigestsAndSignaturesAreThoseOfTypedData() external {
        _json = vm.readFile("test/vectors/committee.json");
        Committee memory c = documentOf();
        _json = vm.readFile("test/vectors/typed-data.json");
        assertEq(domainOf(c), vm.parseJsonBytes32(_json, ".separators.salt"), "domain");
        for (uint256 i = 0; i < 2; ++i) {
            string memory at = string.concat(".cases[", vm.toString(i), "]");
            assertEq(vm.parseJsonString(_json, string.concat(at, ".type")), "Report");
            string memory message = string.concat(at, ".message");
            Head memory head = Head(
                ATTESTATIONS,
                c.generation,
                uint32(vm.parseJsonUint(_json, string.concat(message, ".epoch"))),
                uint32(vm.parseJsonUint(_json, string.concat(message, ".round"))),
                uint48(vm.parseJsonUint(_json, string.concat(message, ".attestedAtMs"))),
                0
            );
            bytes32 root = vm.parseJsonBytes32(_json, string.concat(message, ".root"));
            bytes32 digest = reportDigest(c, head, root);
            assertEq(digest, vm.parseJsonBytes32(_json, string.concat(at, ".digest")), "report digest");
            checkSigner(at, digest);
            head.kind = SEALS;
            if (i > 0) continue;
            bytes32 sealed_ = digestOf(c, head, root);
            assertEq(digest, vm.parseJsonBytes32(_json, ".cases[2].message.reportDigest"), "what is sealed");
            assertEq(sealed_, vm.parseJsonBytes32(_json, ".cases[2].digest"), "sealed digest");
            checkSigner(".cases[2]", sealed_);
        }
    }

    function checkSigner(string memory at, bytes32 digest) private view {
        bytes memory signature = vm.parseJsonBytes(_json, string.concat(at, ".signature"));
        (bytes32 r, uint256 vs) = abi.decode(signature, (bytes32, uint256));
        address signer = ecrecover(digest, uint8(27 + (vs >> 255)), r, bytes32(vs & (2 ** 255 - 1)));
        assertEq(signer, vm.parseJsonAddress(_json, string.concat(at, ".signer")), "signer");
    }

    function test_LeavesAndProofsLeadToTheRoot() external {
        _json = vm.readFile("test/vectors/leaves.json");
        bytes32 root = vm.parseJsonBytes32(_json, ".root");
        assertEq(lengthOf(".bundles"), 4);
        for (uint256 i = 0; i < 4; ++i) {
            string memory at = string.concat(".bundles[", vm.toString(i), "]");
            bytes memory preimage = vm.parseJsonBytes(_json, string.concat(at, ".preimage"));
            bytes32 node = keccak256(abi.encode(keccak256(preimage)));
            assertEq(node, vm.parseJsonBytes32(_json, string.concat(at, ".leaf")), "leaf");
            bytes32[] memory proof = vm.parseJsonBytes32Array(_json, string.concat(at, ".proof"));
            for (uint256 j = 0; j < proof.length; ++j) {
                node = pairOf(node, proof[j]);
            }
            assertEq(node, root, "root");
        }
    }

    function test_MetasSayWhatTheyPack() external {
        _json = vm.readFile("test/vectors/meta.json");
        for (uint256 i = 0; i < 3; ++i) {
            Meta meta = Meta.wrap(uint256(vm.parseJsonBytes32(_json, metaKey(i, "meta"))));
            assertEq(meta.observedAtMs(), number(i, "observedAtMs"), "observedAtMs");
            assertEq(meta.validForS(), number(i, "validForS"), "validForS");
            assertEq(meta.validUntilMs(), number(i, "observedAtMs") + 1000 * number(i, "validForS"), "validUntilMs");
            assertEq(meta.status(), number(i, "status"), "status");
            assertEq(meta.groups(), number(i, "groups"), "groups");
            assertEq(meta.kind(), number(i, "kind"), "kind");
            assertEq(meta.spreadPpm(), number(i, "spreadPpm"), "spreadPpm");
            uint256 packed = packMeta(
                meta.observedAtMs(), meta.validForS(), meta.status(), meta.groups(), meta.kind(), meta.spreadPpm()
            );
            assertEq(packed, Meta.unwrap(meta), "packed by the test base");
        }
    }

    function metaKey(uint256 i, string memory field) private pure returns (string memory) {
        return string.concat("[", vm.toString(i), "].", field);
    }

    function number(uint256 i, string memory field) private view returns (uint256) {
        return vm.parseJsonUint(_json, metaKey(i, field));
    }

    /// @dev The committee that the vector describes; its registry is still to be made.
    function committeeOf(string memory at) private view returns (Committee memory c) {
        c.lineage = vm.parseJsonBytes32(_json, string.concat(at, ".lineage"));
        c.generation = uint32(vm.parseJsonUint(_json, string.concat(at, ".generation")));
        c.f = uint8(vm.parseJsonUint(_json, string.concat(at, ".f")));
        c.signers = vm.parseJsonAddressArray(_json, string.concat(at, ".signers"));
    }

    /// @dev The same from a whole committee document.
    function documentOf() private view returns (Committee memory c) {
        c.lineage = vm.parseJsonBytes32(_json, ".document.lineage");
        c.generation = uint32(vm.parseJsonUint(_json, ".document.generation"));
        c.f = uint8(vm.parseJsonUint(_json, ".document.f"));
        c.signers = new address[](lengthOf(".document.members"));
        for (uint256 i = 0; i < c.signers.length; ++i) {
            c.signers[i] = vm.parseJsonAddress(_json, string.concat(".document.members[", vm.toString(i), "].address"));
        }
    }

    function lengthOf(string memory list) private view returns (uint256 length) {
        while (vm.keyExistsJson(_json, string.concat(list, "[", vm.toString(length), "]"))) ++length;
    }

    function start(Committee memory c) private {
        c.registry = makeRegistry(c.lineage, address(this));
        c.registry.start(c.generation, c.f, c.signers);
    }
}
