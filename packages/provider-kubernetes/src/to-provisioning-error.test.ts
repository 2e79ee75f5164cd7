import { ProvisioningError } from "@holdfast/core";
import { describe, expect, test } from "vitest";
import { toProvisioningError, toRefusalError } from "./to-provisioning-error.ts";

const SERVER = "https://10.0.0.1:6443";
const REQUEST = 'list endpointslices in namespace "shop"';
const withCode = (code: string): Error => Object.assign(new Error("it broke"), { code });

describe("toRefusalError", () => {
  // R1.4 R5.5
  test.each([
    [401, "CONNECTIVITY_UNAUTHORIZED", false],
    [403, "CONNECTIVITY_UNAUTHORIZED", false],
    [404, "CONNECTIVITY_REFUSED", true],
    [410, "STREAM_EXPIRED", true],
    [429, "CONNECTIVITY_OVERLOADED", true],
    [500, "CONNECTIVITY_UNAVAILABLE", true],
    [503, "CONNECTIVITY_UNAVAILABLE", true],
    [504, "CONNECTIVITY_TIMEOUT", true],
    [302, "STREAM_INVALID_DATA", false],
    [400, "STREAM_INVALID_DATA", false],
  ])("%i is %s", (status, code, retryable) => {
    const error = toRefusalError({ status, request: REQUEST }, SERVER);
    expect(error).toMatchObject({ code, retryable });
    expect(error.details).toEqual({ server: SERVER, status, request: REQUEST });
    expect(error.message).toContain(SERVER);
    expect(error.message).toContain(REQUEST);
  });

  test("hands on when to come back", () => {
    const { details } = toRefusalError({ status: 429, request: REQUEST, retryAfterMs: 3_000 }, SERVER);
    expect(details).toHaveProperty("retryAfterMs", 3_000);
  });

  test("403 reads as what it is", () => {
    expect(toRefusalError({ status: 403, request: REQUEST }, SERVER).message).toContain(
      "does not allow this account to list endpointslices",
    );
  });
});

describe("toProvisioningError", () => {
  test.each([
    [withCode("ECONNREFUSED"), "CONNECTIVITY_REFUSED"],
    [withCode("ENOTFOUND"), "CONNECTIVITY_REFUSED"],
    [withCode("ETIMEDOUT"), "CONNECTIVITY_TIMEOUT"],
    [withCode("UND_ERR_CONNECT_TIMEOUT"), "CONNECTIVITY_TIMEOUT"],
    [withCode("ECONNRESET"), "STREAM_FAILED"],
    [withCode("UND_ERR_SOCKET"), "STREAM_FAILED"],
    [withCode("DEPTH_ZERO_SELF_SIGNED_CERT"), "CONNECTIVITY_TLS"],
    [withCode("ERR_TLS_CERT_ALTNAME_INVALID"), "CONNECTIVITY_TLS"],
    [withCode("ERR_SSL_WRONG_VERSION_NUMBER"), "CONNECTIVITY_TLS"],
    [withCode("HPE_INVALID_CONSTANT"), "STREAM_FAILED"],
    [new AggregateError([withCode("ECONNREFUSED"), withCode("ECONNREFUSED")]), "CONNECTIVITY_REFUSED"],
    ["no error at all", "STREAM_FAILED"],
  ])("%s is %s", (cause, code) => {
    expect(toProvisioningError(cause, SERVER)).toMatchObject({ code, cause, details: { server: SERVER } });
  });

  test("leaves our own errors as they are", () => {
    const error = new ProvisioningError("STREAM_SILENT", "it is silent");
    expect(toProvisioningError(error, SERVER)).toBe(error);
  });
});
