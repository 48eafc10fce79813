// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;
// Too little gas for a callback, in a file without hostile contracts: those need the optimiser, and coverage does without.

import {IRequestHub} from "../src/interfaces/IRequestHub.sol";
import {HubBase} from "./base/HubBase.sol";

contract RequestHubGasTest is HubBase {
    function test_whoExpiresWithTooLittleGasIsToldSo() external {
        bytes32 id = asker.ask(MEANING, DEADLINE, 500_000);
        vm.warp(DEADLINE + 1);
        vm.expectPartialRevert(IRequestHub.InsufficientGas.selector);
        hub.expire{gas: 400_000}(id);
        assertEq(hub.requestOf(id).requester, address(asker));
    }
}
