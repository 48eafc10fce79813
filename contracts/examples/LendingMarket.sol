// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Multicall} from "@openzeppelin/contracts/utils/Multicall.sol";
import {AssayConsumer} from "../src/AssayConsumer.sol";
import {ICommitteeRegistry} from "../src/interfaces/ICommitteeRegistry.sol";

/// @title Example of a consumer by pull: borrow a token against ETH, at the price in a report that the caller appends.
/// @notice What moves money reads with _readNewest: nobody can choose among reports that are all still valid, and while
/// the committee says anything but OK of the price (HALT, CLAMPED, DIVERGED …) nothing is borrowed, withdrawn from under
/// a debt or liquidated. What only tells reads with _readOnce: in a multicall the first call brings the report and the
/// others need none. No interest and no owner: an example of how to read, not of how to lend.
/// @dev For plain tokens: none that takes a fee from a transfer. Storage layout: slots 0 to 2 collateralOf, debtOf,
/// lentBy; slot 3 totalDebt; the namespace of AssayConsumer. Amounts are of 128 bits, so that no product overflows.
contract LendingMarket is AssayConsumer, Multicall {
    using SafeERC20 for IERC20Metadata;

    /// The collateral is worth too little for the debt.
    error NotEnoughCollateral(uint256 debt, uint256 worth);
    /// The borrower's collateral is worth enough.
    error NotLiquidatable(address borrower);
    /// The account has less than this.
    error NotEnough(uint256 wanted, uint256 there);
    /// All debts together would exceed the market's cap.
    error OverCap(uint256 cap);
    /// No price that anything can be valued at.
    error NoPrice(int256 price);
    /// ETH could not be sent.
    error PaymentFailed(address to);
    /// Token or feed have more decimals than 18.
    error TooManyDecimals();

    event Deposited(address indexed account, uint256 amount);
    event Withdrawn(address indexed account, uint256 amount);
    event Borrowed(address indexed account, uint256 amount);
    event Repaid(address indexed account, uint256 amount);
    event Liquidated(address indexed borrower, address indexed by, uint256 repaid, uint256 seized);

    uint256 private constant MAX_AGE_S = 60;
    uint256 private constant BORROW_PERCENT = 75;
    uint256 private constant LIQUIDATION_PERCENT = 80;
    uint256 private constant SEIZED_PERCENT = 105;

    /// What is lent.
    IERC20Metadata public immutable TOKEN;
    /// The price of 1 ETH in that token.
    bytes32 public immutable FEED;
    /// The most that all borrowers together may owe, in the token: a limit in value, whatever the collateral's price says.
    uint256 public immutable CAP;
    /// wei · price / SCALE = amount of the token.
    uint256 private immutable SCALE;

    mapping(address account => uint256 amount) public collateralOf;
    mapping(address account => uint256 amount) public debtOf;
    mapping(address account => uint256 amount) public lentBy;
    uint256 public totalDebt;

    /// `feedDecimals` is part of the feed's meaning, and so of its id: a feed with other decimals is another feed.
    constructor(ICommitteeRegistry registry, bytes32 feed, uint8 feedDecimals, IERC20Metadata token, uint128 cap)
        AssayConsumer(registry)
    {
        uint8 tokenDecimals = token.decimals();
        if (feedDecimals > 18 || tokenDecimals > 18) revert TooManyDecimals();
        TOKEN = token;
        FEED = feed;
        CAP = cap;
        SCALE = 10 ** (18 + uint256(feedDecimals) - tokenDecimals);
    }

    /// Puts the token in for others to borrow.
    function lend(uint128 amount) external {
        lentBy[msg.sender] += amount;
        TOKEN.safeTransferFrom(msg.sender, address(this), amount);
    }

    /// Takes the token out again, as far as it is not borrowed.
    function takeBack(uint128 amount) external {
        lentBy[msg.sender] = _minus(lentBy[msg.sender], amount);
        TOKEN.safeTransfer(msg.sender, amount);
    }

    /// Puts ETH in as collateral.
    function deposit() external payable {
        collateralOf[msg.sender] += msg.value;
        emit Deposited(msg.sender, msg.value);
    }

    /// Takes collateral out; with a report appended when there is a debt.
    function withdraw(uint128 amount) external {
        uint256 collateral = _minus(collateralOf[msg.sender], amount);
        collateralOf[msg.sender] = collateral;
        uint256 debt = debtOf[msg.sender];
        if (debt != 0) _requireCovered(debt, collateral);
        emit Withdrawn(msg.sender, amount);
        _pay(msg.sender, amount);
    }

    /// Borrows at the price of the appended report.
    function borrow(uint128 amount) external {
        if (amount > CAP - totalDebt) revert OverCap(CAP);
        uint256 debt = debtOf[msg.sender] + amount;
        totalDebt += amount;
        debtOf[msg.sender] = debt;
        _requireCovered(debt, collateralOf[msg.sender]);
        emit Borrowed(msg.sender, amount);
        TOKEN.safeTransfer(msg.sender, amount);
    }

    /// Pays one's debt back.
    function repay(uint128 amount) external {
        _reduceDebt(msg.sender, amount);
        emit Repaid(msg.sender, amount);
        TOKEN.safeTransferFrom(msg.sender, address(this), amount);
    }

    /// Pays another's debt, at most all of it, at the price of the appended report when the collateral no longer covers
    /// it, and takes collateral worth 105 % of that.
    function liquidate(address borrower, uint128 amount) external {
        (int256 value,) = _readNewest(FEED, MAX_AGE_S);
        uint256 price = _price(value);
        (uint256 debt, uint256 collateral) = (debtOf[borrower], collateralOf[borrower]);
        if (!_isLiquidatable(debt, collateral, price)) revert NotLiquidatable(borrower);
        // A borrower who repays a little just before cannot make a liquidation fail.
        uint256 repaid = amount < debt ? amount : debt;
        uint256 seized = repaid * SCALE * SEIZED_PERCENT / (100 * price);
        _reduceDebt(borrower, repaid);
        collateralOf[borrower] = _minus(collateral, seized);
        emit Liquidated(borrower, msg.sender, repaid, seized);
        TOKEN.safeTransferFrom(msg.sender, address(this), repaid);
        _pay(msg.sender, seized);
    }

    /// Whether `borrower` can be liquidated at the price of the appended report. For keepers that ask for many at once.
    function isLiquidatable(address borrower) external returns (bool) {
        (int256 value,) = _readOnce(FEED, MAX_AGE_S);
        return _isLiquidatable(debtOf[borrower], collateralOf[borrower], _price(value));
    }

    function _requireCovered(uint256 debt, uint256 collateral) private {
        (int256 value,) = _readNewest(FEED, MAX_AGE_S);
        uint256 worth = _worth(collateral, _price(value));
        if (debt * 100 > worth * BORROW_PERCENT) revert NotEnoughCollateral(debt, worth);
    }

    function _isLiquidatable(uint256 debt, uint256 collateral, uint256 price) private view returns (bool) {
        return debt * 100 > _worth(collateral, price) * LIQUIDATION_PERCENT;
    }

    /// Rounded down.
    function _worth(uint256 collateral, uint256 price) private view returns (uint256) {
        return collateral * price / SCALE;
    }

    /// Above zero and of at most 128 bits.
    function _price(int256 value) private pure returns (uint256) {
        if (value <= 0 || value > int256(uint256(type(uint128).max))) revert NoPrice(value);
        return uint256(value);
    }

    function _reduceDebt(address borrower, uint256 amount) private {
        debtOf[borrower] = _minus(debtOf[borrower], amount);
        totalDebt -= amount;
    }

    function _minus(uint256 there, uint256 wanted) private pure returns (uint256) {
        if (wanted > there) revert NotEnough(wanted, there);
        return there - wanted;
    }

    function _pay(address to, uint256 amount) private {
        (bool success,) = to.call{value: amount}("");
        if (!success) revert PaymentFailed(to);
    }
}
