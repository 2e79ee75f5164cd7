import { createDeadline, fieldOf, ProvisioningError, toNetworkFailure, type Clock } from "@holdfast/core";
import type { NodeExplanation } from "@holdfast/provisioning";
import { loadConfig } from "../config/load-config.ts";
import { toExplanationLines } from "../output/explanation-lines.ts";
import type { CommandContext } from "./command-context.ts";

export interface ExplainOptions {
  /** The configuration of the running daemon: says where it listens. */
  readonly config?: string | undefined;
  /** Where it listens, instead. */
  readonly url?: string | undefined;
}

const DEFAULT_URL = "http://127.0.0.1:7420";
const ANSWER_WITHIN_MS = 5_000;

/**
 * Asks a running daemon why a node is in, out, held or blocked, and prints the answer. Throws `CONNECTIVITY_*` when it cannot
 * be asked, `VALIDATION_MALFORMED` for a URL that is none, or as `loadConfig` does.
 */
export async function explain(
  nodeId: string,
  options: ExplainOptions,
  context: CommandContext,
): Promise<void> {
  const { terminal, out, paint, isJson } = context;
  const base = await findDaemon(options, terminal.cwd);
  const explanation = await ask(toUrl(base, nodeId), terminal.clock);
  if (isJson) return out.write(JSON.stringify(explanation));
  for (const line of toExplanationLines(explanation, paint)) await out.write(line);
}

async function findDaemon({ url, config: file }: ExplainOptions, cwd: string): Promise<string> {
  if (url !== undefined) return url;
  if (file === undefined) return DEFAULT_URL;
  const { config } = await loadConfig(file, { cwd });
  if (config.http === false) {
    throw new ProvisioningError(
      "VALIDATION_MALFORMED",
      `${file} turns the endpoints off: nobody can be asked`,
    );
  }
  const { host, port } = config.http;
  const isAny = host === "0.0.0.0" || host === "::";
  const name = host.includes(":") ? `[${host}]` : host;
  return `http://${isAny ? "127.0.0.1" : name}:${port}`;
}

function toUrl(base: string, nodeId: string): URL {
  if (!URL.canParse("explain", base)) {
    throw new ProvisioningError("VALIDATION_MALFORMED", "--url is no URL, such as http://127.0.0.1:7420");
  }
  const url = new URL("explain", base.endsWith("/") ? base : `${base}/`);
  url.searchParams.set("node", nodeId);
  return url;
}

async function ask(url: URL, clock: Clock): Promise<NodeExplanation> {
  const { host } = url;
  const error = () =>
    new ProvisioningError(
      "CONNECTIVITY_TIMEOUT",
      `the daemon at ${host} did not answer within ${ANSWER_WITHIN_MS} ms`,
    );
  using deadline = createDeadline({ afterMs: ANSWER_WITHIN_MS, clock, error });
  try {
    const response = await fetch(url, { signal: deadline.signal });
    const body: unknown = await response.json();
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a daemon says only this, and a stranger has no rule
    if (response.ok && typeof fieldOf(body, "rule") === "string") return body as NodeExplanation;
    throw new ProvisioningError(
      "CONNECTIVITY_UNAVAILABLE",
      `${host} answers ${response.status}, and no explanation`,
    );
  } catch (cause) {
    if (deadline.signal.aborted) throw error();
    if (cause instanceof ProvisioningError) throw cause;
    const failure = toNetworkFailure(cause);
    if (failure === undefined) {
      throw new ProvisioningError("CONNECTIVITY_UNAVAILABLE", `what answers at ${host} is no daemon`);
    }
    throw new ProvisioningError(failure.code, `the daemon at ${host} ${failure.failure}; is it running?`, {
      cause,
    });
  }
}
