import { dirname, resolve } from "node:path";
import { readFileWithin } from "@holdfast/core/adapter";
import { toConfigError, type ConfigProblem } from "./config-problem.ts";
import { parseConfigSource, type ConfigSource } from "./config-source.ts";

/** A configuration file that was read but not validated yet. */
export interface ConfigFile {
  /** Absolute path, like `folder`. */
  readonly file: string;
  readonly folder: string;
  readonly source: ConfigSource;
  /** The parsed content. An empty file counts as an empty object. */
  readonly input: unknown;
}

const MAX_BYTES = 1_048_576;

/**
 * Throws one `VALIDATION_MALFORMED` with `details.problems` when the file cannot be read or is not valid YAML or JSON.
 */
export async function readConfig(name: string, cwd: string): Promise<ConfigFile> {
  const file = resolve(cwd, name);
  const source = parseConfigSource(await readText(file));
  if (source.problems.length > 0) throw toConfigError(file, source.problems);
  return { file, folder: dirname(file), source, input: source.value ?? {} };
}

async function readText(file: string): Promise<string> {
  let bytes: Buffer | undefined;
  try {
    bytes = await readFileWithin(file, { maxBytes: MAX_BYTES });
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "unknown";
    throw toConfigError(file, [wholeFile("a file that can be read", READ_FAILURES[code] ?? code)]);
  }
  if (bytes === undefined) throw toConfigError(file, [wholeFile(`at most ${MAX_BYTES} bytes`, "more")]);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw toConfigError(file, [wholeFile("text in UTF-8", "other bytes")]);
  }
}

const READ_FAILURES: Readonly<Record<string, string>> = {
  ENOENT: "no such file",
  EISDIR: "a folder",
  EFTYPE: "a named pipe or a device",
  ENXIO: "a socket",
  EACCES: "no permission to read it",
  CONNECTIVITY_TIMEOUT: "a file that cannot be read within 5 seconds",
};

function wholeFile(expected: string, got: string): ConfigProblem {
  return { path: "", expected, got, code: "VALIDATION_MALFORMED" };
}
