import { isProvisioningError } from "../../errors/provisioning-error.ts";

const FAILURES: Readonly<Record<string, string>> = {
  ENOENT: "it does not exist",
  ENOTDIR: "a part of its path is a file, not a folder",
  EISDIR: "it is a folder, not a regular file",
  EACCES: "this user has no permission",
  EPERM: "this user has no permission",
  ELOOP: "its symbolic links form a circle",
  ENAMETOOLONG: "its path is too long",
  ENXIO: "it is a socket or a device, not a regular file",
  EMFILE: "this process has too many open files",
  ENFILE: "this machine has too many open files",
  EROFS: "its file system is read-only",
  ENOSPC: "its file system is full",
  EDQUOT: "the disk quota of this user is used up",
  EIO: "the device reports an error",
  ESTALE: "it no longer exists on its network file system",
};

/** Describes why a file could not be used, as text with the system's error code. Never quotes the system's message. */
export function describeFileFailure(error: unknown): string {
  if (isProvisioningError(error)) return error.message.replace(/^\[\w+\] /, "");
  const code = error instanceof Error && "code" in error ? String(error.code) : undefined;
  if (code === undefined) return "for an unknown reason";
  if (code === "EFTYPE" && error instanceof Error) return error.message;
  const text = FAILURES[code];
  return text === undefined ? code : `${text} (${code})`;
}
