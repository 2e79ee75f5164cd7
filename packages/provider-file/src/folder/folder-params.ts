import type { WithDefaults } from "@holdfast/core/adapter";
import * as z from "zod";

/** The parameters of a folder provider. Only `path` is required. */
export interface FolderParams {
  /**
   * The folder whose `.json` files list the members. A relative path starts from the adapter's `baseDir`, or else from
   * the current folder of the process.
   */
  readonly path: string;
  /**
   * Milliseconds between two checks of the folder, in addition to notifications of the file system. @defaultValue 1000
   */
  readonly pollMs?: number | undefined;
  /**
   * Milliseconds for which the folder must stay missing, or a file invalid, before that is reported. @defaultValue 150
   */
  readonly settleMs?: number | undefined;
  /** A larger file is left out. @defaultValue 262144 */
  readonly maxBytes?: number | undefined;
}

/** `FolderParams` with the defaults filled in. */
export type FolderSettings = WithDefaults<FolderParams, "pollMs" | "settleMs" | "maxBytes">;

export const folderParamsSchema: z.ZodType<FolderSettings, FolderParams> = z.strictObject({
  path: z
    .string()
    .min(1)
    .max(4_096)
    .describe(
      "The folder whose .json files list the members. A relative path starts from the folder of the configuration.",
    ),
  pollMs: z
    .int()
    .min(10)
    .max(60_000)
    .default(1_000)
    .describe(
      "Milliseconds between two checks of the folder, in addition to notifications of the file system.",
    ),
  settleMs: z
    .int()
    .min(0)
    .max(10_000)
    .default(150)
    .describe(
      "Milliseconds for which the folder must stay missing, or a file invalid, before that is reported.",
    ),
  maxBytes: z.int().min(1).max(1_048_576).default(262_144).describe("A larger file is left out."),
});
