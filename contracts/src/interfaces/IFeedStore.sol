// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/// What a store knows of a feed. Ages are rounded up, validity down, spread up where a slot holds them rounded.
/// @param value the number scaled by the feed's decimals; for a structured feed the upper 176 bits of its value's hash
/// @param attestedAtMs T of the report it came from, ms since 1970; 0: the store has nothing for this feed
/// @param observedAtMs a lower bound of the source's own time: a slot keeps an age at attestedAtMs, rounded up by at most
/// 1/16 and a second. That something was seen by a time, attestedAtMs says; 0 for a feed without a value
/// @param validUntilMs the last ms in which the value may be used, never later than signed
/// @param status 0 is OK; see Meta.status; at most 15 shown
/// @param groups independent groups of sources, at most 15 shown
/// @param kind 0: number, 1: structured
/// @param spreadPpm spread between groups, never less than signed
struct Reading {
    int256 value;
    uint256 attestedAtMs;
    uint256 observedAtMs;
    uint256 validUntilMs;
    uint8 status;
    uint8 groups;
    uint8 kind;
    uint256 spreadPpm;
}

/// A feed and the slot that a store now keeps of it.
struct Update {
    bytes32 feedId;
    uint256 slot;
}

/// @title Attested values that somebody brought here (push), for contracts that read without a report of their own.
/// @notice Bound to one lineage. Anybody may push a report: what is stored is proven by the committee's signatures,
/// never by who sent it. A report changes only feeds for which it is newer (T) than what is stored.
interface IFeedStore {
    /// No feed of the report is newer than what the store holds.
    error NothingNewer();
    /// The report was attested longer ago than this feed may be used after being seen, and so it is for each feed for
    /// which it would be newer: too old, even as the first value.
    error ReportTooOld(bytes32 feedId, uint256 attestedAtMs);
    /// The store has no value of this feed.
    error UnknownFeed(bytes32 feedId);
    /// No function has this selector.
    error UnknownFunction();

    /// Feeds were updated from one report. Each slot is as the store keeps it, T included (lib/Slots.sol).
    event Updated(Update[] updates);
    /// All feeds of a bundle were updated from one report: all slots that the store has, in order (lib/Slots.sol).
    event BundleUpdated(uint256[] slots);

    /// Stores what is newer of the report appended to the calldata (report, length u16, marker 0xA55A). Feeds for which
    /// it is not newer, or too old to be used, stay as they are.
    /// Reverts with
    /// - NothingNewer, ReportTooOld;
    /// - those of the calldata: NoReport, UnknownGeneration (Verification), and where the store's feeds are fixed
    ///   WrongFeedCount, FeedMissing;
    /// - those of the generation's verifier (IReportVerifier), among them Paused and OutsideWindow;
    /// - those of values that no honest report holds: WrongKind, NotInt176 (Values).
    function push() external;

    /// The number of a feed: known, OK, kind 0, within its validity and observed at most `maxAgeS` ago; else reverts
    /// with UnknownFeed, NotOk, WrongKind or Stale.
    /// @return value scaled by the feed's decimals
    /// @return observedAtMs a lower bound of the source's own time, as in Reading
    function read(bytes32 feedId, uint256 maxAgeS) external view returns (int256 value, uint256 observedAtMs);

    /// Like read for a structured feed: reverts with WrongBytes unless `encoded` is the value whose hash was signed.
    function readEncoded(bytes32 feedId, bytes calldata encoded, uint256 maxAgeS)
        external
        view
        returns (uint256 observedAtMs);

    /// Whatever the store has, without judging it; attestedAtMs is 0 when it has nothing. Never reverts.
    function tryRead(bytes32 feedId) external view returns (Reading memory reading);

    /// The registry of the lineage that this store believes.
    function registry() external view returns (address);
}
