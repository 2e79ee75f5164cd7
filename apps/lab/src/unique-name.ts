import { randomBytes } from "node:crypto";

/** A name that nobody else has, also on a server that others use, and that is a DNS label. */
export function uniqueName(): string {
  return `holdfast-test-${randomBytes(6).toString("hex")}`;
}
