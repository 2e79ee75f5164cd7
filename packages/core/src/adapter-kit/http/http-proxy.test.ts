import { describe, expect, test } from "vitest";
import { assertProxy, canUseProxy, toProxyHost } from "./http-proxy.ts";

const source = "proxy-url of the kubeconfig";

describe("assertProxy", () => {
  test.each(["http://a.test", "https://me:pw@a.test:1", "HTTP://a.test"])("accepts %s", (url) => {
    expect(() => assertProxy({ url, source }, {})).not.toThrow();
  });

  // A8
  test.each(["socks5://b1gs33cr3t@a.test", "ftp://a.test", "a.test:3128", "http://", ""])(
    "refuses %j, naming where it comes from and not the URL",
    (url) => {
      expect(() => assertProxy({ url, source }, {})).toThrow(
        `[CONNECTIVITY_REFUSED] the proxy (${source}) is not a URL of one of these kinds: http, https`,
      );
    },
  );

  test("accepts the kinds for which the caller provides agents", () => {
    const others = { "socks5:": () => Promise.reject(new Error("not used")) };
    expect(() => assertProxy({ url: "socks5://a.test", source }, others)).not.toThrow();
    expect(() => assertProxy({ url: "ftp://a.test", source }, others)).toThrow("http, https, socks5");
  });
});

test("toProxyHost omits the credentials", () => {
  expect(toProxyHost({ url: "http://me:b1gs33cr3t@a.test:3128", source })).toBe("a.test:3128");
});

test.each([
  ["22.19.0", false],
  ["22.20.1", false],
  ["22.21.0", true],
  ["24.4.1", false],
  ["24.5.0", true],
  ["25.0.0", true],
])("Node.js %s has agents with proxyEnv: %s", (version, expected) => {
  expect(canUseProxy(version)).toBe(expected);
});
