import { describe, expect, test } from "vitest";
import { ProvisioningError } from "@holdfast/core";
import { toAgentError } from "./to-agent-error.ts";

const peer = {
  name: "the Consul agent at http://127.0.0.1:8500",
  details: { address: "http://127.0.0.1:8500" },
};

function refusal(statusCode: number, body: unknown, headers: object = {}): Error {
  return Object.assign(new Error("consul: agent.check.pass: quoted"), {
    isResponse: true,
    response: { statusCode, headers, body },
  });
}

describe("toAgentError", () => {
  test.each([
    [500, 'CheckID "holdfast:ttl:a" does not have associated TTL', "LIFECYCLE_REGISTRATION_LOST"],
    [
      404,
      'Unknown check ID "holdfast:ttl:a". Ensure that the check ID is passed',
      "LIFECYCLE_REGISTRATION_LOST",
    ],
    [404, 'No service registered with ID "a"', "LIFECYCLE_REGISTRATION_LOST"],
    [404, 'Unknown service ID "a". Ensure that the service ID is passed', "LIFECYCLE_REGISTRATION_LOST"],
    [404, "page not found", "CONNECTIVITY_REFUSED"],
    [403, "ACL not found", "CONNECTIVITY_UNKNOWN_TOKEN"],
    [403, "Permission denied", "CONNECTIVITY_UNAUTHORIZED"],
    [500, "rpc error making call: Permission denied", "CONNECTIVITY_UNAUTHORIZED"],
    [500, "No cluster leader", "CONNECTIVITY_NO_LEADER"],
    [500, "No known Consul servers", "CONNECTIVITY_UNAVAILABLE"],
    [500, "", "CONNECTIVITY_UNAVAILABLE"],
    [503, undefined, "CONNECTIVITY_UNAVAILABLE"],
    [429, Buffer.from("slow down"), "CONNECTIVITY_OVERLOADED"],
    [504, "", "CONNECTIVITY_TIMEOUT"],
    [301, "", "STREAM_INVALID_DATA"],
  ])("status %i with %j is %s", (status, body, code) => {
    const error = toAgentError(refusal(status, body), peer, 0);
    expect(error).toMatchObject({ code, details: { address: peer.details.address, status } });
    expect(error.message).not.toContain("quoted");
    expect(error.cause).toBeUndefined();
  });

  test("a phrase counts only with its status", () => {
    expect(toAgentError(refusal(403, "does not have associated TTL"), peer, 0).code).toBe(
      "CONNECTIVITY_UNAUTHORIZED",
    );
  });

  test("has the time of Retry-After", () => {
    const error = toAgentError(refusal(429, "", { "retry-after": "7" }), peer, 0);
    expect(error.details["retryAfterMs"]).toBe(7_000);
  });

  test("errors of sockets, of the client's decoder and of ours", () => {
    const refused = Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" });
    expect(toAgentError(refused, peer, 0).code).toBe("CONNECTIVITY_REFUSED");
    expect(
      toAgentError(Object.assign(new Error("consul: {secret"), { isCodec: true }), peer, 0),
    ).toMatchObject({
      code: "STREAM_INVALID_DATA",
      message: expect.not.stringContaining("secret"),
    });
    expect(toAgentError(Object.assign(new Error("request aborted"), { isAbort: true }), peer, 0).code).toBe(
      "STREAM_FAILED",
    );
    const own = new ProvisioningError("CONNECTIVITY_TLS", "x");
    expect(toAgentError(own, peer, 0)).toBe(own);
  });
});
