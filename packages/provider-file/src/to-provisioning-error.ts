import { isProvisioningError, ProvisioningError, type ErrorCode } from "@holdfast/core";
import { describeFileFailure } from "@holdfast/core/adapter";
import { InvalidTopologyError } from "./invalid-topology-error.ts";

/** The errors of the file system by their code. Any other is `STREAM_FAILED`. */
const TABLE: Readonly<Record<string, { readonly code: ErrorCode; readonly failure: string }>> = {
  ENOENT: { code: "CONNECTIVITY_REFUSED", failure: "does not exist" },
  ENOTDIR: {
    code: "CONNECTIVITY_REFUSED",
    failure: "does not exist: a part of its path is a file, not a folder",
  },
  EISDIR: { code: "CONNECTIVITY_REFUSED", failure: "is a folder, not a regular file" },
  EFTYPE: { code: "CONNECTIVITY_REFUSED", failure: "is a named pipe or a device, not a regular file" },
  ENXIO: { code: "CONNECTIVITY_REFUSED", failure: "is a socket, not a regular file" },
  EACCES: { code: "CONNECTIVITY_UNAUTHORIZED", failure: "cannot be read: permission denied" },
  EPERM: { code: "CONNECTIVITY_UNAUTHORIZED", failure: "cannot be read: permission denied" },
};

/** Converts any error of the file or folder at `path` to a `ProvisioningError`. */
export function toProvisioningError(
  error: unknown,
  path: string,
  what: "the topology file" | "the folder" = "the topology file",
): ProvisioningError {
  if (isProvisioningError(error)) return error;
  if (error instanceof InvalidTopologyError) return toInvalidData(error, path);
  const errno = errnoOf(error);
  const { code, failure } = (errno === undefined ? undefined : TABLE[errno]) ?? {
    code: "STREAM_FAILED",
    failure: `could not be read: ${describeFileFailure(error)}`,
  };
  return new ProvisioningError(code, `${what} "${path}" ${failure}`, {
    cause: error,
    details: { file: path, ...(errno !== undefined && { errno }) },
  });
}

function toInvalidData(error: InvalidTopologyError, path: string): ProvisioningError {
  const { problems, position } = error;
  const [first] = problems;
  const where = first === undefined || first.path === "" ? "" : `${first.path}: `;
  const what = first === undefined ? "" : `: ${where}expected ${first.expected}, got ${first.got}`;
  const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : "";
  return new ProvisioningError(
    "STREAM_INVALID_DATA",
    `the topology file "${path}" is invalid${what}${more}`,
    {
      details: { file: path, problems, ...position },
    },
  );
}

function errnoOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}
