import { isIP } from "node:net";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { HOST_PATTERN } from "./host-pattern.ts";

describe("HOST_PATTERN", () => {
  test.each([
    "10.0.0.1",
    "0.0.0.0",
    "::1",
    "::",
    "2001:db8::8a2e:370:7334",
    "::ffff:10.0.0.1",
    "localhost",
    "db",
    "db-1.default.svc.cluster.local",
    "api.example.com.",
    "my_service.node.dc1.consul",
    "_sip._tcp.example",
    "1password.example",
    "3com",
    "xn--bcher-kva.example",
    `${"a".repeat(63)}.example`,
  ])("accepts %j", (host) => {
    expect(host).toMatch(HOST_PATTERN);
  });

  // R1.1
  test.each([
    "",
    " ",
    "a b",
    " a",
    "a ",
    "http://10.0.0.1",
    "10.0.0.1:80",
    "api.example:80",
    "[::1]",
    "[::1]:80",
    "fe80::1%eth0",
    "10.0.0.1\n",
    "a\n",
    "a\0",
    "10.0.0.1/24",
    "user@host",
    "a,b",
    "10.0.0",
    "10.0.0.256",
    "010.0.0.1",
    "1.2.3.4.5",
    "2130706433",
    "0x7f000001",
    ".example",
    "a..b",
    ".",
    "-a",
    "a-",
    "*.example",
    "bücher.example",
    "a\u200bb",
    `${"a".repeat(64)}.example`,
    ":::",
    "1::2::3",
  ])("refuses %j", (host) => {
    expect(host).not.toMatch(HOST_PATTERN);
  });

  test("accepts every IP address that Node does", () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (address) => {
        fc.pre(isIP(address) !== 0 && !address.includes("."));
        expect(address).toMatch(HOST_PATTERN);
      }),
    );
    fc.assert(fc.property(fc.ipV4(), (address) => HOST_PATTERN.test(address)));
  });

  test("accepts every domain name, and rejects long invalid ones in linear time", () => {
    fc.assert(fc.property(fc.domain(), (name) => HOST_PATTERN.test(name)));
    expect(`${"a.".repeat(100_000)}!`).not.toMatch(HOST_PATTERN);
    expect(`${"a-".repeat(100_000)}!`).not.toMatch(HOST_PATTERN);
  });
});
