// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;
// What holds of a registry after any calls by anybody at any times.

import {CommitteeRegistry} from "../src/CommitteeRegistry.sol";
import {IReportVerifier} from "../src/interfaces/IReportVerifier.sol";
import {InvariantBase} from "./base/InvariantBase.sol";
import {Committee, Reports} from "./base/Reports.sol";

/// @title Everything that anybody may do to a registry, done by everybody, with time passing
contract RegistryActors is Reports {
    CommitteeRegistry public immutable registry;
    /// How often each action succeeded: an invariant over calls that all fail says nothing.
    mapping(bytes4 action => uint256 times) public done;
    /// When each generation was last proposed with just these members.
    mapping(bytes32 action => uint256 at) public proposedAt;
    bool public madeEarly;
    /// What each generation's verifier said of its committee when it was made.
    mapping(uint256 generation => bytes32 hash) public committeeHash;
    bool public fellBack;
    bool public outOfRole;
    uint256 public unpausableFrom;
    bool public wentOnEarly;

    address[5] private _people;
    uint256[2][] private _proposed;

    constructor(CommitteeRegistry registry_) {
        registry = registry_;
        _remember(registry_.generation());
        _people =
            [actor("owner"), actor("guardian"), actor("pending"), actor("anybody"), makeMembers("1", 4).signers[0]];
    }

    /// @dev Whom forge calls as does not matter: the person comes from the first argument, half the time the owner, so
    /// that things happen.
    modifier by(uint256 person) {
        uint32 before = registry.generation();
        bool paused = registry.paused();
        address owner = registry.owner();
        address guardian = registry.guardian();
        address caller = person % 2 == 0 ? owner : _people[person / 2 % 5];
        vm.startPrank(caller);
        _;
        vm.stopPrank();
        done[msg.sig]++;
        if (registry.generation() < before || registry.generation() > before + 1) fellBack = true;
        if (registry.generation() != before) _remember(registry.generation());
        if (paused && !registry.paused() && vm.getBlockTimestamp() < unpausableFrom) wentOnEarly = true;
        bool ownersAction = msg.sig == this.propose.selector || msg.sig == this.cancel.selector
            || msg.sig == this.proposeUnpause.selector || msg.sig == this.proposeGuardian.selector
            || msg.sig == this.transfer.selector;
        if (ownersAction && caller != owner) outOfRole = true;
        if (msg.sig == this.pause.selector && caller != owner && caller != guardian) outOfRole = true;
    }

    function propose(uint256 person, uint256 committee, uint256 overlapS, uint256 early) external by(person) {
        uint32 generation = registry.generation() + 1;
        Committee memory c = _committee(committee);
        _proposed.push([committee, overlapS]);
        // Some deadlines have passed, some overlaps are too long.
        registry.propose(generation, c.f, c.signers, _overlap(overlapS), vm.getBlockTimestamp() - early % 2);
        proposedAt[registry.generationAction(generation, c.f, c.signers, _overlap(overlapS))] = vm.getBlockTimestamp();
    }

    /// @dev Mostly what was proposed last.
    function activate(uint256 person, uint256 committee, uint256 overlapS) external by(person) {
        if (committee % 4 != 0 && _proposed.length > 0) {
            (committee, overlapS) = (_proposed[_proposed.length - 1][0], _proposed[_proposed.length - 1][1]);
        }
        Committee memory c = _committee(committee);
        uint32 generation = registry.generation() + 1;
        uint256 at = proposedAt[registry.generationAction(generation, c.f, c.signers, _overlap(overlapS))];
        registry.activate(generation, c.f, c.signers, _overlap(overlapS));
        if (at == 0 || vm.getBlockTimestamp() < at + DELAY) madeEarly = true;
    }

    function cancel(uint256 person, uint256 committee, uint256 overlapS, uint256 which) external by(person) {
        Committee memory c = _committee(committee);
        bytes32 action = registry.generationAction(registry.generation() + 1, c.f, c.signers, _overlap(overlapS));
        if (which % 3 == 1) action = registry.unpauseAction();
        if (which % 3 == 2) action = registry.guardianAction(_people[committee % 5]);
        registry.cancel(action);
    }

    function pause(uint256 person) external by(person) {
        registry.pause();
    }

    function proposeUnpause(uint256 person) external by(person) {
        registry.proposeUnpause(type(uint256).max);
        unpausableFrom = vm.getBlockTimestamp() + DELAY;
    }

    function unpause(uint256 person) external by(person) {
        registry.unpause();
    }

    function proposeGuardian(uint256 person, uint256 guardian) external by(person) {
        registry.proposeGuardian(_people[guardian % 5], type(uint256).max);
    }

    function changeGuardian(uint256 person, uint256 guardian) external by(person) {
        registry.changeGuardian(_people[guardian % 5]);
    }

    function transfer(uint256 person, uint256 to) external by(person) {
        registry.transferOwnership(_people[to % 5]);
    }

    function accept(uint256 person) external by(person) {
        registry.acceptOwnership();
    }

    function startAgain(uint256 person) external by(person) {
        registry.start(9, 1, _committee(0).signers);
    }

    function setWindow(uint256 person, uint256 back, uint40 from, uint40 until, bool paused) external by(person) {
        uint256 generation = registry.generation();
        address verifier = registry.verifierOf(uint32(generation - back % generation));
        IReportVerifier(verifier).setWindow(from, until, paused);
    }

    /// @dev Minutes to days: what waits becomes possible, and sometimes too late.
    function wait(uint256 seconds_) external {
        vm.warp(vm.getBlockTimestamp() + (seconds_ % 8 == 0 ? seconds_ % 10 days : seconds_ % 2 days));
    }

    /// @dev Few committees and overlaps, so that what was proposed is also found again.
    function _committee(uint256 seed) private pure returns (Committee memory) {
        return makeMembers(vm.toString(seed % 2), 4);
    }

    function _overlap(uint256 seed) private pure returns (uint256) {
        uint256[4] memory overlaps = [uint256(0), 1 hours, DELAY - 1, DELAY];
        return overlaps[seed % 4];
    }

    function _remember(uint256 generation) private {
        committeeHash[generation] = hashOf(generation);
    }

    /// @dev Everything that a generation's verifier says of itself but its window.
    function hashOf(uint256 generation) public view returns (bytes32) {
        IReportVerifier verifier = IReportVerifier(registry.verifierOf(uint32(generation)));
        (bytes32 lineage, uint32 number, uint8 f, address[] memory signers) = verifier.committee();
        return keccak256(
            abi.encode(lineage, number, f, signers, verifier.salt(), verifier.registry(), address(verifier).codehash)
        );
    }
}

/// @title Invariants of the registry
contract CommitteeRegistryInvariantTest is InvariantBase, Reports {
    RegistryActors private _actors;
    CommitteeRegistry private _registry;

    function setUp() external {
        _registry = makeCommittee("lineage", 4).registry;
        _actors = new RegistryActors(_registry);
        target(address(_actors));
    }

    /// @dev Invariants over calls that all fail would say nothing: chance alone makes everything happen.
    function test_ChanceMakesEverythingHappenThatMay() external {
        bytes4[10] memory actions = [
            RegistryActors.propose.selector,
            RegistryActors.activate.selector,
            RegistryActors.cancel.selector,
            RegistryActors.pause.selector,
            RegistryActors.proposeUnpause.selector,
            RegistryActors.unpause.selector,
            RegistryActors.proposeGuardian.selector,
            RegistryActors.changeGuardian.selector,
            RegistryActors.transfer.selector,
            RegistryActors.accept.selector
        ];
        for (uint256 i = 0; i < 2000; ++i) {
            bytes32 seed = keccak256(abi.encode(i));
            bytes32[4] memory arguments;
            for (uint256 j = 0; j < 4; ++j) {
                arguments[j] = keccak256(abi.encode(seed, j));
            }
            bytes4 action = i % 4 == 0 ? RegistryActors.wait.selector : actions[uint256(seed) % 10];
            (bool done,) = address(_actors).call(abi.encodePacked(action, arguments));
            // Most fail, as they should: the sums below tell.
            if (action == RegistryActors.wait.selector) assertTrue(done);
        }
        for (uint256 i = 0; i < 10; ++i) {
            assertGt(_actors.done(actions[i]), 2, vm.toString(bytes32(actions[i])));
        }
        assertGt(_registry.generation(), 5);
        this.invariant_AtMostTwoGenerationsAreAlive();
        this.invariant_CommitteesNeverChange();
        this.invariant_NoGenerationIsMadeBeforeItsDelay();
        this.invariant_PausedMeansStopped();
        this.invariant_NothingFallsBackOrHappensOutOfTurn();
    }

    /// @dev At most two generations may be believed at any time, and they are the last two.
    function invariant_AtMostTwoGenerationsAreAlive() external view {
        uint256 current = _registry.generation();
        for (uint256 generation = 1; generation <= current; ++generation) {
            (uint40 from, uint40 until,) = _verifier(generation).window();
            assertLe(from, vm.getBlockTimestamp(), "from");
            if (generation + 1 < current) assertLt(until, vm.getBlockTimestamp(), "a third is alive");
            if (generation == current) assertEq(until, type(uint40).max, "the current one ends");
        }
    }

    /// @dev A committee is what it was made to be, for ever.
    function invariant_CommitteesNeverChange() external view {
        for (uint256 generation = 1; generation <= _registry.generation(); ++generation) {
            assertEq(_actors.hashOf(generation), _actors.committeeHash(generation));
        }
    }

    /// @dev I81: nobody is believed sooner than the delay after it was proposed.
    function invariant_NoGenerationIsMadeBeforeItsDelay() external view {
        assertFalse(_actors.madeEarly());
    }

    /// @dev While the lineage is paused no verifier of a living generation believes anything, and otherwise none is stopped.
    function invariant_PausedMeansStopped() external view {
        uint256 current = _registry.generation();
        for (uint256 generation = 1; generation <= current; ++generation) {
            (, uint40 until, bool paused) = _verifier(generation).window();
            if (until >= vm.getBlockTimestamp()) assertEq(paused, _registry.paused());
        }
    }

    /// @dev Generations grow one by one, pauses end only after their delay, and each action is its role's alone.
    function invariant_NothingFallsBackOrHappensOutOfTurn() external view {
        assertFalse(_actors.fellBack(), "generation");
        assertFalse(_actors.wentOnEarly(), "pause");
        assertFalse(_actors.outOfRole(), "role");
        assertEq(_actors.done(RegistryActors.startAgain.selector), 0, "started twice");
        assertEq(_actors.done(RegistryActors.setWindow.selector), 0, "a window was set by a person");
    }

    function _verifier(uint256 generation) private view returns (IReportVerifier) {
        return IReportVerifier(_registry.verifierOf(uint32(generation)));
    }
}
