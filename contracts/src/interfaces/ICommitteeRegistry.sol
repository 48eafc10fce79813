// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/// @title The committee of one lineage: which generation may be believed, from when and until when.
/// @notice One registry is one lineage, so nobody can take another's name in it. The owner (a multisig, timelock or
/// Governor) proposes a generation; after a delay in which everyone can look at it anybody may activate it. The guardian
/// can only stop: pausing is instant, un-pausing slow, and pausing again vetoes it. The owner can hand over in two steps
/// (Ownable2Step). Nothing else can be changed, by anybody.
interface ICommitteeRegistry {
    /// The signers are no committee: n < 3f+1, f = 0, more than 31, a zero address or one that is there twice.
    error InvalidCommittee();
    /// A generation follows the one before: expected this number.
    error NotNextGeneration(uint256 expected);
    /// The transaction was signed for an earlier time (admin signatures expire).
    error DeadlinePassed(uint256 deadline);
    /// The owner's or guardian's delay is below a day, or too long to be meant.
    error InvalidDelay();
    /// An address is zero.
    error ZeroAddress();
    /// Nothing like this was scheduled, or it was cancelled or done.
    error NotScheduled(bytes32 action);
    /// It is too early: possible from this time on.
    error TooEarly(uint256 from);
    /// It is too late: it had to be done before this time.
    error TooLate(uint256 until);
    /// Already scheduled.
    error AlreadyScheduled(bytes32 action);
    /// A generation is proposed: activate it, or cancel the proposal, before the pause ends.
    error GenerationWaits();
    /// The lineage is not paused.
    error NotPaused();
    /// The first generation stands already.
    error AlreadyStarted();
    /// The first generation does not stand yet.
    error NotStarted();
    /// A first generation has a number from 1 to 65,535.
    error InvalidFirstGeneration();
    /// Neither guardian nor owner.
    error OnlyGuardian();
    /// The overlap is not shorter than the delay, so three generations could be alive at once.
    error InvalidOverlap();
    /// Only a verifier that is being created may ask.
    error NotCreating();
    /// A registry without owner could never rotate keys.
    error CannotRenounce();
    /// No function has this selector.
    error UnknownFunction();

    /// Something will be possible from `from` to `until`, seconds since 1970.
    event Scheduled(bytes32 indexed action, uint256 from, uint256 until);
    event Cancelled(bytes32 indexed action);
    /// A generation was proposed: compare `salt` with S of the committee document.
    event GenerationProposed(uint32 indexed generation, bytes32 salt, uint8 f, address[] signers, uint256 overlapS);
    event GenerationActivated(uint32 indexed generation, address verifier, bytes32 salt);
    event GuardianProposed(address indexed guardian);
    event GuardianChanged(address indexed guardian);
    event PausedBy(address indexed by);
    event Unpaused();

    /// Makes the first generation, without delay, since nobody reads yet. Owner, once.
    function start(uint32 generation, uint8 f, address[] calldata signers) external returns (address verifier);

    /// Proposes the next generation; it can be activated after the delay. Takes the place of an earlier proposal. Owner.
    /// @param generation the current one plus 1
    /// @param f how many members may be faulty: n ≥ 3f+1, f ≥ 1
    /// @param signers the members' addresses, in the committee document's order
    /// @param overlapS how long the generation before still counts; 0 where its keys may be stolen
    /// @param deadline block time after which this very transaction is worth nothing
    function propose(uint32 generation, uint8 f, address[] calldata signers, uint256 overlapS, uint256 deadline)
        external;

    /// Makes a proposed generation the current one; the same arguments as proposed. Anybody, after the delay.
    function activate(uint32 generation, uint8 f, address[] calldata signers, uint256 overlapS)
        external
        returns (address verifier);

    /// Takes back what was scheduled. Owner.
    function cancel(bytes32 action) external;

    /// Stops all verification at once. While paused: vetoes the scheduled end of the pause (NotScheduled when there is none).
    /// Guardian or owner.
    function pause() external;

    /// Schedules the end of a pause. Owner; then anybody may call unpause() after the delay.
    function proposeUnpause(uint256 deadline) external;

    /// Ends a pause that was scheduled to end, unless a generation waits. Anybody.
    function unpause() external;

    /// Proposes another guardian, in the place of an earlier proposal. Owner; then anybody may call changeGuardian after the delay.
    function proposeGuardian(address guardian, uint256 deadline) external;

    /// Installs a guardian that was proposed. Anybody.
    function changeGuardian(address guardian) external;

    /// @return what a verifier under construction is to be; reverts at any other time
    function creating() external view returns (bytes32, uint32, uint8, address[] memory);

    /// @return keccak256 of the verifiers' init code, from which CREATE2 addresses follow
    function verifierCodeHash() external view returns (bytes32);

    /// @return where the verifier of `generation` is or would be
    function verifierOf(uint32 generation) external view returns (address);

    function lineage() external view returns (bytes32);
    function generation() external view returns (uint32);
    function guardian() external view returns (address);
    function paused() external view returns (bool);
    function delayS() external view returns (uint256);
    /// @return the first second in which `action` is possible; 0 when it is not scheduled
    function scheduledFrom(bytes32 action) external view returns (uint256);

    /// @return the action that propose() schedules, for cancel() and scheduledFrom()
    function generationAction(uint32 generation, uint8 f, address[] calldata signers, uint256 overlapS)
        external
        view
        returns (bytes32);
    /// @return the action that proposeGuardian() schedules
    function guardianAction(address guardian) external view returns (bytes32);
    /// @return the action that proposeUnpause() schedules
    function unpauseAction() external view returns (bytes32);

    /// Verifies a report given as ABI-encoded bytes, for wallets, explorers and eth_call: dearer than asking the
    /// generation's verifier. Reverts as the verifier does.
    /// @return the verifier's answer: ABI-encoded (uint256 attestedAtMs, Feed[] feeds)
    function check(bytes calldata report) external view returns (bytes memory);
}
