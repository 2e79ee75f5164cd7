import { randomBytes } from "node:crypto";

/** Returns a name that is unique, also on a shared server, and a valid DNS label. */
export function uniqueName(): string {
  return `holdfast-test-${randomBytes(6).toString("hex")}`;
}
