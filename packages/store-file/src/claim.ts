import { ProvisioningError } from "@holdfast/core";
import * as z from "zod";
import { writerSchema, type Writer } from "./writer.ts";

/** The content of a claim file: which process is about to replace the stored file. */
export interface Claim {
  readonly writer: Writer;
  /** Random; names the store within its process. */
  readonly instance: string;
  /**
   * The name of the beacon that is lit while the writer is running. Absent where the platform does not support beacons.
   */
  readonly beacon?: string | undefined;
}

const claimSchema: z.ZodType<Claim> = z.object({
  writer: writerSchema,
  instance: z.string(),
  beacon: z.string().optional(),
});

export function encodeClaim({ writer, instance, beacon }: Claim): Uint8Array {
  return Buffer.from(`${JSON.stringify({ writer, instance, beacon })}\n`);
}

/** Returns `undefined` for content that was not written by a store. */
export function parseClaim(bytes: Uint8Array): Claim | undefined {
  try {
    return claimSchema.parse(JSON.parse(Buffer.from(bytes).toString("utf8")));
  } catch {
    return undefined;
  }
}

export interface ClaimConflict {
  readonly file: string;
  readonly claimFile: string;
  /** Undefined when the claim could not be read. */
  readonly claim: Claim | undefined;
}

export function toClaimError({ file, claimFile, claim }: ClaimConflict): ProvisioningError {
  const who =
    claim === undefined ? "another process" : `process ${claim.writer.pid} on host "${claim.writer.host}"`;
  return new ProvisioningError(
    "STORE_CONFLICT",
    `${who} is saving "${file}"; if that process is known to be gone, remove "${claimFile}"`,
    { details: { file, claimFile, pid: claim?.writer.pid, host: claim?.writer.host } },
  );
}
