// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;
// Who the examples deal with in their tests: tokens, and contracts that call back in or take no ETH.

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @dev A dollar of six decimals that anybody mints.
contract Dollar is ERC20("Dollar", "USD") {
    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    function decimals() public pure override returns (uint8) {
        return 6;
    }
}

/// @dev A dollar that hands control to whoever is sent some, as tokens with hooks do.
contract HookedDollar is Dollar {
    function _update(address from, address to, uint256 value) internal override {
        super._update(from, to, value);
        if (from != address(0) && to.code.length != 0) {
            (bool done,) = to.call(abi.encodeWithSignature("tokensReceived()"));
            done;
        }
    }
}

/// @dev Calls back into its target as soon as it is sent ETH or tokens.
contract Reentrant {
    address private _target;
    bytes private _input;
    uint256 public succeeded;
    bytes public why;

    function run(address target, bytes calldata first, bytes calldata again) external payable {
        (_target, _input) = (target, again);
        (bool done, bytes memory answer) = target.call{value: msg.value}(first);
        if (!done) {
            assembly ("memory-safe") {
                revert(add(answer, 32), mload(answer))
            }
        }
    }

    function tokensReceived() external {
        _again();
    }

    receive() external payable {
        _again();
    }

    function _again() private {
        (bool done, bytes memory answer) = _target.call(_input);
        if (done) ++succeeded;
        else why = answer;
    }
}

/// @dev Takes no ETH.
contract Refuser {
    function run(address to, uint256 value, bytes calldata input)
        external
        payable
        returns (bool done, bytes memory answer)
    {
        (done, answer) = to.call{value: value}(input);
    }
}
