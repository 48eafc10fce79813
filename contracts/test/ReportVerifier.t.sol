// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;
// The verifier.
import {Feed, IReportVerifier} from "../src/interfaces/IReportVerifier.sol";
import {Bundle, Committee, Head, Reports} from "./base/Reports.sol";
contract ReportVerifierTest is Reports {
    function test_ok() external {
        Committee memory c = makeCommittee("a", 4);
        bytes memory r = reportOf(c, numbers(3), 4);
        bytes memory a = send(verifierOf(c), bytes.concat(IReportVerifier.verify.selector, r));
        (uint256 t, Feed[] memory feeds) = abi.decode(a, (uint256, Feed[]));
        assertEq(t, nowMs());
        assertEq(feeds.length, 3);
        Bundle[] memory bs = new Bundle[](3);
        bs[0] = numbers("a","x",2); bs[1] = numbers("b","y",1); bs[2] = numbers("c","z",16);
        r = reportOf(c, headOf(c, ATTESTATIONS), bs, 11, 1+16+64);
        a = send(verifierOf(c), bytes.concat(IReportVerifier.verify.selector, r));
        (t, feeds) = abi.decode(a, (uint256, Feed[]));
        assertEq(feeds.length, 19);
        assertEq(feeds[18].feedId, feedIdOf("z15"));
    }
}
