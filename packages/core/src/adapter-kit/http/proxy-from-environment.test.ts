import { describe, expect, test } from "vitest";
import { isThisMachine, proxyFromEnvironment } from "./proxy-from-environment.ts";

const PROXY = "http://proxy.example:3128";

describe("proxyFromEnvironment", () => {
  test.each([
    ["https://a.example", { HTTPS_PROXY: PROXY }, PROXY],
    ["https://a.example", { https_proxy: PROXY }, PROXY],
    ["https://a.example", { HTTPS_PROXY: "", https_proxy: PROXY }, PROXY],
    ["https://a.example", { HTTP_PROXY: PROXY }, undefined],
    ["http://a.example:8500", { HTTP_PROXY: PROXY, HTTPS_PROXY: "http://other" }, PROXY],
    ["http://a.example", { HTTP_PROXY: "proxy.example:3128" }, PROXY],
    ["https://a.example", { ALL_PROXY: PROXY }, undefined],
    ["https://a.example", {}, undefined],
  ])("%s with %j is reached through %s", (server, env, expected) => {
    expect(proxyFromEnvironment(server, env)).toBe(expected);
  });

  test.each(["http://localhost:8500", "http://127.0.0.1", "http://127.9.9.9", "http://[::1]:8500"])(
    "%s is this machine and never reached through a proxy",
    (server) => {
      expect(proxyFromEnvironment(server, { HTTP_PROXY: PROXY })).toBeUndefined();
      expect(isThisMachine(new URL(server).hostname.replace(/^\[|\]$/g, ""))).toBe(true);
    },
  );

  test.each([
    ["*", "https://a.example", true],
    ["a.example", "https://a.example", true],
    ["A.Example", "https://a.example.", true],
    ["example", "https://a.example", true],
    [".a.example", "https://a.example", false],
    [".example", "https://a.example", true],
    ["*.example", "https://a.example", true],
    ["ample", "https://a.example", false],
    ["b.example, a.example:443", "https://a.example", true],
    ["a.example:8443", "https://a.example", false],
    ["10.0.0.0/8", "https://10.1.2.3", true],
    ["10.0.0.0/8", "https://11.1.2.3", false],
    ["10.0.0.0/99", "https://10.1.2.3", false],
    ["nonsense/8", "https://10.1.2.3", false],
    ["10.1.2.3", "https://10.1.2.3:8501", true],
    ["fd00::/8", "https://[fd00::1]", true],
    ["[fd00::1]:8501", "https://[fd00::1]:8501", true],
    ["fd00::1", "https://[fd00::2]", false],
    [" , ,", "https://a.example", false],
  ])("NO_PROXY=%s with %s: direct is %s", (noProxy, server, isDirect) => {
    const proxy = proxyFromEnvironment(server, { HTTPS_PROXY: PROXY, NO_PROXY: noProxy });
    expect(proxy === undefined).toBe(isDirect);
  });
});

test.each(["a.example", "10.0.0.1", "128.0.0.1", "::2", ""])("%s is another machine", (host) => {
  expect(isThisMachine(host)).toBe(false);
});
