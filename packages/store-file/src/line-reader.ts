import { ProvisioningError, toValidationProblems } from "@holdfast/core";
import type * as z from "zod";

const NEWLINE = 0x0a;

/**
 * Reads a stored file line by line. Throws `STORE_CORRUPTED` with the number of the damaged line and a reason that does
 * not quote the file.
 */
export class LineReader {
  /** Number of the line read last; the first line is 1. */
  number = 0;
  text = "";
  position = 0;
  readonly #bytes: Uint8Array;
  readonly #file: string;
  readonly #decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

  constructor(bytes: Uint8Array, file: string) {
    this.#bytes = bytes;
    this.#file = file;
  }

  get isAtEnd(): boolean {
    return this.position === this.#bytes.length;
  }

  next<T>(schema: z.ZodType<T>): T {
    const result = schema.safeParse(this.nextJson());
    return result.success ? result.data : this.fail(this.number, describeIssue(result.error.issues));
  }

  nextJson(): unknown {
    this.number++;
    const end = this.#bytes.indexOf(NEWLINE, this.position);
    if (end === -1) this.fail(this.number, "it is cut off: there is no newline at its end");
    const line = this.#bytes.subarray(this.position, end);
    this.position = end + 1;
    return this.#parse(line);
  }

  /** The errors of the decoder and the JSON parser are not kept as the cause, because they quote the text. */
  #parse(line: Uint8Array): unknown {
    try {
      this.text = this.#decoder.decode(line);
    } catch {
      this.fail(this.number, "it is not UTF-8");
    }
    try {
      return JSON.parse(this.text);
    } catch {
      return this.fail(this.number, "it is not JSON");
    }
  }

  fail(line: number, reason: string): never {
    throw new ProvisioningError("STORE_CORRUPTED", `"${this.#file}" is damaged in line ${line}: ${reason}`, {
      details: { file: this.#file, line, reason },
    });
  }
}

/** Says what was expected, but not what was found: not even the name of an unknown field, which is text of the file. */
function describeIssue(issues: readonly z.core.$ZodIssue[]): string {
  const known = issues.filter((issue) => issue.code !== "unrecognized_keys");
  const [problem] = toValidationProblems(known, undefined);
  if (problem === undefined) return "it has an unknown field";
  return `${problem.path === "" ? "" : `${problem.path}: `}expected ${problem.expected}`;
}
