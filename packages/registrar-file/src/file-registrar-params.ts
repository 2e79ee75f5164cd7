import type { WithDefaults } from "@holdfast/core/adapter";
import * as z from "zod";

/** Where a file registrar announces this process. Only `folder` is required. */
export interface FileRegistrarParams {
  /**
   * The folder that the processes share; created if it does not exist. A relative path starts from the current folder of
   * the process.
   */
  readonly folder: string;
  /** After this many milliseconds without a beat, this process is no longer listed. @defaultValue 10000 */
  readonly ttlMs?: number | undefined;
}

/** `FileRegistrarParams` with the defaults filled in. */
export type FileRegistrarSettings = WithDefaults<FileRegistrarParams, "ttlMs">;

export const fileRegistrarParamsSchema: z.ZodType<FileRegistrarSettings, FileRegistrarParams> =
  z.strictObject({
    folder: z.string().min(1).max(4_096),
    ttlMs: z.int().min(500).max(3_600_000).default(10_000),
  });
