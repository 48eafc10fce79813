// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;
// Owners of a registry: OpenZeppelin's timelock as one, and the two steps in which one takes over from another.

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {TimelockController} from "@openzeppelin/contracts/governance/TimelockController.sol";
import {CommitteeRegistry} from "../src/CommitteeRegistry.sol";
import {ICommitteeRegistry} from "../src/interfaces/ICommitteeRegistry.sol";
import {Committee, Reports} from "./base/Reports.sol";

/// @title Tests of who owns a registry
contract CommitteeRegistryOwnersTest is Reports {
    uint256 private constant WAIT = 3 days;

    Committee private _first;
    Committee private _next;
    CommitteeRegistry private _registry;
    TimelockController private _timelock;
    address private _owner;
    address private _proposer;

    function setUp() external {
        _first = makeCommittee("owners", 4);
        _registry = _first.registry;
        (_owner, _proposer) = (actor("owner"), actor("proposer"));
        _next = makeMembers("owners' next", 7);
        (_next.registry, _next.lineage, _next.generation) = (_registry, _first.lineage, 2);
        address[] memory proposers = new address[](1);
        address[] memory anybody = new address[](1);
        proposers[0] = _proposer;
        _timelock = new TimelockController(WAIT, proposers, anybody, address(0));
    }

    // A timelock

    /// Through it a generation takes the timelock's wait, then the registry's delay, and nobody can shorten either.
    function test_aTimelockProposesAGenerationThatAnybodyActivates() external {
        handOverToTimelock();
        uint256 t = vm.getBlockTimestamp();
        bytes memory proposal = proposalOf(_next, t + 30 days);
        vm.prank(_proposer);
        _timelock.schedule(address(_registry), 0, proposal, 0, 0, WAIT);
        vm.warp(t + WAIT - 1);
        vm.expectPartialRevert(TimelockController.TimelockUnexpectedOperationState.selector);
        _timelock.execute(address(_registry), 0, proposal, 0, 0);
        vm.warp(t + WAIT);
        vm.prank(actor("anybody"));
        _timelock.execute(address(_registry), 0, proposal, 0, 0);

        bytes32 action = _registry.generationAction(2, _next.f, _next.signers, 1 hours);
        assertEq(_registry.scheduledFrom(action), t + WAIT + DELAY);
        vm.warp(t + WAIT + DELAY - 1);
        vm.expectRevert(abi.encodeWithSelector(ICommitteeRegistry.TooEarly.selector, t + WAIT + DELAY));
        _registry.activate(2, _next.f, _next.signers, 1 hours);
        vm.warp(t + WAIT + DELAY);
        vm.prank(actor("anybody"));
        _registry.activate(2, _next.f, _next.signers, 1 hours);
        assertEq(_registry.generation(), 2);
        assertAccepted(_next, reportOf(_next, numbers(2), 1));
        assertAccepted(_first, reportOf(_first, numbers(2), 1));
    }

    /// I81: what waited in the timelock until after its deadline does nothing, though the timelock still would.
    function test_I81_whatATimelockCarriesOutTooLateIsRefused() external {
        handOverToTimelock();
        uint256 t = vm.getBlockTimestamp();
        bytes memory proposal = proposalOf(_next, t + WAIT + 1);
        vm.prank(_proposer);
        _timelock.schedule(address(_registry), 0, proposal, 0, 0, WAIT);
        vm.warp(t + WAIT + 2);
        vm.expectRevert(abi.encodeWithSelector(ICommitteeRegistry.DeadlinePassed.selector, t + WAIT + 1));
        _timelock.execute(address(_registry), 0, proposal, 0, 0);
        vm.warp(t + WAIT + 1);
        _timelock.execute(address(_registry), 0, proposal, 0, 0);
    }

    /// The guardian stops at once, whoever owns the registry; who proposes to the timelock cannot act around it.
    function test_aTimelockIsTheOnlyOwnerAndTheGuardianNeedsIt() external {
        handOverToTimelock();
        address[4] memory others = [_owner, _proposer, actor("guardian"), actor("anybody")];
        for (uint256 i = 0; i < others.length; ++i) {
            requireNoOwner(others[i]);
        }
        vm.prank(actor("guardian"));
        _registry.pause();
        uint256 t = vm.getBlockTimestamp();
        bytes memory end = abi.encodeCall(ICommitteeRegistry.proposeUnpause, (t + 30 days));
        vm.prank(_proposer);
        _timelock.schedule(address(_registry), 0, end, 0, 0, WAIT);
        vm.warp(t + WAIT);
        _timelock.execute(address(_registry), 0, end, 0, 0);
        vm.warp(t + WAIT + DELAY);
        _registry.unpause();
        assertAccepted(_first, reportOf(_first, numbers(1), 0));
    }

    function test_onlyTheOwnerMakesTheFirstGeneration() external {
        Committee memory c = makeMembers("unstarted", 4);
        CommitteeRegistry registry = makeRegistry(c.lineage, _owner);
        address[3] memory others = [actor("guardian"), c.signers[0], actor("anybody")];
        for (uint256 i = 0; i < others.length; ++i) {
            vm.prank(others[i]);
            vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, others[i]));
            registry.start(1, c.f, c.signers);
        }
        vm.prank(_owner);
        registry.start(1, c.f, c.signers);
    }

    // Two steps

    function test_ownershipIsHandedOverInTwoSteps() external {
        address heir = actor("heir");
        vm.prank(_owner);
        _registry.transferOwnership(heir);
        // Until the heir accepts, nothing has changed.
        assertEq(_registry.owner(), _owner);
        assertEq(_registry.pendingOwner(), heir);
        requireNoOwner(heir);
        address[3] memory others = [_owner, actor("guardian"), actor("anybody")];
        for (uint256 i = 0; i < others.length; ++i) {
            vm.prank(others[i]);
            vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, others[i]));
            _registry.acceptOwnership();
        }
        vm.prank(heir);
        _registry.acceptOwnership();
        assertEq(_registry.owner(), heir);
        assertEq(_registry.pendingOwner(), address(0));
        requireNoOwner(_owner);
        vm.prank(heir);
        _registry.propose(2, _next.f, _next.signers, 0, type(uint256).max);
    }

    /// Who was named by mistake can be replaced until they accept, and then never could.
    function test_aHeirNamedByMistakeIsReplaced() external {
        vm.startPrank(_owner);
        _registry.transferOwnership(actor("mistake"));
        _registry.transferOwnership(actor("heir"));
        vm.stopPrank();
        vm.prank(actor("mistake"));
        vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, actor("mistake")));
        _registry.acceptOwnership();
        vm.prank(actor("heir"));
        _registry.acceptOwnership();
        assertEq(_registry.owner(), actor("heir"));
    }

    /// A proposal is the registry's, not its owner's: it waits on, and the next owner can take it back.
    function test_aProposalOutlivesItsOwner() external {
        vm.startPrank(_owner);
        _registry.propose(2, _next.f, _next.signers, 1 hours, type(uint256).max);
        _registry.transferOwnership(actor("heir"));
        vm.stopPrank();
        bytes32 action = _registry.generationAction(2, _next.f, _next.signers, 1 hours);
        vm.startPrank(actor("heir"));
        _registry.acceptOwnership();
        assertGt(_registry.scheduledFrom(action), 0);
        _registry.cancel(action);
        vm.stopPrank();
        assertEq(_registry.scheduledFrom(action), 0);
    }

    // Help

    function proposalOf(Committee memory c, uint256 deadline) private pure returns (bytes memory) {
        return abi.encodeCall(ICommitteeRegistry.propose, (c.generation, c.f, c.signers, 1 hours, deadline));
    }

    /// @dev A timelock accepts as it does everything: scheduled, then carried out.
    function handOverToTimelock() private {
        vm.prank(_owner);
        _registry.transferOwnership(address(_timelock));
        bytes memory accept = abi.encodeWithSignature("acceptOwnership()");
        vm.prank(_proposer);
        _timelock.schedule(address(_registry), 0, accept, 0, 0, WAIT);
        vm.warp(vm.getBlockTimestamp() + WAIT);
        _timelock.execute(address(_registry), 0, accept, 0, 0);
        assertEq(_registry.owner(), address(_timelock));
    }

    /// @dev Everything that is the owner's alone, asked for by somebody else.
    function requireNoOwner(address account) private {
        bytes memory refused = abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, account);
        bytes[5] memory calls = [
            proposalOf(_next, type(uint256).max),
            abi.encodeCall(ICommitteeRegistry.cancel, (bytes32(uint256(1)))),
            abi.encodeCall(ICommitteeRegistry.proposeUnpause, (type(uint256).max)),
            abi.encodeCall(ICommitteeRegistry.proposeGuardian, (account, type(uint256).max)),
            abi.encodeCall(Ownable.transferOwnership, (account))
        ];
        for (uint256 i = 0; i < calls.length; ++i) {
            vm.prank(account);
            (bool done, bytes memory answer) = address(_registry).call(calls[i]);
            assertFalse(done, "carried out");
            assertEq(answer, refused);
        }
    }
}
