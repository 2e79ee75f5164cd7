import { dirname, isAbsolute, join } from "node:path";
import type * as z from "zod";
import type { KubeconfigEntry } from "./kubeconfig-file.ts";
import { describeFile, unusable } from "./unusable-kubeconfig.ts";

/** A certificate or key, as bytes or as a file. */
export type PemSource = { readonly data: Buffer } | { readonly file: string };

/** Reads the fields of one entry. Every error names the file and the entry. */
export class EntryReader {
  /** The name in messages: `the user "u" of the kubeconfig "/path"`. */
  readonly label: string;
  readonly #entry: KubeconfigEntry;

  constructor(kind: "cluster" | "user" | "context", entry: KubeconfigEntry) {
    this.#entry = entry;
    this.label = `the ${kind} "${entry.name}" of ${describeFile(entry.path)}`;
  }

  /** Throws `CONNECTIVITY_SECRET_UNAVAILABLE` with the name of the field that does not match the schema. */
  read<T>(schema: z.ZodType<T>): T {
    const parsed = schema.safeParse(this.#entry.value ?? {});
    if (parsed.success) return parsed.data;
    const field = parsed.error.issues[0]?.path[0];
    throw this.unusable(
      typeof field === "string" ? `${field} does not have the expected form` : "expected a mapping",
    );
  }

  /** Resolves a path relative to the file that contains it. */
  toPath(file: string): string {
    const { path } = this.#entry;
    return path === undefined || isAbsolute(file) ? file : join(dirname(path), file);
  }

  /** Data takes precedence over a file, which is then not opened ("Authenticating", kubeconfig reference). */
  toPem(field: string, data: string | undefined, file: string | undefined): PemSource | undefined {
    if (data !== undefined) {
      const bytes = Buffer.from(data, "base64");
      const isBase64 = /^[A-Za-z0-9+/\s]*=*\s*$/.test(data) && bytes.byteLength > 0;
      if (!isBase64) throw this.unusable(`${field}-data: expected base64`);
      return { data: bytes };
    }
    return file === undefined ? undefined : { file: this.toPath(file) };
  }

  unusable(why: string): Error {
    return unusable(this.label, why);
  }
}
