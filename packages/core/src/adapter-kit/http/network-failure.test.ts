import { connect as connectTls } from "node:tls";
import { connect } from "node:net";
import { describe, expect, test } from "vitest";
import { toNetworkFailure } from "./network-failure.ts";

const coded = (code: unknown, cause?: unknown) => Object.assign(new Error("x", { cause }), { code });

describe("toNetworkFailure", () => {
  // R1.4
  test.each([
    ["ECONNREFUSED", "CONNECTIVITY_REFUSED"],
    ["ENOTFOUND", "CONNECTIVITY_REFUSED"],
    ["EHOSTUNREACH", "CONNECTIVITY_REFUSED"],
    ["ETIMEDOUT", "CONNECTIVITY_TIMEOUT"],
    ["UND_ERR_CONNECT_TIMEOUT", "CONNECTIVITY_TIMEOUT"],
    ["CERT_HAS_EXPIRED", "CONNECTIVITY_TLS"],
    ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", "CONNECTIVITY_TLS"],
    ["DEPTH_ZERO_SELF_SIGNED_CERT", "CONNECTIVITY_TLS"],
    ["ERR_TLS_CERT_ALTNAME_INVALID", "CONNECTIVITY_TLS"],
    ["ERR_SSL_WRONG_VERSION_NUMBER", "CONNECTIVITY_TLS"],
    ["EPROTO", "CONNECTIVITY_TLS"],
    ["ECONNRESET", "STREAM_FAILED"],
    ["UND_ERR_SOCKET", "STREAM_FAILED"],
  ])("%s is %s", (code, expected) => {
    expect(toNetworkFailure(coded(code))?.code).toBe(expected);
  });

  test("searches causes and lists of errors", () => {
    const refused = coded("ECONNREFUSED");
    expect(toNetworkFailure(new TypeError("fetch failed", { cause: refused }))?.code).toBe(
      "CONNECTIVITY_REFUSED",
    );
    expect(toNetworkFailure(new AggregateError([new Error("x"), refused]))?.code).toBe(
      "CONNECTIVITY_REFUSED",
    );
    expect(toNetworkFailure(coded("UND_ERR_UNLISTED", coded("ETIMEDOUT")))?.code).toBe(
      "CONNECTIVITY_TIMEOUT",
    );
  });

  test.each([undefined, null, "ECONNREFUSED", {}, coded(7), coded("toString"), coded("EISDIR")])(
    "anything else is not a network failure: %s",
    (error) => {
      expect(toNetworkFailure(error)).toBeUndefined();
    },
  );

  test("handles a cyclic chain of causes", () => {
    const error = new Error("x");
    error.cause = error;
    expect(toNetworkFailure(error)).toBeUndefined();
  });

  test.each([
    ["plain", () => connect(1, "127.0.0.1")],
    ["TLS", () => connectTls(1, "127.0.0.1")],
  ])("recognises the error of Node for a port without a listener (%s)", async (_, open) => {
    const { promise, resolve } = Promise.withResolvers<unknown>();
    open().on("error", resolve);
    expect(toNetworkFailure(await promise)?.code).toBe("CONNECTIVITY_REFUSED");
  });
});
