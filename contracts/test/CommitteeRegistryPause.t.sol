// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;
// Stopping at once, going on slowly, guardians, owners, and what the registry answers beside that.

import {CommitteeRegistry} from "../src/CommitteeRegistry.sol";
import {ICommitteeRegistry} from "../src/interfaces/ICommitteeRegistry.sol";
import {IReportVerifier} from "../src/interfaces/IReportVerifier.sol";
import {Verification} from "../src/lib/Verification.sol";
import {Committee, Reports} from "./base/Reports.sol";

/// @title Pauses and roles
contract CommitteeRegistryPauseTest is Reports {
    uint256 private constant GRACE = 7 days;

    Committee private _first;
    Committee private _next;
    CommitteeRegistry private _registry;
    address private _owner;
    address private _guardian;

    function setUp() external {
        _first = makeCommittee("first", 4);
        _registry = _first.registry;
        (_owner, _guardian) = (actor("owner"), actor("guardian"));
        _next = makeMembers("next", 4);
        _next.lineage = _first.lineage;
        _next.generation = 2;
        _next.registry = _registry;
    }

    function test_GuardianAndOwnerStopAtOnce() external {
        address[2] memory roles = [_guardian, _owner];
        for (uint256 i = 0; i < 2; ++i) {
            uint256 state = vm.snapshotState();
            assertAccepted(_first, reportOf(_first, numbers(1), 0));
            vm.expectEmit(address(_registry));
            emit ICommitteeRegistry.PausedBy(roles[i]);
            vm.prank(roles[i]);
            _registry.pause();
            assertTrue(_registry.paused());
            assertStopped(_first);
            // Nothing is left to stop.
            bytes32 action = _registry.unpauseAction();
            vm.expectRevert(abi.encodeWithSelector(ICommitteeRegistry.NotScheduled.selector, action));
            vm.prank(roles[i]);
            _registry.pause();
            vm.revertToState(state);
        }
    }

    function test_APauseStopsBothGenerationsOfAnOverlapAndItsEndLetsBothGoOn() external {
        rotate(DELAY - 1);
        vm.prank(_guardian);
        _registry.pause();
        assertStopped(_first);
        assertStopped(_next);
        // The delay of going on is longer than any overlap: the old generation is over by then.
        uint256 until = vm.getBlockTimestamp() + DELAY - 1;
        unpause();
        assertAccepted(_next, reportOf(_next, numbers(1), 0));
        bytes memory outside = abi.encodeWithSelector(IReportVerifier.OutsideWindow.selector, START, until);
        assertRefused(_first, reportOf(_first, numbers(1), 0), outside);
        (,, bool paused) = IReportVerifier(verifierOf(_first)).window();
        assertFalse(paused);
    }

    function test_APauseFindsNoGenerationBelowTheFirst() external {
        CommitteeRegistry registry = makeRegistry(_first.lineage, _owner);
        // Before there is any generation, and with one that is not number 1.
        uint256 state = vm.snapshotState();
        vm.prank(_guardian);
        registry.pause();
        assertTrue(registry.paused());
        // What is started while paused does not count before the pause ends.
        Committee memory c = makeMembers("first", 4);
        c.registry = registry;
        vm.prank(_owner);
        registry.start(1, 1, c.signers);
        assertStopped(c);
        vm.revertToState(state);
        c.generation = 7;
        vm.prank(_owner);
        registry.start(7, 1, c.signers);
        assertAccepted(c, reportOf(c, numbers(1), 0));
        vm.prank(_guardian);
        registry.pause();
        assertStopped(c);
    }

    function test_GoingOnTakesTheDelay() external {
        vm.prank(_guardian);
        _registry.pause();
        bytes32 action = _registry.unpauseAction();
        vm.expectRevert(abi.encodeWithSelector(ICommitteeRegistry.NotScheduled.selector, action));
        _registry.unpause();
        uint256 from = vm.getBlockTimestamp() + DELAY;
        vm.prank(_owner);
        _registry.proposeUnpause(type(uint256).max);
        vm.expectRevert(abi.encodeWithSelector(ICommitteeRegistry.AlreadyScheduled.selector, action));
        vm.prank(_owner);
        _registry.proposeUnpause(type(uint256).max);
        vm.warp(from - 1);
        vm.expectRevert(abi.encodeWithSelector(ICommitteeRegistry.TooEarly.selector, from));
        _registry.unpause();
        vm.warp(from + GRACE + 1);
        vm.expectRevert(abi.encodeWithSelector(ICommitteeRegistry.TooLate.selector, from + GRACE));
        _registry.unpause();
        assertStopped(_first);
        vm.warp(from + GRACE);
        vm.expectEmit(address(_registry));
        emit ICommitteeRegistry.Unpaused();
        vm.prank(actor("anybody"));
        _registry.unpause();
        assertFalse(_registry.paused());
        assertAccepted(_first, reportOf(_first, numbers(1), 0));
    }

    function test_WhoPausesAgainVetoesTheEndOfThePause() external {
        vm.prank(_guardian);
        _registry.pause();
        vm.prank(_owner);
        _registry.proposeUnpause(type(uint256).max);
        bytes32 action = _registry.unpauseAction();
        vm.warp(vm.getBlockTimestamp() + DELAY);
        vm.expectEmit(address(_registry));
        emit ICommitteeRegistry.Cancelled(action);
        vm.prank(_guardian);
        _registry.pause();
        vm.expectRevert(abi.encodeWithSelector(ICommitteeRegistry.NotScheduled.selector, action));
        _registry.unpause();
        assertStopped(_first);
    }

    function test_APauseDoesNotEndWhileAGenerationWaits() external {
        vm.prank(_guardian);
        _registry.pause();
        vm.startPrank(_owner);
        _registry.propose(2, 1, _next.signers, 0, type(uint256).max);
        _registry.proposeUnpause(type(uint256).max);
        vm.stopPrank();
        uint256 from = vm.getBlockTimestamp() + DELAY;
        for (uint256 i = 0; i < 2; ++i) {
            vm.warp(i == 0 ? from : from + GRACE);
            vm.expectRevert(ICommitteeRegistry.GenerationWaits.selector);
            _registry.unpause();
        }
        uint256 state = vm.snapshotState();
        _registry.activate(2, 1, _next.signers, 0);
        _registry.unpause();
        assertAccepted(_next, reportOf(_next, numbers(1), 0));
        vm.revertToState(state);
        // A proposal that was never activated in its time waits no longer.
        vm.warp(from + 1);
        bytes32 action = _registry.unpauseAction();
        vm.prank(_owner);
        _registry.cancel(action);
        vm.prank(_owner);
        _registry.proposeUnpause(type(uint256).max);
        vm.warp(from + GRACE + 1);
        _registry.unpause();
        assertAccepted(_first, reportOf(_first, numbers(1), 0));
    }

    function test_WhatEndedOnePauseEndsNoOther() external {
        vm.prank(_guardian);
        _registry.pause();
        unpause();
        vm.expectRevert(ICommitteeRegistry.NotPaused.selector);
        _registry.unpause();
        vm.expectRevert(ICommitteeRegistry.NotPaused.selector);
        vm.prank(_owner);
        _registry.proposeUnpause(type(uint256).max);
        vm.prank(_guardian);
        _registry.pause();
        bytes32 action = _registry.unpauseAction();
        vm.expectRevert(abi.encodeWithSelector(ICommitteeRegistry.NotScheduled.selector, action));
        _registry.unpause();
    }

    function test_KeysRotateWhilePausedAndCountOnlyAfterThePause() external {
        vm.prank(_guardian);
        _registry.pause();
        // Neither the old nor the new one meanwhile, though both would be alive.
        rotate(1 hours);
        assertStopped(_first);
        assertStopped(_next);
        unpause();
        assertAccepted(_next, reportOf(_next, numbers(1), 0));
        (bool accepted,) = ask(_first, reportOf(_first, numbers(1), 0));
        assertFalse(accepted);
    }

    function test_GuardiansChangeSlowly() external {
        address fresh = actor("fresh");
        vm.expectRevert(ICommitteeRegistry.ZeroAddress.selector);
        vm.prank(_owner);
        _registry.proposeGuardian(address(0), type(uint256).max);
        bytes32 action = _registry.guardianAction(fresh);
        vm.expectRevert(abi.encodeWithSelector(ICommitteeRegistry.NotScheduled.selector, action));
        _registry.changeGuardian(fresh);
        vm.expectEmit(address(_registry));
        emit ICommitteeRegistry.GuardianProposed(fresh);
        vm.prank(_owner);
        _registry.proposeGuardian(fresh, type(uint256).max);
        uint256 from = vm.getBlockTimestamp() + DELAY;
        vm.warp(from - 1);
        vm.expectRevert(abi.encodeWithSelector(ICommitteeRegistry.TooEarly.selector, from));
        _registry.changeGuardian(fresh);
        vm.warp(from);
        vm.expectEmit(address(_registry));
        emit ICommitteeRegistry.GuardianChanged(fresh);
        vm.prank(actor("anybody"));
        _registry.changeGuardian(fresh);
        assertEq(_registry.guardian(), fresh);
        vm.expectRevert(ICommitteeRegistry.OnlyGuardian.selector);
        vm.prank(_guardian);
        _registry.pause();
        vm.prank(fresh);
        _registry.pause();
    }

    function test_OwnersChangeInTwoStepsAndNeverToNobody() external {
        address fresh = actor("fresh");
        vm.prank(_owner);
        _registry.transferOwnership(fresh);
        vm.expectRevert(abi.encodeWithSignature("OwnableUnauthorizedAccount(address)", fresh));
        vm.prank(fresh);
        _registry.propose(2, 1, _next.signers, 0, type(uint256).max);
        vm.prank(fresh);
        _registry.acceptOwnership();
        assertEq(_registry.owner(), fresh);
        vm.expectRevert(ICommitteeRegistry.CannotRenounce.selector);
        vm.prank(fresh);
        _registry.renounceOwnership();
    }

    function test_ChecksReportsForWalletsAndExplorers() external {
        bytes memory report = reportOf(_first, numbers(2), 3);
        (, bytes memory answer) = ask(_first, report);
        assertEq(_registry.check(report), answer);
        vm.expectRevert(abi.encodeWithSelector(IReportVerifier.BadSignature.selector, 0));
        _registry.check(flip(report, 8 * report.length - 1000));
        vm.expectRevert(abi.encodeWithSelector(Verification.UnknownGeneration.selector, 2));
        _registry.check(reportOf(_next, numbers(1), 0));
    }

    function test_TellsNothingOfCreationsAtOtherTimes() external {
        vm.expectRevert(ICommitteeRegistry.NotCreating.selector);
        _registry.creating();
        // Not even in the transaction that created one.
        CommitteeRegistry registry = makeRegistry(_first.lineage, address(this));
        registry.start(1, 1, _first.signers);
        vm.expectRevert(ICommitteeRegistry.NotCreating.selector);
        registry.creating();
    }

    function test_AnswersNoOtherCall() external {
        bytes[4] memory calls = [bytes(""), hex"00", hex"deadbeef", hex"fc735e99"];
        for (uint256 i = 0; i < calls.length; ++i) {
            (bool done, bytes memory answer) = address(_registry).call(calls[i]);
            assertFalse(done);
            assertEq(answer, abi.encodeWithSelector(ICommitteeRegistry.UnknownFunction.selector));
        }
    }

    function assertStopped(Committee memory c) private view {
        assertRefused(c, reportOf(c, numbers(1), 0), abi.encodeWithSelector(IReportVerifier.Paused.selector));
    }

    function rotate(uint256 overlapS) private {
        vm.prank(_owner);
        _registry.propose(2, 1, _next.signers, overlapS, type(uint256).max);
        vm.warp(vm.getBlockTimestamp() + DELAY);
        _registry.activate(2, 1, _next.signers, overlapS);
    }

    function unpause() private {
        vm.prank(_owner);
        _registry.proposeUnpause(type(uint256).max);
        vm.warp(vm.getBlockTimestamp() + DELAY);
        _registry.unpause();
    }
}
