import { describe, expect, test } from "vitest";
import { createHostCheck, isLoopbackAddress } from "./host-check.ts";

test.each([
  ["127.0.0.1", true],
  ["127.200.3.4", true],
  ["::1", true],
  ["::ffff:127.0.0.1", true],
  ["0.0.0.0", false],
  ["::", false],
  ["10.0.0.1", false],
  ["::ffff:10.0.0.1", false],
  ["localhost", false],
])("the bound address %s is loopback: %s", (address, expected) => {
  expect(isLoopbackAddress(address)).toBe(expected);
});

// R7.6, R9.3
describe("the Host header", () => {
  test.each([
    ["localhost:80", true],
    ["LOCALHOST", true],
    ["localhost.", true],
    ["app.localhost", true],
    ["127.9.9.9:1", true],
    ["127.1:7420", true],
    ["[::1]:7420", true],
    ["[0:0:0:0:0:0:0:1]", true],
    ["[::ffff:127.0.0.1]:7420", true],
    ["127.0.0.1:99999999", true],
    [undefined, true],
    ["", false],
    ["evil.example", false],
    ["10.0.0.1", false],
    ["127.0.0.1.evil.example", false],
    ["localhost.evil.example:7420", false],
    ["evillocalhost", false],
    ["localhost@evil.example", false],
    ["localhost/evil.example", false],
    ["evil.example#localhost", false],
    ["local\thost", false],
    ["[::1", false],
  ])("%j on loopback: %s", (host, expected) => {
    const isAllowed = createHostCheck({
      boundAddress: "::ffff:127.0.0.1",
      configuredHost: "::ffff:127.0.0.1",
      allowedHosts: [],
    });
    expect(isAllowed(host)).toBe(expected);
  });

  test("on loopback the configured name and the allowed names are accepted, in any case and with any port", () => {
    const isAllowed = createHostCheck({
      boundAddress: "127.0.1.1",
      configuredHost: "machine-7",
      allowedHosts: ["Holdfast.example"],
    });
    expect(["machine-7:7420", "holdfast.EXAMPLE:1", "other.example"].map(isAllowed)).toEqual([
      true,
      true,
      false,
    ]);
  });

  test("on another address any name is accepted, until allowedHosts names some", () => {
    const bound = { boundAddress: "10.0.0.1", configuredHost: "0.0.0.0" };
    expect(createHostCheck({ ...bound, allowedHosts: [] })("evil.example")).toBe(true);
    const isAllowed = createHostCheck({ ...bound, allowedHosts: ["holdfast.example"] });
    const hosts = ["holdfast.example", "evil.example", "10.9.8.7:7420", "localhost", "0.0.0.0"];
    expect(hosts.map(isAllowed)).toEqual([true, false, true, true, true]);
  });
});
