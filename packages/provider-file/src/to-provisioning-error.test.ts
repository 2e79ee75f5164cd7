import { ProvisioningError } from "@holdfast/core";
import { describe, expect, test } from "vitest";
import { InvalidTopologyError, toFileProblem } from "./invalid-topology-error.ts";
import { toProvisioningError } from "./to-provisioning-error.ts";

const errno = (code: string) => Object.assign(new Error(`${code}: failed`), { code });

describe("toProvisioningError", () => {
  test.each([
    ["ENOENT", "CONNECTIVITY_REFUSED", true],
    ["ENOTDIR", "CONNECTIVITY_REFUSED", true],
    ["EISDIR", "CONNECTIVITY_REFUSED", true],
    ["EACCES", "CONNECTIVITY_UNAUTHORIZED", false],
    ["EPERM", "CONNECTIVITY_UNAUTHORIZED", false],
    ["EIO", "STREAM_FAILED", true],
    ["EMFILE", "STREAM_FAILED", true],
    ["ELOOP", "STREAM_FAILED", true],
    ["ESTALE", "STREAM_FAILED", true],
    ["ERR_WORKER_OUT_OF_MEMORY", "STREAM_FAILED", true],
  ])("%s is %s", (code, expected, isRetryable) => {
    const cause = errno(code);
    const error = toProvisioningError(cause, "/etc/topology.json");
    expect(error).toMatchObject({ code: expected, retryable: isRetryable, cause });
    expect(error.message).toContain('"/etc/topology.json"');
    expect(error.details).toEqual({ file: "/etc/topology.json", errno: code });
  });

  test.each([new Error("no code"), Object.assign(new Error("a number"), { code: 5 }), "a string", undefined])(
    "%s is STREAM_FAILED",
    (cause) => {
      expect(toProvisioningError(cause, "/a").code).toBe("STREAM_FAILED");
    },
  );

  test("an invalid file is STREAM_INVALID_DATA with every problem, and the message names the first", () => {
    const problems = [toFileProblem("valid JSON", "the end of the file"), toFileProblem("a", "b")];
    const cause = new InvalidTopologyError(problems, { line: 1, column: 2 });
    const error = toProvisioningError(cause, "/a");
    expect(error).toMatchObject({ code: "STREAM_INVALID_DATA", retryable: false });
    expect(error.details).toEqual({ file: "/a", problems, line: 1, column: 2 });
    expect(error.message).toBe(
      '[STREAM_INVALID_DATA] the topology file "/a" is invalid: expected valid JSON, got the end of the file (and 1 more)',
    );
  });

  test("a ProvisioningError is returned unchanged", () => {
    const error = new ProvisioningError("STREAM_FAILED", "x");
    expect(toProvisioningError(error, "/a")).toBe(error);
  });
});
