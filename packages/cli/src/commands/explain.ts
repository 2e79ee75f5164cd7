import { createDeadline, isProvisioningError, ProvisioningError, sleep, type Clock } from "@holdfast/core";
import { collectBytes, parseJson, parseRetryAfter, toNetworkFailure } from "@holdfast/core/adapter";
import { loadConfig } from "../config/load-config.ts";
import { explainedSchema } from "../output/explained.ts";
import { toExplanationLines } from "../output/explanation-lines.ts";
import { toJsonText } from "../output/printable.ts";
import type { CommandContext } from "./command-context.ts";

export interface ExplainOptions {
  /** Path of the configuration file of the running daemon. It contains the address of the daemon. */
  readonly config?: string | undefined;
  /** The URL of the daemon, instead of `config`. */
  readonly url?: string | undefined;
}

const DEFAULT_URL = "http://127.0.0.1:7420";
const RESPONSE_WITHIN_MS = 5_000;
/** Minimum pause before a retry, also when the daemon asks for a shorter one. */
const LEAST_PAUSE_MS = 100;
const MAX_BYTES = 4_194_304;

/**
 * Asks a running daemon why a node is in, out, held or blocked, and prints the response. Throws `CONNECTIVITY_*` when
 * the daemon cannot be reached, `VALIDATION_MALFORMED` for an invalid URL, and the errors of `loadConfig`.
 */
export async function explain(
  nodeId: string,
  options: ExplainOptions,
  context: CommandContext,
): Promise<void> {
  const { terminal, out, paint, isJson } = context;
  const base = await findDaemon(options, terminal.cwd);
  const url = toUrl(base, nodeId);
  const answer = await ask(url, terminal.clock);
  const explained = explainedSchema.safeParse(answer);
  if (!explained.success) {
    throw new ProvisioningError(
      "CONNECTIVITY_UNAVAILABLE",
      `the server at ${url.host} is not a Holdfast daemon`,
    );
  }
  if (isJson) return out.write(toJsonText(answer));
  for (const line of toExplanationLines(explained.data, paint)) await out.write(line);
}

async function findDaemon({ url, config: file }: ExplainOptions, cwd: string): Promise<string> {
  if (url !== undefined) return url;
  if (file === undefined) return DEFAULT_URL;
  const { config } = await loadConfig(file, { cwd, loadsAdapters: false });
  if (config.http === false) {
    throw new ProvisioningError(
      "VALIDATION_MALFORMED",
      `${file} turns the endpoints off, so the daemon cannot be reached`,
    );
  }
  const { host, port } = config.http;
  const isAny = host === "0.0.0.0" || host === "::";
  const name = host.includes(":") ? `[${host}]` : host;
  return `http://${isAny ? "127.0.0.1" : name}:${port}`;
}

function toUrl(base: string, nodeId: string): URL {
  const url = URL.parse("explain", base.endsWith("/") ? base : `${base}/`);
  if (url === null || !/^https?:$/.test(url.protocol) || url.username !== "" || url.password !== "") {
    throw new ProvisioningError(
      "VALIDATION_MALFORMED",
      "--url must be a URL of http or https, without a name and password, such as http://127.0.0.1:7420",
    );
  }
  url.searchParams.set("node", nodeId);
  return url;
}

/**
 * Returns the successful response. If the daemon is busy (503 with Retry-After), the request is repeated after that
 * time.
 */
async function fetchPatiently(url: URL, clock: Clock, signal: AbortSignal): Promise<Response> {
  const endAt = clock.monotonic() + RESPONSE_WITHIN_MS;
  for (;;) {
    const response = await fetch(url, { signal });
    const { ok, status, headers, body } = response;
    if (ok) return response;
    await body?.cancel();
    const retryAfterMs = parseRetryAfter(headers.get("retry-after") ?? undefined, clock.now());
    if (status === 503 && retryAfterMs !== undefined && clock.monotonic() + retryAfterMs < endAt) {
      await sleep(Math.max(retryAfterMs, LEAST_PAUSE_MS), { clock, signal });
      continue;
    }
    const later = retryAfterMs === undefined ? "" : ` and asks for a new attempt after ${retryAfterMs} ms`;
    throw new ProvisioningError("CONNECTIVITY_UNAVAILABLE", `${url.host} answers ${status}${later}`, {
      details: { status, retryAfterMs },
    });
  }
}

async function ask(url: URL, clock: Clock): Promise<unknown> {
  const { host } = url;
  const error = () =>
    new ProvisioningError(
      "CONNECTIVITY_TIMEOUT",
      `the daemon at ${host} did not respond within ${RESPONSE_WITHIN_MS} ms`,
    );
  using deadline = createDeadline({ afterMs: RESPONSE_WITHIN_MS, clock, error });
  try {
    const { body } = await fetchPatiently(url, clock, deadline.signal);
    const bytes = body === null ? Buffer.alloc(0) : await collectBytes(body, { maxBytes: MAX_BYTES });
    return parseJson(bytes.toString());
  } catch (cause) {
    if (deadline.signal.aborted) throw error();
    if (isProvisioningError(cause)) throw cause;
    const { code, failure } = toNetworkFailure(cause) ?? { code: "STREAM_FAILED", failure: "broke off" };
    throw new ProvisioningError(code, `the daemon at ${host} ${failure}; is it running?`, { cause });
  }
}
