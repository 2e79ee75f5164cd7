import { describe, expect, test } from "vitest";
import { ProvisioningError } from "../../errors/provisioning-error.ts";
import { toProxyRefusal, toRequestError } from "./to-request-error.ts";

const PEER = { name: "Consul at http://127.0.0.1:8500", details: { address: "http://127.0.0.1:8500" } };
const PROXY = { url: "http://me:b1gs33cr3t@proxy.example:3128", source: "HTTPS_PROXY or HTTP_PROXY" };
const withCode = (code: string): Error => Object.assign(new Error("it broke"), { code });

describe("toRequestError", () => {
  // R1.4
  test.each([
    [withCode("ECONNREFUSED"), "CONNECTIVITY_REFUSED"],
    [withCode("ENOTFOUND"), "CONNECTIVITY_REFUSED"],
    [withCode("ETIMEDOUT"), "CONNECTIVITY_TIMEOUT"],
    [withCode("UND_ERR_CONNECT_TIMEOUT"), "CONNECTIVITY_TIMEOUT"],
    [withCode("ECONNRESET"), "STREAM_FAILED"],
    [withCode("EPIPE"), "STREAM_FAILED"],
    [withCode("UND_ERR_SOCKET"), "STREAM_FAILED"],
    [withCode("DEPTH_ZERO_SELF_SIGNED_CERT"), "CONNECTIVITY_TLS"],
    [withCode("ERR_TLS_CERT_ALTNAME_INVALID"), "CONNECTIVITY_TLS"],
    [withCode("ERR_SSL_WRONG_VERSION_NUMBER"), "CONNECTIVITY_TLS"],
    [withCode("HPE_INVALID_CONSTANT"), "STREAM_FAILED"],
    [new AggregateError([withCode("ECONNREFUSED"), withCode("ECONNREFUSED")]), "CONNECTIVITY_REFUSED"],
    ["no error at all", "STREAM_FAILED"],
  ])("%s is %s", (cause, code) => {
    const error = toRequestError(cause, PEER);
    expect(error).toMatchObject({ code, cause });
    expect(error.details).toEqual(PEER.details);
    expect(error.message).toContain(PEER.name);
  });

  test("does not change a ProvisioningError", () => {
    const error = new ProvisioningError("STREAM_LATE", "it is late");
    expect(toRequestError(error, PEER)).toBe(error);
  });
});

describe("a proxy", () => {
  // A8
  test("that requires credentials is reported as such", () => {
    const tunnel = Object.assign(withCode("ERR_PROXY_TUNNEL"), { statusCode: 407 });
    for (const error of [toProxyRefusal(407, PEER, PROXY), toRequestError(tunnel, PEER, PROXY)]) {
      expect(error).toMatchObject({
        code: "CONNECTIVITY_UNAUTHORIZED",
        message: expect.stringMatching(/the proxy proxy.example:3128 .*407.*requires credentials/) as string,
        details: { ...PEER.details, proxy: "proxy.example:3128", proxyStatus: 407 },
      });
      expect(JSON.stringify([error, String(error.cause)])).not.toContain("b1gs33cr3t");
    }
  });

  test("that cannot reach the server, or cannot be reached, is named", () => {
    const tunnel = Object.assign(withCode("ERR_PROXY_TUNNEL"), { statusCode: 503 });
    expect(toRequestError(tunnel, PEER, PROXY)).toMatchObject({
      code: "CONNECTIVITY_REFUSED",
      details: { proxy: "proxy.example:3128", proxyStatus: 503 },
    });
    expect(toRequestError(withCode("ECONNREFUSED"), PEER, PROXY).message).toContain(
      "(through the proxy proxy.example:3128 of HTTPS_PROXY or HTTP_PROXY) refused the connection",
    );
  });
});
