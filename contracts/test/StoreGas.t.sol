// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;
import {FeedStore} from "../src/FeedStore.sol";
import {BundleStore} from "../src/BundleStore.sol";
import {IFeedStore} from "../src/interfaces/IFeedStore.sol";
import {Bundle, Committee, Head, Reports} from "./base/Reports.sol";
contract Reader {
    IFeedStore private immutable STORE;
    constructor(IFeedStore s) { STORE = s; }
    function get(bytes32 id) external view returns (int256 v) { (v,) = STORE.read(id, 60); }
}
contract StoreGasTest is Reports {
    Committee c;
    FeedStore store; FeedStore lossy;
    BundleStore bundle; BundleStore bundle1;
    Reader a; Reader b;
    event log_named_uint(string, uint256);
    function setUp() external {
        c = makeCommittee("c", 7);
        store = new FeedStore(c.registry);
        lossy = store;
        bundle = new BundleStore(c.registry, keccak256("bundle"), ids(10));
        a = new Reader(store); b = new Reader(bundle);
        go(1); go(10);
        vm.warp(START + 12);
    }
    function ids(uint256 n) internal pure returns (bytes32[] memory r) {
        r = new bytes32[](n);
        for (uint256 i; i < n; ++i) r[i] = feedIdOf(string.concat("feed-", vm.toString(i)));
    }
    function short2(bytes memory report) internal pure returns (bytes memory result) {
        uint256 feeds = uint8(report[24]);
        result = bytes.concat(bytes1(uint8(report[0]) | 0x80), slice(report, 1, 25));
        for (uint256 i = 0; i < feeds; ++i) {
            result = bytes.concat(result, slice(report, 57 + 96 * i + 32+19, 57 + 96 * i + 64), slice(report, 57 + 96 * i + 64+13, 57 + 96 * i + 96));
        }
        return bytes.concat(result, slice(report, 57 + 96 * feeds, report.length));
    }
    function realistic(uint256 n) internal view returns (Bundle memory d) {
        d = numbers(n);
        for (uint256 i; i < n; ++i) { d.feeds[i].word = bytes32(uint256(6543210987654 + i * 1111111)); d.feeds[i].meta = packMeta(nowMs() - 1700, 3600, 0, 5, 0, 834); }
    }
    function go(uint256 n) internal {
        send(address(store), withReport(abi.encodeWithSelector(IFeedStore.push.selector), reportOf(c, n == 1 ? single1() : realistic(n), 4)));
        if (n == 10) send(address(bundle), withReport(abi.encodeWithSelector(IFeedStore.push.selector), short2(reportOf(c, realistic(n), 4))));
    }
    function single1() internal view returns (Bundle memory d) {
        d = realistic(1); d.feeds[0].feedId = keccak256("solo");
    }
    function intrinsic(bytes memory d) internal pure returns (uint256 g, uint256 floor_) {
        uint256 t; for (uint256 i; i < d.length; ++i) t += d[i] == 0 ? 1 : 4;
        return (21000 + 4 * t, 21000 + 10 * t);
    }
    function measure(string memory name, address to, bytes memory d) internal {
        (uint256 i, uint256 f) = intrinsic(d);
        require(to.code.length > 0); // warm
        uint256 g = gasleft();
        (bool ok,) = to.call(d);
        g = g - gasleft();
        emit log_named_uint(string.concat(name, ok ? " ok" : " reverted", ", bytes ", vm.toString(d.length), ", intrinsic ", vm.toString(i), " floor ", vm.toString(f)), g + i);
    }
    bytes4 constant PUSH = IFeedStore.push.selector;
    function test_push1() external { measure("push 1", address(store), withReport(abi.encodeWithSelector(PUSH), reportOf(c, single1(), 4))); }
    function test_push10() external { measure("push 10", address(store), withReport(abi.encodeWithSelector(PUSH), reportOf(c, realistic(10), 4))); }
    function test_bundle10() external { measure("bundle 10 short", address(bundle), withReport(abi.encodeWithSelector(PUSH), short2(reportOf(c, realistic(10), 4)))); }
    function test_bundle10full() external { measure("bundle 10 full", address(bundle), withReport(abi.encodeWithSelector(PUSH), reportOf(c, realistic(10), 4))); }
    function test_lost10() external { vm.warp(START); measure("lost 10", address(store), withReport(abi.encodeWithSelector(PUSH), reportOf(c, realistic(10), 4))); }
    function test_lost1() external { vm.warp(START); measure("lost 1", address(store), withReport(abi.encodeWithSelector(PUSH), reportOf(c, single1(), 4))); }
    function test_lostB() external { vm.warp(START); measure("lost bundle", address(bundle), withReport(abi.encodeWithSelector(PUSH), short2(reportOf(c, realistic(10), 4)))); }
    function test_readA() external { bytes memory d = abi.encodeWithSelector(Reader.get.selector, keccak256("solo")); require(address(a).code.length > 0); uint256 g = gasleft(); (bool ok,) = address(a).call(d); g -= gasleft(); assertTrue(ok); emit log_named_uint("read feed", g - 100); }
    function test_readB() external { bytes memory d = abi.encodeWithSelector(Reader.get.selector, feedIdOf("feed-9")); require(address(b).code.length > 0); uint256 g = gasleft(); (bool ok,) = address(b).call(d); g -= gasleft(); assertTrue(ok); emit log_named_uint("read bundle", g - 100); }
}
contract VerifyGas is Reports {
    Committee c;
    event log_named_uint(string, uint256);
    function setUp() external { c = makeCommittee("c", 7); }
    function m(uint256 n) internal {
        bytes memory d = bytes.concat(hex"fc735e99", reportOf(c, numbers(n), 4));
        address to = verifierOf(c);
        uint256 g = gasleft();
        (bool ok,) = to.call(d);
        g = g - gasleft();
        emit log_named_uint(ok ? "verify" : "fail", g);
    }
    function test_1() external { m(1); }
    function test_10() external { m(10); }
}
