// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;
// Generations: how the first is made, how the next follow, what is refused, and every time at its exact second.

import {CommitteeRegistry} from "../src/CommitteeRegistry.sol";
import {ICommitteeRegistry} from "../src/interfaces/ICommitteeRegistry.sol";
import {IReportVerifier} from "../src/interfaces/IReportVerifier.sol";
import {Committee, Head, Reports} from "./base/Reports.sol";

/// @title The first generation and its followers
contract CommitteeRegistryTest is Reports {
    uint256 private constant GRACE = 7 days;
    uint256 private constant OVERLAP = 1 hours;

    Committee private _first;
    Committee private _next;
    CommitteeRegistry private _registry;
    address private _owner;

    function setUp() external {
        _first = makeCommittee("first", 4);
        _registry = _first.registry;
        _owner = actor("owner");
        _next = makeMembers("next", 7);
        _next.lineage = _first.lineage;
        _next.generation = 2;
        _next.registry = _registry;
    }

    // Construction and start

    function test_ConstructionRefusesWhatCannotBeMeant() external {
        address guardian = actor("guardian");
        deploy(_owner, guardian, 1 days, "");
        deploy(_owner, guardian, 30 days, "");
        deploy(_owner, guardian, 1 days - 1, error(ICommitteeRegistry.InvalidDelay.selector));
        deploy(_owner, guardian, 30 days + 1, error(ICommitteeRegistry.InvalidDelay.selector));
        deploy(_owner, address(0), 1 days, error(ICommitteeRegistry.ZeroAddress.selector));
        deploy(address(0), guardian, 1 days, abi.encodeWithSignature("OwnableInvalidOwner(address)", address(0)));
    }

    function test_StartMakesTheVerifierAtItsAddress() external {
        Committee memory c = makeMembers("other", 4);
        CommitteeRegistry registry = makeRegistry(c.lineage, _owner);
        assertEq(registry.lineage(), c.lineage);
        assertEq(registry.delayS(), DELAY);
        assertEq(registry.guardian(), actor("guardian"));
        assertEq(registry.owner(), _owner);
        address expected = registry.verifierOf(9);
        vm.expectEmit(address(registry));
        c.generation = 9;
        emit ICommitteeRegistry.GenerationActivated(9, expected, saltOf(c));
        vm.prank(_owner);
        assertEq(registry.start(9, 1, c.signers), expected);
        assertEq(registry.generation(), 9);
        assertWindow(expected, vm.getBlockTimestamp(), type(uint40).max, false);
        assertEq(expected.codehash == bytes32(0), false);
    }

    function test_StartsOnceAndNotWithGenerationZero() external {
        vm.startPrank(_owner);
        vm.expectRevert(ICommitteeRegistry.AlreadyStarted.selector);
        _registry.start(2, 1, _first.signers);
        CommitteeRegistry registry = makeRegistry(_first.lineage, _owner);
        for (uint256 i = 0; i < 2; ++i) {
            vm.expectRevert(ICommitteeRegistry.InvalidFirstGeneration.selector);
            // Beyond 16 bits there might be no room for rotations.
            registry.start(i == 0 ? 0 : 2 ** 16, 1, _first.signers);
        }
        vm.expectRevert(ICommitteeRegistry.NotStarted.selector);
        registry.propose(1, 1, _first.signers, 0, type(uint256).max);
    }

    function test_RefusesSignersThatAreNoCommittee() external {
        refuseCommittee(0, makeMembers("a", 4).signers);
        refuseCommittee(0, makeMembers("a", 1).signers);
        refuseCommittee(2, makeMembers("a", 6).signers);
        refuseCommittee(1, new address[](0));
        refuseCommittee(1, makeMembers("a", 3).signers);
        refuseCommittee(10, makeMembers("a", 32).signers);
        refuseCommittee(85, makeMembers("a", 4).signers);
        refuseCommittee(255, makeMembers("a", 31).signers);
        address[] memory signers = makeMembers("a", 4).signers;
        signers[3] = signers[0];
        refuseCommittee(1, signers);
        signers[3] = signers[2];
        refuseCommittee(1, signers);
        signers[3] = address(0);
        refuseCommittee(1, signers);
    }

    // Proposals

    function test_ProposalsSayWhatTheyAre() external {
        bytes32 action = actionOf(OVERLAP);
        uint256 from = vm.getBlockTimestamp() + DELAY;
        vm.expectEmit(address(_registry));
        emit ICommitteeRegistry.Scheduled(action, from, from + GRACE);
        vm.expectEmit(address(_registry));
        emit ICommitteeRegistry.GenerationProposed(2, saltOf(_next), _next.f, _next.signers, OVERLAP);
        propose(OVERLAP);
        assertEq(_registry.scheduledFrom(action), from);
    }

    function test_RefusesProposalsOutOfTurn() external {
        vm.startPrank(_owner);
        for (uint32 generation = 0; generation < 4; ++generation) {
            if (generation == 2) continue;
            vm.expectRevert(abi.encodeWithSelector(ICommitteeRegistry.NotNextGeneration.selector, 2));
            _registry.propose(generation, 2, _next.signers, 0, type(uint256).max);
        }
    }

    function test_I81_AdminSignaturesExpire() external {
        uint256 t = vm.getBlockTimestamp();
        vm.startPrank(_owner);
        bytes memory passed = abi.encodeWithSelector(ICommitteeRegistry.DeadlinePassed.selector, t - 1);
        vm.expectRevert(passed);
        _registry.propose(2, 2, _next.signers, 0, t - 1);
        vm.expectRevert(passed);
        _registry.proposeGuardian(actor("new guardian"), t - 1);
        _registry.pause();
        vm.expectRevert(passed);
        _registry.proposeUnpause(t - 1);
        // The deadline's own second still counts.
        _registry.propose(2, 2, _next.signers, 0, t);
        _registry.proposeGuardian(actor("new guardian"), t);
        _registry.proposeUnpause(t);
    }

    function test_I81_NoGenerationIsBelievedWithinItsFirstDay() external {
        deploy(_owner, actor("guardian"), 1 days - 1, error(ICommitteeRegistry.InvalidDelay.selector));
        propose(0);
        uint256 from = vm.getBlockTimestamp() + DELAY;
        assertGe(DELAY, 1 days);
        vm.warp(from - 1);
        activateFails(0, abi.encodeWithSelector(ICommitteeRegistry.TooEarly.selector, from));
        (bool accepted, bytes memory answer) = ask(_next, reportOf(_next, numbers(1), 0));
        assertEq(answer.length, 0, "there is no code yet");
        assertTrue(accepted);
        vm.warp(from);
        activate(0);
        assertAccepted(_next, reportOf(_next, numbers(1), 0));
    }

    function test_ProposalsAreForgottenAfterTheirGrace() external {
        propose(0);
        uint256 end = vm.getBlockTimestamp() + DELAY + GRACE;
        vm.warp(end + 1);
        activateFails(0, abi.encodeWithSelector(ICommitteeRegistry.TooLate.selector, end));
        vm.warp(end);
        activate(0);
        assertEq(_registry.generation(), 2);
    }

    function test_AForgottenProposalMayBeMadeAnewAndAWaitingOneMayNot() external {
        propose(0);
        uint256 end = vm.getBlockTimestamp() + DELAY + GRACE;
        bytes32 action = actionOf(0);
        vm.warp(end);
        vm.expectRevert(abi.encodeWithSelector(ICommitteeRegistry.AlreadyScheduled.selector, action));
        propose(0);
        vm.warp(end + 1);
        propose(0);
        assertEq(_registry.scheduledFrom(action), end + 1 + DELAY);
        activateFails(0, abi.encodeWithSelector(ICommitteeRegistry.TooEarly.selector, end + 1 + DELAY));
    }

    function test_OverlapsAreShorterThanTheDelay() external {
        vm.startPrank(_owner);
        vm.expectRevert(ICommitteeRegistry.InvalidOverlap.selector);
        _registry.propose(2, 2, _next.signers, DELAY, type(uint256).max);
        vm.expectRevert(ICommitteeRegistry.InvalidOverlap.selector);
        _registry.propose(2, 2, _next.signers, type(uint256).max, type(uint256).max);
        _registry.propose(2, 2, _next.signers, DELAY - 1, type(uint256).max);
    }

    function test_NeverAreThreeGenerationsAlive() external {
        propose(DELAY - 1);
        vm.warp(vm.getBlockTimestamp() + DELAY);
        activate(DELAY - 1);
        Committee memory third = makeMembers("third", 4);
        vm.prank(_owner);
        _registry.propose(3, 1, third.signers, 0, type(uint256).max);
        vm.warp(vm.getBlockTimestamp() + DELAY);
        _registry.activate(3, 1, third.signers, 0);
        (bool accepted,) = ask(_first, reportOf(_first, numbers(1), 0));
        assertFalse(accepted);
    }

    // Activation

    function test_ActivatesExactlyWhatWasProposed() external {
        propose(OVERLAP);
        vm.warp(vm.getBlockTimestamp() + DELAY);
        bytes4 selector = ICommitteeRegistry.NotScheduled.selector;
        activateFails(0, abi.encodeWithSelector(selector, actionOf(0)));
        address[] memory others = makeMembers("next", 7).signers;
        (others[0], others[1]) = (others[1], others[0]);
        bytes32 other = _registry.generationAction(2, 2, others, OVERLAP);
        vm.expectRevert(abi.encodeWithSelector(selector, other));
        _registry.activate(2, 2, others, OVERLAP);
        other = _registry.generationAction(2, 1, _next.signers, OVERLAP);
        vm.expectRevert(abi.encodeWithSelector(selector, other));
        _registry.activate(2, 1, _next.signers, OVERLAP);
        address verifier = _registry.verifierOf(2);
        vm.expectEmit(address(_registry));
        emit ICommitteeRegistry.GenerationActivated(2, verifier, saltOf(_next));
        activate(OVERLAP);
        assertEq(_registry.scheduledFrom(actionOf(OVERLAP)), 0);
        activateFails(OVERLAP, abi.encodeWithSelector(selector, actionOf(OVERLAP)));
    }

    function test_B19_OldAndNextSetsCountInTheirTimesOnly() external {
        propose(OVERLAP);
        uint256 from = vm.getBlockTimestamp() + DELAY;
        vm.warp(from);
        activate(OVERLAP);
        assertWindow(verifierOf(_first), START, from + OVERLAP, false);
        assertWindow(verifierOf(_next), from, type(uint40).max, false);
        assertAccepted(_first, reportOf(_first, numbers(1), 0));
        assertAccepted(_next, reportOf(_next, numbers(1), 0));
        // The next set's signatures of before its time are worth nothing after.
        Head memory head = headOf(_next, SEALS);
        head.attestedAtMs = uint48(from * 1000 - 1);
        bytes memory outside = abi.encodeWithSelector(IReportVerifier.OutsideWindow.selector, from, type(uint40).max);
        assertRefused(_next, reportOf(_next, head, numbers(1), 0), outside);
        // Nor do the sets sign for each other.
        Committee memory mixed = _first;
        mixed.generation = 2;
        (bool accepted,) = ask(_next, reportOf(mixed, numbers(1), 0));
        assertFalse(accepted);
        mixed.generation = 1;
        vm.warp(from + OVERLAP);
        assertAccepted(_first, reportOf(_first, numbers(1), 0));
        bytes memory last = reportOf(_first, numbers(1), 0);
        vm.warp(from + OVERLAP + 1);
        outside = abi.encodeWithSelector(IReportVerifier.OutsideWindow.selector, START, from + OVERLAP);
        assertRefused(_first, last, outside);
        assertRefused(_first, reportOf(_first, numbers(1), 0), outside);
    }

    function test_StolenKeysAreOutInTheSecondAfterARotationWithoutOverlap() external {
        propose(0);
        vm.warp(vm.getBlockTimestamp() + DELAY);
        activate(0);
        bytes memory stolen = reportOf(_first, numbers(1), 0);
        vm.warp(vm.getBlockTimestamp() + 1);
        (bool accepted,) = ask(_first, stolen);
        assertFalse(accepted);
    }

    function test_AnotherProposalTakesThePlaceOfTheOneBefore() external {
        propose(OVERLAP);
        bytes32 before = actionOf(OVERLAP);
        // The keys of the first generation leaked meanwhile: no overlap any more.
        vm.expectEmit(address(_registry));
        emit ICommitteeRegistry.Cancelled(before);
        propose(0);
        vm.warp(vm.getBlockTimestamp() + DELAY);
        activateFails(OVERLAP, abi.encodeWithSelector(ICommitteeRegistry.NotScheduled.selector, before));
        activate(0);
    }

    function test_AGuardianThatIsNoLongerMeantCannotComeBack() external {
        (address x, address y) = (actor("x"), actor("y"));
        vm.startPrank(_owner);
        _registry.proposeGuardian(x, type(uint256).max);
        _registry.proposeGuardian(y, type(uint256).max);
        vm.stopPrank();
        vm.warp(vm.getBlockTimestamp() + DELAY);
        bytes memory gone =
            abi.encodeWithSelector(ICommitteeRegistry.NotScheduled.selector, _registry.guardianAction(x));
        vm.expectRevert(gone);
        _registry.changeGuardian(x);
        _registry.changeGuardian(y);
        vm.expectRevert(gone);
        _registry.changeGuardian(x);
        assertEq(_registry.guardian(), y);
    }

    function test_WhatIsCancelledIsNeverActivated() external {
        propose(0);
        bytes32 action = actionOf(0);
        vm.expectEmit(address(_registry));
        emit ICommitteeRegistry.Cancelled(action);
        vm.prank(_owner);
        _registry.cancel(action);
        vm.warp(vm.getBlockTimestamp() + DELAY);
        activateFails(0, abi.encodeWithSelector(ICommitteeRegistry.NotScheduled.selector, action));
        vm.expectRevert(abi.encodeWithSelector(ICommitteeRegistry.NotScheduled.selector, action));
        vm.prank(_owner);
        _registry.cancel(action);
    }

    function propose(uint256 overlapS) private {
        vm.prank(_owner);
        _registry.propose(2, _next.f, _next.signers, overlapS, type(uint256).max);
    }

    /// @dev Anybody may.
    function activate(uint256 overlapS) private {
        vm.prank(actor("anybody"));
        _registry.activate(2, _next.f, _next.signers, overlapS);
    }

    function activateFails(uint256 overlapS, bytes memory why) private {
        vm.expectRevert(why);
        _registry.activate(2, _next.f, _next.signers, overlapS);
    }

    function actionOf(uint256 overlapS) private view returns (bytes32) {
        return _registry.generationAction(2, _next.f, _next.signers, overlapS);
    }

    function refuseCommittee(uint8 f, address[] memory signers) private {
        CommitteeRegistry registry = makeRegistry(_first.lineage, address(this));
        vm.expectRevert(ICommitteeRegistry.InvalidCommittee.selector);
        registry.start(1, f, signers);
        vm.expectRevert(ICommitteeRegistry.InvalidCommittee.selector);
        vm.prank(_owner);
        _registry.propose(2, f, signers, 0, type(uint256).max);
    }

    function deploy(address owner, address guardian, uint256 delayS, bytes memory why) private {
        bytes memory arguments = abi.encode(_first.lineage, owner, guardian, delayS);
        bytes memory code = bytes.concat(vm.getCode("CommitteeRegistry.sol:CommitteeRegistry"), arguments);
        address made;
        bytes memory answer;
        assembly ("memory-safe") {
            made := create(0, add(code, 32), mload(code))
            answer := mload(0x40)
            mstore(answer, returndatasize())
            returndatacopy(add(answer, 32), 0, returndatasize())
            mstore(0x40, add(answer, add(64, returndatasize())))
        }
        assertEq(answer, why);
        assertEq(made == address(0), why.length > 0);
    }

    function error(bytes4 selector) private pure returns (bytes memory) {
        return abi.encodeWithSelector(selector);
    }

    function assertWindow(address verifier, uint256 from, uint256 until, bool paused) private view {
        (uint40 a, uint40 b, bool c) = IReportVerifier(verifier).window();
        assertEq(abi.encode(a, b, c), abi.encode(from, until, paused));
    }
}
