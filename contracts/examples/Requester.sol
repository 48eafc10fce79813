// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IAssayRequester} from "../src/interfaces/IAssayRequester.sol";
import {IRequestHub} from "../src/interfaces/IRequestHub.sol";
import {Meta} from "../src/lib/Meta.sol";

/// @title Example of a contract that needs one value once: a bet on any pair's price, settled by the hub's answer.
/// @notice From SETTLE_AT on anybody may ask. Whoever bet `above` gets the stake when the first answer that was seen from
/// then on is at least STRIKE, else whoever bet `below`. What was refused, expired or was seen too early may be asked
/// again; a stake that nobody could settle within 30 days is halved. No owner.
/// @dev Storage layout: slot 0 requestId, slot 1 settled, slot 2 owed, slots 3 and 4 the template's pieces and params.
contract Requester is IAssayRequester {
    /// Only the hub calls back.
    error OnlyHub();
    /// This is not the request that was asked.
    error NotAsked(bytes32 id);
    /// The price was seen before the bet was to be settled.
    error SeenTooEarly(uint256 observedAtMs);
    /// It is too early: possible from this time on.
    error TooEarly(uint256 from);
    /// The request is still open.
    error AskedAlready(bytes32 id);
    /// The bet is settled already.
    error Settled();
    /// Nothing is owed to this account.
    error NothingOwed(address to);
    /// ETH could not be sent.
    error PaymentFailed(address to);

    event Asked(bytes32 indexed id);
    event Won(address indexed winner, int256 price, uint256 observedAtMs);
    event GivenUp();
    event NoAnswer(bytes32 indexed id, uint256 status);

    uint64 private constant OPEN_S = 10 minutes;
    uint32 private constant CALLBACK_GAS = 100_000;
    uint256 private constant GIVE_UP_S = 30 days;

    IRequestHub public immutable HUB;
    address public immutable ABOVE;
    address public immutable BELOW;
    int256 public immutable STRIKE;
    uint256 public immutable SETTLE_AT;
    uint256 public immutable STAKE;

    bytes32 public requestId;
    bool public settled;
    mapping(address account => uint256 amount) public owed;
    string[] private _pieces;
    string[] private _params;

    /// `pieces` are the text of a feed's meaning around the pair, `params` the pair: see IRequestHub.requestFrom.
    constructor(
        IRequestHub hub,
        address above,
        address below,
        int256 strike,
        uint256 settleAt,
        string[] memory pieces,
        string[] memory params
    ) payable {
        (HUB, ABOVE, BELOW, STRIKE, SETTLE_AT, STAKE) = (hub, above, below, strike, settleAt, msg.value);
        _pieces = pieces;
        _params = params;
    }

    /// Asks the hub. Anybody, when it is time and no request is open.
    function ask() external returns (bytes32 id) {
        if (block.timestamp < SETTLE_AT) revert TooEarly(SETTLE_AT);
        if (settled) revert Settled();
        // A request whose callback failed is no longer open, so a failure cannot lock the stake up.
        bytes32 before = requestId;
        if (before != 0 && HUB.requestOf(before).requester != address(0)) revert AskedAlready(before);
        id = HUB.requestFrom(_pieces, _params, uint64(block.timestamp) + OPEN_S, CALLBACK_GAS);
        requestId = id;
        emit Asked(id);
    }

    /// @inheritdoc IAssayRequester
    function onAnswer(bytes32 id, bytes32, int256 value, Meta meta, uint256, bytes calldata) external {
        _requireAsked(id);
        // A report of after the request may hold a price of before it. The request is closed then, and can be made anew.
        if (meta.observedAtMs() < SETTLE_AT * 1000) revert SeenTooEarly(meta.observedAtMs());
        address winner = value >= STRIKE ? ABOVE : BELOW;
        _settle();
        // Only noted: sending belongs outside of a callback, and nobody's refusal to take ETH is another's loss.
        owed[winner] = STAKE;
        emit Won(winner, value, meta.observedAtMs());
    }

    /// @inheritdoc IAssayRequester
    function onRefused(bytes32 id, uint256 status) external {
        _requireAsked(id);
        delete requestId;
        emit NoAnswer(id, status);
    }

    /// Sends an account what it is owed. Anybody.
    function pay(address to) external {
        uint256 amount = owed[to];
        if (amount == 0) revert NothingOwed(to);
        delete owed[to];
        (bool success,) = to.call{value: amount}("");
        if (!success) revert PaymentFailed(to);
    }

    /// Halves a stake that could not be settled. Anybody.
    function giveUp() external {
        if (settled) revert Settled();
        uint256 from = SETTLE_AT + GIVE_UP_S;
        if (block.timestamp < from) revert TooEarly(from);
        _settle();
        owed[ABOVE] = STAKE / 2;
        owed[BELOW] += STAKE - STAKE / 2;
        emit GivenUp();
    }

    function _settle() private {
        settled = true;
        // An answer that is still to come finds nothing it could belong to.
        delete requestId;
    }

    function _requireAsked(bytes32 id) private view {
        if (msg.sender != address(HUB)) revert OnlyHub();
        if (id == 0 || id != requestId) revert NotAsked(id);
    }
}
