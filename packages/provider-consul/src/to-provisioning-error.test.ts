import { ProvisioningError } from "@holdfast/core";
import { describe, expect, test } from "vitest";
import { toProvisioningError, toRefusalError } from "./to-provisioning-error.ts";

const WHERE = "http://127.0.0.1:8500";
const withCode = (code: string): Error => Object.assign(new Error("it broke"), { code });

describe("toRefusalError", () => {
  // R1.4
  test.each([
    [403, "ACL not found", "CONNECTIVITY_UNKNOWN_TOKEN", false],
    [403, "rpc error making call: ACL not found", "CONNECTIVITY_UNKNOWN_TOKEN", false],
    [500, "ACL not found", "CONNECTIVITY_UNKNOWN_TOKEN", false],
    [403, "Permission denied", "CONNECTIVITY_UNAUTHORIZED", false],
    [
      403,
      "rpc error: Permission denied: token with AccessorID 'x' lacks permission",
      "CONNECTIVITY_UNAUTHORIZED",
      false,
    ],
    [401, "", "CONNECTIVITY_UNAUTHORIZED", false],
    [500, "No cluster leader", "CONNECTIVITY_NO_LEADER", true],
    [500, "rpc error making call: No cluster leader", "CONNECTIVITY_NO_LEADER", true],
    [500, "No path to datacenter", "CONNECTIVITY_REFUSED", true],
    [500, "Permission denied", "CONNECTIVITY_UNAUTHORIZED", false],
    [500, "No known Consul servers", "CONNECTIVITY_UNAVAILABLE", true],
    [500, "rpc error getting client: failed to get conn", "CONNECTIVITY_UNAVAILABLE", true],
    [500, "rpc error making call: EOF", "CONNECTIVITY_UNAVAILABLE", true],
    [502, "<html>ACL not found</html>", "CONNECTIVITY_UNAVAILABLE", true],
    [503, "", "CONNECTIVITY_UNAVAILABLE", true],
    [504, "", "CONNECTIVITY_TIMEOUT", true],
    [408, "", "CONNECTIVITY_TIMEOUT", true],
    [429, "Your IP is issuing too many concurrent connections", "CONNECTIVITY_OVERLOADED", true],
    [404, "", "CONNECTIVITY_REFUSED", true],
    [400, "Failed to create boolean expression evaluator", "STREAM_INVALID_DATA", false],
    [301, "", "STREAM_INVALID_DATA", false],
  ])("%i %j is %s", (status, text, code, retryable) => {
    const error = toRefusalError({ status, text }, WHERE);
    expect(error).toMatchObject({ code, retryable, details: { address: WHERE, status } });
    expect(error.details).not.toHaveProperty("retryAfterMs");
    if (text !== "") expect(JSON.stringify(error)).not.toContain(text);
  });

  test("hands on when to come back", () => {
    const { details } = toRefusalError({ status: 503, text: "", retryAfterMs: 3_000 }, WHERE);
    expect(details).toEqual({ address: WHERE, status: 503, retryAfterMs: 3_000 });
  });
});

describe("a proxy", () => {
  const PROXY = "proxy.example:3128";

  test("that wants credentials is reported as such", () => {
    const refused = toRefusalError({ status: 407, text: "" }, WHERE, PROXY);
    const tunnel = Object.assign(withCode("ERR_PROXY_TUNNEL"), { statusCode: 407 });
    for (const error of [refused, toProvisioningError(tunnel, WHERE, PROXY)]) {
      expect(error).toMatchObject({
        code: "CONNECTIVITY_UNAUTHORIZED",
        message: expect.stringMatching(/the proxy proxy.example:3128 .*407.*requires credentials/) as string,
        details: { address: WHERE, proxy: PROXY, status: 407 },
      });
    }
  });

  test("that does not reach Consul, or cannot be reached, is named", () => {
    const tunnel = Object.assign(withCode("ERR_PROXY_TUNNEL"), { statusCode: 503 });
    expect(toProvisioningError(tunnel, WHERE, PROXY)).toMatchObject({
      code: "CONNECTIVITY_REFUSED",
      details: { proxy: PROXY, status: 503 },
    });
    expect(toProvisioningError(withCode("ECONNREFUSED"), WHERE, PROXY).message).toContain(
      "(through the proxy proxy.example:3128) refused the connection",
    );
    expect(toRefusalError({ status: 502, text: "" }, WHERE, PROXY).details).toMatchObject({ proxy: PROXY });
  });
});

describe("toProvisioningError", () => {
  test.each([
    [withCode("ECONNREFUSED"), "CONNECTIVITY_REFUSED"],
    [withCode("ENOTFOUND"), "CONNECTIVITY_REFUSED"],
    [withCode("ETIMEDOUT"), "CONNECTIVITY_TIMEOUT"],
    [withCode("ECONNRESET"), "STREAM_FAILED"],
    [withCode("EPIPE"), "STREAM_FAILED"],
    [withCode("DEPTH_ZERO_SELF_SIGNED_CERT"), "CONNECTIVITY_TLS"],
    [withCode("ERR_TLS_CERT_ALTNAME_INVALID"), "CONNECTIVITY_TLS"],
    [withCode("ERR_SSL_WRONG_VERSION_NUMBER"), "CONNECTIVITY_TLS"],
    [withCode("HPE_INVALID_CONSTANT"), "STREAM_FAILED"],
    [new AggregateError([withCode("ECONNREFUSED"), withCode("ECONNREFUSED")]), "CONNECTIVITY_REFUSED"],
    ["no error at all", "STREAM_FAILED"],
  ])("%s is %s", (cause, code) => {
    expect(toProvisioningError(cause, WHERE)).toMatchObject({ code, cause, details: { address: WHERE } });
  });

  test("leaves our own errors as they are", () => {
    const error = new ProvisioningError("STREAM_LATE", "it is late");
    expect(toProvisioningError(error, WHERE)).toBe(error);
  });
});
