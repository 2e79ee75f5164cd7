import {
  createDeadline,
  DEFAULT_TOPOLOGY,
  isProvisioningError,
  isTopologyName,
  ProvisioningError,
  sleep,
  type Clock,
} from "@holdfast/core";
import { collectBytes, parseJson, parseRetryAfter, toNetworkFailure } from "@holdfast/core/adapter";
import * as z from "zod";
import { loadConfig } from "../config/load-config.ts";
import { explainedSchema } from "../output/explained.ts";
import { toExplanationLines } from "../output/explanation-lines.ts";
import { toJsonText } from "../output/printable.ts";
import type { CommandContext } from "./command-context.ts";
import { toUnknownTopologyError } from "./unknown-topology-error.ts";

export interface ExplainOptions {
  /** Path of the configuration file of the running daemon. It contains the address of the daemon. */
  readonly config?: string | undefined;
  /** The URL of the daemon, instead of `config`. */
  readonly url?: string | undefined;
  /** The name of a topology of the daemon. @defaultValue "default", or the only one of `config` */
  readonly topology?: string | undefined;
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
  const { base, topology } = await findDaemon(options, terminal.cwd);
  const url = toUrl(base, topology, nodeId);
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

interface DaemonPlace {
  readonly base: string;
  readonly topology: string;
}

async function findDaemon(options: ExplainOptions, cwd: string): Promise<DaemonPlace> {
  const { url, config: file, topology = DEFAULT_TOPOLOGY } = options;
  if (url !== undefined) return { base: url, topology };
  if (file === undefined) return { base: DEFAULT_URL, topology };
  const { config, topologies } = await loadConfig(file, { cwd, loadsAdapters: false });
  if (config.http === false) {
    throw new ProvisioningError(
      "VALIDATION_MALFORMED",
      `${file} turns the endpoints off, so the daemon cannot be reached`,
    );
  }
  const { host, port } = config.http;
  const isAny = host === "0.0.0.0" || host === "::";
  const name = host.includes(":") ? `[${host}]` : host;
  const base = `http://${isAny ? "127.0.0.1" : name}:${port}`;
  const [first] = topologies;
  const isOnly = options.topology === undefined && topologies.length === 1 && first !== undefined;
  return { base, topology: isOnly ? first.name : topology };
}

function toUrl(base: string, topology: string, nodeId: string): URL {
  if (!isTopologyName(topology)) throw toUnknownTopologyError(topology);
  const path = topology === DEFAULT_TOPOLOGY ? "explain" : `topologies/${topology}/explain`;
  const url = URL.parse(path, base.endsWith("/") ? base : `${base}/`);
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
    if (status === 404) throw toNotFoundError(url, await readJson(body));
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

async function readJson(body: Response["body"]): Promise<unknown> {
  const bytes = body === null ? Buffer.alloc(0) : await collectBytes(body, { maxBytes: MAX_BYTES });
  return parseJson(bytes.toString());
}

const unknownTopologySchema = z.object({
  error: z.object({ code: z.literal("TOPOLOGY_UNKNOWN"), message: z.string().max(65_536) }),
});

/** Only a daemon names the topologies that exist. */
function toNotFoundError(url: URL, answer: unknown): ProvisioningError {
  const unknown = unknownTopologySchema.safeParse(answer);
  if (unknown.success) return new ProvisioningError("TOPOLOGY_UNKNOWN", unknown.data.error.message);
  return new ProvisioningError("CONNECTIVITY_UNAVAILABLE", `${url.host} answers 404`, {
    details: { status: 404 },
  });
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
    return await readJson(body);
  } catch (cause) {
    if (deadline.signal.aborted) throw error();
    if (isProvisioningError(cause)) throw cause;
    const { code, failure } = toNetworkFailure(cause) ?? { code: "STREAM_FAILED", failure: "broke off" };
    throw new ProvisioningError(code, `the daemon at ${host} ${failure}; is it running?`, { cause });
  }
}
