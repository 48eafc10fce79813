// Guards of requests, templates and structured values, each as the change that removes it and what it would let through.

import { of } from './of.mjs'

const tests = 'RequestHub*'

/** Mutants of RequestHub, FeedTemplate and Structured. */
export const hubMutants = [
  ...of('contracts/src/RequestHub.sol', tests, [
    ['meaning.length == 0 || ', '', 'requests for nothing'],
    [' || meaning.length > MEANING_BYTES_MAX', '', 'meanings that every oracle has to read to their end (I08)'],
    ['deadlineS <= block.timestamp || ', '', 'requests that are over when they are made'],
    ['deadlineS <= block.timestamp || ', 'deadlineS < block.timestamp || ', 'the same, in their own second'],
    [' || deadlineS > block.timestamp + OPEN_S_MAX', '', 'deadlines that are cut to 24 bits'],
    ['callbackGas == 0 || ', '', 'requests that cannot be answered'],
    [' || callbackGas > CALLBACK_GAS_MAX', '', 'callbacks of any price (I08)'],
    ['if (msg.sender.code.length == 0) revert NoContract(msg.sender);', '', 'callbacks to nobody'],
    ['if (asked.requester == address(0)) revert UnknownRequest(id);', '', 'answers to nothing, and second answers'],
    ['if (_known(id).requester != msg.sender) revert OnlyRequester();', '_known(id);', 'anybody cancels'],
    ['delete _requests[id];\n        emit', 'emit', 'answers to what was cancelled'],
    ['if (block.timestamp > _deadlineOf(asked)) revert', 'if (false) revert', 'answers after the deadline'],
    ['(block.timestamp > _deadlineOf(asked))', '(block.timestamp >= _deadlineOf(asked))', 'a second less than told'],
    ['if (attestedAtMs <= knownUntilMs) revert', 'if (false) revert', 'reports of before the request'],
    ['attestedAtMs <= knownUntilMs', 'attestedAtMs < knownUntilMs', 'a report that could be known'],
    [' * 1000 + AHEAD_MS', ' * 1000', 'a report that the requester holds while it asks'],
    ['AHEAD_MS = 30_000', 'AHEAD_MS = 29_999', 'the same, of the last ms'],
    ['if (status != 0) {', 'if (false) {', 'refusals that are none'],
    ['if (attestedAtMs + 1000 * meta.validForS() < block', 'if (0 > block', 'refusals of long ago'],
    ['meta.validForS() < block', 'meta.validForS() <= block', 'no refusal in the last ms of its validity'],
    ['if (block.timestamp <= deadlineS) revert StillOpen(deadlineS);', '', 'requests that expire at once'],
    ['(block.timestamp <= deadlineS)', '(block.timestamp < deadlineS)', 'requests that expire in their last second'],
    ['Values.structured(feedId, word, meta, encoded, type(uint256).max);', '', 'bytes that nobody signed'],
    ['if (encoded.length != 0) revert Values.WrongBytes(feedId);', '', 'bytes beside a number, which nobody signed'],
    ['return Values.number(feedId, word, meta, type(uint256).max);', 'return int256(uint256(word));', 'any number'],
    ['delete _requests[id];\n        (address', '(address', 'a second answer, from within the first'],
    ['if (gasleft() < needed) revert InsufficientGas(gasleft(), needed);', '', 'callbacks that are starved'],
    ['CALL_GAS + callbackGas * 64 / 63 + 1', 'CALL_GAS + callbackGas', 'the same, by a 63rd'],
    ['CALL_GAS + callbackGas * 64 / 63 + 1', 'callbackGas * 64 / 63 + 1', 'the same, by the price of the call'],
    ['CALL_GAS = 6_000', 'CALL_GAS = 2_700', 'the same, where the requester delegates its code'],
    ['call(callbackGas, requester', 'call(gas(), requester', 'callbacks that take all gas there is (I08)'],
    [
      'mload(input), 0, 0)\n',
      'mload(input), 0, 0)\n            returndatacopy(mload(0x40), 0, returndatasize())\n',
      'callbacks that return at the caller’s cost',
    ],
    ['++_count', '_count', 'one id for all requests'],
    ['block.chainid, address(this)', 'address(this)', 'ids that another chain has too'],
    ['block.chainid, address(this)', 'block.chainid', 'ids that another hub has too'],
    ['revert UnknownFunction();', '', 'calls of no function succeed'],
  ]),
  ...of('contracts/src/lib/FeedTemplate.sol', tests, [
    ['n > PARAMS_MAX || ', '', 'params without end'],
    ['|| pieces.length != n + 1', '|| pieces.length < n + 1', 'pieces that are left out'],
    ['pieces.length != n + 1', 'pieces.length > n + 1', 'a panic instead of an error'],
    ['if (!_allowed(param)) revert InvalidParam(i);', '', 'params that write JSON of their own'],
    ['param.length == 0 || ', '', 'params that are empty'],
    [' || param.length > PARAM_BYTES_MAX', '', 'params of any length'],
    ['(1 << 45) | (1 << 46)', '(1 << 45) | (1 << 46) | (1 << 34)', 'quotes'],
    ['(1 << 45) | (1 << 46)', '(1 << 45) | (1 << 46) | (1 << 92)', 'backslashes'],
  ]),
  ...of('contracts/src/lib/Structured.sol', 'Structured', [
    ['if (encoded.length != 32 * leaves) revert', 'if (false) revert', 'values of another schema'],
    ['encoded.length != 32 * leaves)', 'encoded.length < 32 * leaves)', 'leaves that nobody reads'],
    ['if (word != int64(word)) revert NotInt64(leaf);', '', 'numbers without their upper bits'],
    ['precipitation: _int64(encoded, 1)', 'precipitation: _int64(encoded, 2)', 'the wind as rain'],
    ['shl(5, leaf)', 'shl(5, 0)', 'the first leaf for all'],
  ]),
]
