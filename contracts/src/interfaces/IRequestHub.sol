// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/// An open request.
/// @param requester the contract that asked and is called back
/// @param requestedAtS block time of the request: only reports whose T is more than 30 s later answer it
/// @param openForS for how long it may be answered
/// @param callbackGas what the callback gets, no more and no less
/// @param feedId the feed
struct Request {
    address requester;
    uint40 requestedAtS;
    uint24 openForS;
    uint32 callbackGas;
    bytes32 feedId;
}

/// @title Where a contract asks once for a feed's value and is called back with what the committee attested.
/// @notice Bound to one lineage (its registry). Asking costs nothing but gas. Anybody may answer, with a report attested
/// after the request: nobody is believed, neither with a value nor with the news that there is none. "After" means a T
/// more than 30 s after the request's block time: a verifier takes a T of up to 30 s ahead of its block, so an earlier one
/// may have been in somebody's hands when the request was made. Ask for longer than that. Whoever answers chooses among
/// the later reports that are still valid, so ask for no longer than you can wait.
interface IRequestHub {
    /// A meaning has 1 to 2,048 bytes.
    error InvalidMeaning(uint256 length);
    /// The deadline must be later than now and at most 30 days away.
    error InvalidDeadline(uint256 deadlineS);
    /// A callback has 1 to 500,000 gas.
    error InvalidCallbackGas(uint256 callbackGas);
    /// Only a contract can be called back.
    error NoContract(address requester);
    /// There is no such request, or it was answered, refused or cancelled.
    error UnknownRequest(bytes32 id);
    /// Only the requester may do this.
    error OnlyRequester();
    /// The request is past its deadline, so that it can only expire.
    error DeadlinePassed(uint256 deadlineS);
    /// The request can still be answered, until this time.
    error StillOpen(uint256 deadlineS);
    /// The report may have been known when the request was made: its T must be later than this.
    error NotAfterRequest(uint256 attestedAtMs, uint256 knownUntilMs);
    /// The report was attested longer ago than the validity of its feed: that there was no value then is no news.
    error ReportTooOld(bytes32 feedId, uint256 attestedAtMs);
    /// The transaction has too little gas left for the callback to get all that it was promised.
    error InsufficientGas(uint256 left, uint256 needed);
    /// No function has this selector.
    error UnknownFunction();

    /// A contract asks for a feed; oracles learn of it from here.
    event Requested(
        bytes32 indexed id,
        address indexed requester,
        bytes32 indexed feedId,
        bytes meaning,
        uint256 deadlineS,
        uint256 callbackGas
    );
    /// A request was answered from a report of T; `success`: the callback did not revert.
    event Answered(bytes32 indexed id, uint256 attestedAtMs, bool success);
    /// A request ended without a value: the feed's status, or EXPIRED; `success`: the callback did not revert.
    event Refused(bytes32 indexed id, uint256 status, bool success);
    /// The requester took its request back.
    event Cancelled(bytes32 indexed id);

    /// Asks for the feed of this meaning. The caller is called back (IAssayRequester).
    /// @param meaning the RFC 8785 bytes of the feed's meaning; their keccak256 is the feed's id
    /// @param deadlineS last second in which the request may be answered, since 1970
    /// @param callbackGas gas of the callback
    /// @return id the request's id, which no other request on any chain has
    function request(bytes calldata meaning, uint64 deadlineS, uint32 callbackGas) external returns (bytes32 id);

    /// Asks for a feed of a template: "any pair", "any place". The meaning is the pieces with a param between each two.
    /// @param pieces the template's text, one more than params
    /// @param params 1 to 64 characters of A–Z, a–z, 0–9, point and hyphen each, so that none can end a JSON string
    /// @param deadlineS as for request
    /// @param callbackGas as for request
    function requestFrom(string[] calldata pieces, string[] calldata params, uint64 deadlineS, uint32 callbackGas)
        external
        returns (bytes32 id);

    /// Takes a request back, without a callback. Requester only.
    function cancel(bytes32 id) external;

    /// Ends a request with the report appended to the calldata (report, length u16, marker 0xA55A): with onAnswer when the
    /// feed's status is OK, with onRefused when it is not. Anybody, until the deadline. Reverts with the verifier's errors,
    /// those of Values (Stale, WrongKind, WrongBytes, NotInt176), FeedMissing and the errors above; never because of what
    /// the callback does.
    /// @param encoded the abi.encode of a structured value; empty for a number
    function answer(bytes32 id, bytes calldata encoded) external;

    /// Ends a request that nobody answered, with onRefused(id, EXPIRED). Anybody, after the deadline.
    function expire(bytes32 id) external;

    /// The open request of this id; all zero when there is none.
    function requestOf(bytes32 id) external view returns (Request memory);

    /// What stands for a status when no report came in time: 256, which no report can say.
    function EXPIRED() external view returns (uint256);
}
