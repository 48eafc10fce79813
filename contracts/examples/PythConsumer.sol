// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IPythRead, Price} from "../src/interfaces/IPythRead.sol";

/// @title Sells entries at a price in dollars, paid in ether, written for Pyth: nothing in it knows of Assay.
/// @notice Give it the address of a PythFacade in the place of Pyth's contract, and attested reports in the place of
/// Pyth's updates, and it runs as it is.
/// @dev Storage layout: slot 0 entriesOf.
contract PythConsumer {
    /// The ether that came along does not buy an entry and pay for the update.
    error InsufficientPayment(uint256 needed);
    /// A price of zero or below is no price.
    error InvalidPrice(int64 price);
    /// Too uncertain to sell at: more than 1 % either way.
    error UncertainPrice(uint64 conf);
    /// The change could not be sent.
    error SendFailed();

    /// How old a price may be, s.
    uint256 private constant MAX_AGE_S = 60;
    /// A price that may be off by more than one part in this many is refused.
    uint256 private constant PRICE_PER_CONF_MIN = 100;

    /// Where prices are read.
    IPythRead public immutable pyth;
    /// The price id of one ether in dollars.
    bytes32 public immutable priceId;
    /// What an entry costs, whole dollars.
    uint256 public immutable costUsd;

    /// How many entries an account has bought.
    mapping(address account => uint256) public entriesOf;

    constructor(IPythRead pyth_, bytes32 priceId_, uint256 costUsd_) {
        pyth = pyth_;
        priceId = priceId_;
        costUsd = costUsd_;
    }

    /// Brings the price up to date, and sells an entry at it; what is left of the payment goes back.
    function buy(bytes[] calldata priceUpdate) external payable {
        uint256 fee = pyth.getUpdateFee(priceUpdate);
        pyth.updatePriceFeeds{value: fee}(priceUpdate);
        uint256 needed = fee + costWei();
        if (msg.value < needed) revert InsufficientPayment(needed);
        ++entriesOf[msg.sender];
        (bool sent,) = msg.sender.call{value: msg.value - needed}("");
        if (!sent) revert SendFailed();
    }

    /// What an entry costs now, wei, rounded up.
    function costWei() public view returns (uint256) {
        Price memory price = pyth.getPriceNoOlderThan(priceId, MAX_AGE_S);
        if (price.price <= 0) revert InvalidPrice(price.price);
        uint256 units = uint64(price.price);
        if (price.conf * PRICE_PER_CONF_MIN > units) revert UncertainPrice(price.conf);
        // Pyth's exponents are negative for all prices.
        uint256 unit = 10 ** uint32(-price.expo);
        return (costUsd * 1 ether * unit + units - 1) / units;
    }
}
