// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/// One feed of a report, as its Merkle leaf holds it (docs/contracts.md).
/// @param feedId keccak256 of the RFC 8785 bytes of the feed's meaning: name, value schema, unit, decimals, fields
/// @param word the number, scaled by the feed's decimals (kind 0), or keccak256 of the value's abi.encode (kind 1)
/// @param meta source time, validity, status, groups, kind and spread, packed: see Meta.sol
struct Feed {
    bytes32 feedId;
    bytes32 word;
    uint256 meta;
}

/// @title One generation of a committee, as contracts know it: says whether that committee signed a report.
/// @notice The signers, f and the salt S are part of this contract's code and never change. Only its window moves, and
/// only the registry that created it moves it. The address follows from registry and generation (CREATE2), so a reader
/// needs no look-up: who trusts the registry can compute where each generation's verifier is.
interface IReportVerifier {
    /// The report is cut off, has trailing bytes, or its counts do not fit its bytes.
    error MalformedReport();
    /// The first byte is neither 1 (seals) nor 2 (attestations).
    error UnknownKind(uint256 kind);
    /// The report names another generation than this verifier's.
    error WrongGeneration(uint256 generation);
    /// The registry's guardian has paused the lineage.
    error Paused();
    /// Block time or T lies outside the time in which this generation may be believed; all in seconds.
    error OutsideWindow(uint256 from, uint256 until);
    /// T lies more than the tolerance (30 s) ahead of block time.
    error FutureReport(uint256 attestedAtMs);
    /// The bitmap names a member that the committee does not have.
    error ForeignSigner();
    /// The signature of this member is not over this report, or is no signature at all.
    error BadSignature(uint256 member);
    /// The signature's s is above half the group order: a second form of a signature that has one already.
    error MalleableSignature(uint256 member);
    /// Fewer signatures than f+1 seals or q attestations.
    error TooFewSignatures(uint256 count, uint256 threshold);
    /// Only the registry may do this.
    error OnlyRegistry();
    /// No function has this selector.
    error UnknownFunction();

    /// The window was set: seconds since 1970, both ends included.
    event WindowSet(uint40 from, uint40 until, bool paused);

    /// Verifies the report that follows the four bytes of the selector, raw and up to the end of the calldata.
    /// @dev Format (all big-endian): kind u8 (1: f+1 seals, 2: q attestations), generation u32, epoch u32, round u32,
    /// attestedAtMs u48, bitmap u32 (bit i: member i), bundles u8 ≥ 1; for each bundle: feeds u8 (1 to 16), bundle id,
    /// the feeds' 96 bytes each, depth u8 and so many siblings, merges u8 and for each merge a depth u8 with siblings;
    /// then one 64-byte EIP-2098 signature for each set bit, lowest first. A bundle's leaf climbs its siblings; each
    /// merge pairs it with what the bundle before has become, and climbs on: a multiproof for trees of any shape.
    /// Any bytes that are not exactly this revert with one of the errors above.
    /// @return attestedAtMs T, ms since 1970: when the committee attested the report
    /// @return feeds all feeds of all bundles, in the report's order
    function verifyPacked() external view returns (uint256 attestedAtMs, Feed[] memory feeds);

    /// Sets the time in which the committee may be believed. Registry only.
    /// @param from first second of block time and T that count
    /// @param until last second of block time and T that count
    /// @param paused whether nothing counts until this is taken back
    function setWindow(uint40 from, uint40 until, bool paused) external;

    /// @return from first second in which reports count
    /// @return until last second in which reports count
    /// @return paused whether none does now
    function window() external view returns (uint40 from, uint40 until, bool paused);

    /// @return lineage the committee's lineage (P1)
    /// @return generation its generation
    /// @return f how many members may be faulty
    /// @return signers the members' signing addresses, in the committee document's order
    function committee() external view returns (bytes32 lineage, uint32 generation, uint8 f, address[] memory signers);

    /// @return S of P1: keccak256(abi.encode(tag, lineage, generation, f, signers)), the salt of the EIP-712 domain
    function salt() external view returns (bytes32);

    /// @return the registry that created this verifier
    function registry() external view returns (address);
}
