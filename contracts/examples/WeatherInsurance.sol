// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {ICommitteeRegistry} from "../src/interfaces/ICommitteeRegistry.sol";
import {IFeedStore} from "../src/interfaces/IFeedStore.sol";
import {Structured} from "../src/lib/Structured.sol";

/// A policy: pays when the feed's precipitation reaches the threshold within the time of cover.
/// @param insurer who offered it and put the payout in
/// @param from first second of cover; until then it can be bought
/// @param until last second of cover
/// @param holder who bought it; zero until then
/// @param threshold 0.01 mm
/// @param premium wei, from the holder to the insurer
/// @param payout wei
/// @param claimedAtS when the rain was proven; 0 before
/// @param feedId a feed of the value schema "weather"
struct Policy {
    address insurer;
    uint40 from;
    uint40 until;
    address holder;
    int64 threshold;
    uint104 premium;
    uint104 payout;
    uint40 claimedAtS;
    bytes32 feedId;
}

/// @title Example of a consumer by push, of a structured value: insurance against rain.
/// @notice A claim brings the weather itself; the feed store says whether the committee signed it. What is proven is paid
/// a day later, and not while the lineage is paused: should the committee's keys have been stolen, its guardian can stop
/// the payment (M21). The feed needs two independent origins, since a store refuses LOW_CONFIDENCE. No owner.
/// @dev Storage layout: slot 0 how many policies there have been; slot 1 the mapping of policies, four slots each.
contract WeatherInsurance {
    /// Cover must begin later than now, and end after it begins.
    error InvalidCover();
    /// The payout is zero or does not fit 104 bits.
    error InvalidPayout();
    /// There is no such policy.
    error UnknownPolicy(uint256 id);
    /// The policy was sold, or is not for sale any more.
    error NotForSale(uint256 id);
    /// The premium is another.
    error WrongPremium(uint256 premium);
    /// Nobody bought the policy.
    error NotSold(uint256 id);
    /// The rain was proven already.
    error ClaimedAlready(uint256 id);
    /// The rain was not proven.
    error NotClaimed(uint256 id);
    /// The weather was seen before the cover began, or attested after its end.
    error NotCovered(uint256 observedAtMs, uint256 attestedAtMs);
    /// It did not rain enough.
    error TooDry(int64 precipitation);
    /// Only the insurer may do this.
    error OnlyInsurer();
    /// It is too early: possible from this time on.
    error TooEarly(uint256 from);
    /// The lineage is paused.
    error Paused();
    /// ETH could not be sent.
    error PaymentFailed(address to);

    event Offered(uint256 indexed id, address indexed insurer, bytes32 indexed feedId);
    event Sold(uint256 indexed id, address indexed holder);
    event Claimed(uint256 indexed id, int64 precipitation, uint256 observedAtMs);
    event Paid(uint256 indexed id, address indexed holder);
    event Reclaimed(uint256 indexed id);

    uint256 private constant MAX_AGE_S = 1 hours;
    /// From proof to payment.
    uint256 private constant WAIT_S = 1 days;

    IFeedStore public immutable STORE;
    ICommitteeRegistry public immutable REGISTRY;

    uint256 private _count;
    mapping(uint256 id => Policy) private _policies;

    constructor(IFeedStore store) {
        STORE = store;
        REGISTRY = ICommitteeRegistry(store.registry());
    }

    /// Offers a policy; what is sent along is its payout.
    function offer(bytes32 feedId, int64 threshold, uint40 from, uint40 until, uint104 premium)
        external
        payable
        returns (uint256 id)
    {
        if (from <= block.timestamp || until <= from) revert InvalidCover();
        if (msg.value == 0 || msg.value > type(uint104).max) revert InvalidPayout();
        id = ++_count;
        _policies[id] = Policy({
            insurer: msg.sender,
            from: from,
            until: until,
            holder: address(0),
            threshold: threshold,
            premium: premium,
            payout: uint104(msg.value),
            claimedAtS: 0,
            feedId: feedId
        });
        emit Offered(id, msg.sender, feedId);
    }

    /// Buys a policy for its premium, before its cover begins.
    function buy(uint256 id) external payable {
        Policy storage policy = _known(id);
        if (policy.holder != address(0) || block.timestamp >= policy.from) revert NotForSale(id);
        if (msg.value != policy.premium) revert WrongPremium(policy.premium);
        policy.holder = msg.sender;
        emit Sold(id, msg.sender);
        _pay(policy.insurer, msg.value);
    }

    /// Proves the rain with the weather that the store holds. Anybody; at most an hour after it was seen, and only when
    /// the committee attested it within the time of cover.
    function claim(uint256 id, bytes calldata weather) external {
        Policy storage policy = _known(id);
        if (policy.holder == address(0)) revert NotSold(id);
        if (policy.claimedAtS != 0) revert ClaimedAlready(id);
        uint256 observedAtMs = STORE.readEncoded(policy.feedId, weather, MAX_AGE_S);
        // The store's source time may be earlier than it was: what is attested by the end was seen by the end.
        uint256 attestedAtMs = STORE.tryRead(policy.feedId).attestedAtMs;
        if (observedAtMs < uint256(policy.from) * 1000 || attestedAtMs > uint256(policy.until) * 1000) {
            revert NotCovered(observedAtMs, attestedAtMs);
        }
        int64 precipitation = Structured.weather(weather).precipitation;
        if (precipitation < policy.threshold) revert TooDry(precipitation);
        policy.claimedAtS = uint40(block.timestamp);
        emit Claimed(id, precipitation, observedAtMs);
    }

    /// Pays a policy a day after its rain was proven. Anybody.
    function pay(uint256 id) external {
        Policy memory policy = _known(id);
        if (policy.claimedAtS == 0) revert NotClaimed(id);
        uint256 from = policy.claimedAtS + WAIT_S;
        if (block.timestamp < from) revert TooEarly(from);
        if (REGISTRY.paused()) revert Paused();
        delete _policies[id];
        emit Paid(id, policy.holder);
        _pay(policy.holder, policy.payout);
    }

    /// Gives the insurer the payout back: at any time while nobody bought the policy, or when the last claim has become
    /// impossible. Insurer only.
    function reclaim(uint256 id) external {
        Policy memory policy = _known(id);
        if (msg.sender != policy.insurer) revert OnlyInsurer();
        if (policy.holder != address(0)) {
            if (policy.claimedAtS != 0) revert ClaimedAlready(id);
            uint256 from = policy.until + MAX_AGE_S + 1;
            if (block.timestamp < from) revert TooEarly(from);
        }
        delete _policies[id];
        emit Reclaimed(id);
        _pay(policy.insurer, policy.payout);
    }

    /// The policy of this id; all zero when it is unknown, paid or reclaimed.
    function policyOf(uint256 id) external view returns (Policy memory) {
        return _policies[id];
    }

    function _known(uint256 id) private view returns (Policy storage policy) {
        policy = _policies[id];
        if (policy.insurer == address(0)) revert UnknownPolicy(id);
    }

    function _pay(address to, uint256 amount) private {
        (bool success,) = to.call{value: amount}("");
        if (!success) revert PaymentFailed(to);
    }
}
