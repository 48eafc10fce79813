// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Ownable, Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {ReportVerifier} from "./ReportVerifier.sol";
import {ICommitteeRegistry} from "./interfaces/ICommitteeRegistry.sol";
import {IReportVerifier} from "./interfaces/IReportVerifier.sol";
import {Verification, Verified} from "./lib/Verification.sol";

/// @title One lineage's generations, who may change them, and how fast.
/// @dev Storage layout: slot 0 owner (Ownable), slot 1 pendingOwner (Ownable2Step; bits 160 on: generation, paused),
/// slot 2 guardian, slot 3 scheduledFrom, slots 4 and 5 what is proposed now. Transient slots 0 to n hold a verifier's
/// parameters while it is created.
contract CommitteeRegistry is ICommitteeRegistry, Ownable2Step {
    /// Below this a stolen owner key could rotate before people wake up.
    uint256 private constant DELAY_MIN_S = 1 days;
    uint256 private constant DELAY_MAX_S = 30 days;
    /// How long after its delay a scheduled action stays possible: forgotten approvals expire.
    uint256 private constant GRACE_S = 7 days;
    uint256 private constant MEMBERS_MAX = 31;
    /// Room for as many rotations again as anybody will make.
    uint256 private constant FIRST_GENERATION_MAX = type(uint16).max;

    bytes32 public immutable lineage;
    uint256 public immutable delayS;
    bytes32 public immutable verifierCodeHash;

    uint32 public generation;
    bool public paused;
    address public guardian;
    mapping(bytes32 action => uint256) public scheduledFrom;
    /// The generation and the guardian that wait: another proposal takes the place of the one before.
    bytes32 private _proposedGeneration;
    bytes32 private _proposedGuardian;

    constructor(bytes32 lineage_, address owner_, address guardian_, uint256 delayS_) Ownable(owner_) {
        if (guardian_ == address(0)) revert ZeroAddress();
        if (delayS_ < DELAY_MIN_S || delayS_ > DELAY_MAX_S) revert InvalidDelay();
        lineage = lineage_;
        guardian = guardian_;
        delayS = delayS_;
        verifierCodeHash = keccak256(type(ReportVerifier).creationCode);
        emit GuardianChanged(guardian_);
    }

    /// Whatever has no known selector.
    fallback() external {
        revert UnknownFunction();
    }

    /// @inheritdoc ICommitteeRegistry
    function start(uint32 generation_, uint8 f, address[] calldata signers) external onlyOwner returns (address) {
        if (generation != 0) revert AlreadyStarted();
        if (generation_ == 0 || generation_ > FIRST_GENERATION_MAX) revert InvalidFirstGeneration();
        _checkCommittee(f, signers);
        return _activate(generation_, f, signers);
    }

    /// @inheritdoc ICommitteeRegistry
    function propose(uint32 generation_, uint8 f, address[] calldata signers, uint256 overlapS, uint256 deadline)
        external
        onlyOwner
    {
        if (generation == 0) revert NotStarted();
        if (generation_ != uint256(generation) + 1) revert NotNextGeneration(uint256(generation) + 1);
        if (overlapS >= delayS) revert InvalidOverlap();
        _checkCommittee(f, signers);
        _proposedGeneration =
            _replace(_proposedGeneration, generationAction(generation_, f, signers, overlapS), deadline);
        emit GenerationProposed(generation_, _saltOf(generation_, f, signers), f, signers, overlapS);
    }

    /// @inheritdoc ICommitteeRegistry
    function activate(uint32 generation_, uint8 f, address[] calldata signers, uint256 overlapS)
        external
        returns (address)
    {
        _consume(generationAction(generation_, f, signers, overlapS));
        IReportVerifier before = IReportVerifier(verifierOf(generation));
        (uint40 from,,) = before.window();
        // Also while paused: keys that leaked can be rotated out before anything is believed again.
        before.setWindow(from, uint40(block.timestamp + overlapS), paused);
        return _activate(generation_, f, signers);
    }

    /// @inheritdoc ICommitteeRegistry
    function cancel(bytes32 action) external onlyOwner {
        _forget(action);
    }

    /// @inheritdoc ICommitteeRegistry
    function pause() external {
        if (msg.sender != guardian && msg.sender != owner()) revert OnlyGuardian();
        // Who pauses a paused lineage vetoes the end of the pause that was scheduled.
        if (paused) return _forget(unpauseAction());
        _setPaused(true);
        emit PausedBy(msg.sender);
    }

    /// @inheritdoc ICommitteeRegistry
    function proposeUnpause(uint256 deadline) external onlyOwner {
        if (!paused) revert NotPaused();
        _schedule(unpauseAction(), deadline);
    }

    /// @inheritdoc ICommitteeRegistry
    function unpause() external {
        if (!paused) revert NotPaused();
        // A rotation under way comes first, or the keys it takes out would be believed once more.
        uint256 from = scheduledFrom[_proposedGeneration];
        if (from != 0 && block.timestamp <= from + GRACE_S) revert GenerationWaits();
        _consume(unpauseAction());
        _setPaused(false);
        emit Unpaused();
    }

    /// @inheritdoc ICommitteeRegistry
    function proposeGuardian(address guardian_, uint256 deadline) external onlyOwner {
        if (guardian_ == address(0)) revert ZeroAddress();
        _proposedGuardian = _replace(_proposedGuardian, guardianAction(guardian_), deadline);
        emit GuardianProposed(guardian_);
    }

    /// @inheritdoc ICommitteeRegistry
    function changeGuardian(address guardian_) external {
        _consume(guardianAction(guardian_));
        guardian = guardian_;
        emit GuardianChanged(guardian_);
    }

    /// Without an owner no stolen key could ever be rotated out.
    function renounceOwnership() public pure override {
        revert CannotRenounce();
    }

    /// @inheritdoc ICommitteeRegistry
    function creating() external view returns (bytes32, uint32, uint8, address[] memory signers) {
        uint256 head;
        assembly ("memory-safe") {
            head := tload(0)
        }
        if (head == 0) revert NotCreating();
        signers = new address[](uint8(head));
        for (uint256 i = 0; i < signers.length; ++i) {
            address signer;
            assembly ("memory-safe") {
                signer := tload(add(i, 1))
            }
            signers[i] = signer;
        }
        return (lineage, uint32(head >> 16), uint8(head >> 8), signers);
    }

    /// @inheritdoc ICommitteeRegistry
    function check(bytes calldata report) external view returns (bytes memory) {
        uint256 offset;
        assembly ("memory-safe") {
            offset := report.offset
        }
        return Verification.verify(address(this), verifierCodeHash, offset, report.length).encoded();
    }

    /// @inheritdoc ICommitteeRegistry
    function verifierOf(uint32 generation_) public view returns (address) {
        return Verification.verifierOf(address(this), verifierCodeHash, generation_);
    }

    /// @inheritdoc ICommitteeRegistry
    function generationAction(uint32 generation_, uint8 f, address[] calldata signers, uint256 overlapS)
        public
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode("generation", generation_, f, signers, overlapS));
    }

    /// @inheritdoc ICommitteeRegistry
    function guardianAction(address guardian_) public pure returns (bytes32) {
        return keccak256(abi.encode("guardian", guardian_));
    }

    /// @inheritdoc ICommitteeRegistry
    function unpauseAction() public pure returns (bytes32) {
        return keccak256("unpause");
    }

    /// Schedules `action` in the place of `before`: of what is no longer meant nobody can make use.
    function _replace(bytes32 before, bytes32 action, uint256 deadline) private returns (bytes32) {
        if (before != action && scheduledFrom[before] != 0) _forget(before);
        _schedule(action, deadline);
        return action;
    }

    function _forget(bytes32 action) private {
        if (scheduledFrom[action] == 0) revert NotScheduled(action);
        delete scheduledFrom[action];
        emit Cancelled(action);
    }

    function _schedule(bytes32 action, uint256 deadline) private {
        if (block.timestamp > deadline) revert DeadlinePassed(deadline);
        // Once forgotten it may be scheduled anew; while it waits, a second call would start the delay over.
        uint256 before = scheduledFrom[action];
        if (before != 0 && block.timestamp <= before + GRACE_S) revert AlreadyScheduled(action);
        uint256 from = block.timestamp + delayS;
        scheduledFrom[action] = from;
        emit Scheduled(action, from, from + GRACE_S);
    }

    function _consume(bytes32 action) private {
        uint256 from = scheduledFrom[action];
        if (from == 0) revert NotScheduled(action);
        if (block.timestamp < from) revert TooEarly(from);
        if (block.timestamp > from + GRACE_S) revert TooLate(from + GRACE_S);
        delete scheduledFrom[action];
    }

    /// P1: n ≥ 3f+1, f ≥ 1, all addresses different and none zero.
    function _checkCommittee(uint8 f, address[] calldata signers) private pure {
        uint256 n = signers.length;
        if (f == 0 || n < 3 * uint256(f) + 1 || n > MEMBERS_MAX) revert InvalidCommittee();
        for (uint256 i = 0; i < n; ++i) {
            if (signers[i] == address(0)) revert InvalidCommittee();
            for (uint256 j = 0; j < i; ++j) {
                if (signers[i] == signers[j]) revert InvalidCommittee();
            }
        }
    }

    function _activate(uint32 generation_, uint8 f, address[] calldata signers) private returns (address) {
        uint256 head = signers.length | (uint256(f) << 8) | (uint256(generation_) << 16);
        assembly ("memory-safe") {
            tstore(0, head)
        }
        for (uint256 i = 0; i < signers.length; ++i) {
            address signer = signers[i];
            assembly ("memory-safe") {
                tstore(add(i, 1), signer)
            }
        }
        ReportVerifier verifier = new ReportVerifier{salt: bytes32(uint256(generation_))}();
        assembly ("memory-safe") {
            tstore(0, 0)
        }
        generation = generation_;
        verifier.setWindow(uint40(block.timestamp), type(uint40).max, paused);
        emit GenerationActivated(generation_, address(verifier), verifier.salt());
        return address(verifier);
    }

    /// The current generation and the one before are all that can be alive: an overlap is shorter than the delay.
    function _setPaused(bool paused_) private {
        paused = paused_;
        uint32 current = generation;
        for (uint256 back = 0; back < 2 && back < current; ++back) {
            address verifier = verifierOf(uint32(current - back));
            // The first generation need not be number 1: below it there is nothing.
            if (verifier.code.length == 0) break;
            (uint40 from, uint40 until,) = IReportVerifier(verifier).window();
            IReportVerifier(verifier).setWindow(from, until, paused_);
        }
    }

    /// S of P1, as the committee's own software computes it.
    function _saltOf(uint32 generation_, uint8 f, address[] calldata signers) private view returns (bytes32) {
        return
            keccak256(abi.encode(keccak256("assay/committee/v1"), lineage, uint256(generation_), uint256(f), signers));
    }
}
