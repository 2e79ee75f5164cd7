import type { Agent } from "node:http";
import type { Socket } from "node:net";
import { ProvisioningError, systemClock } from "@holdfast/core";
import type { TlsMaterial } from "@holdfast/core/adapter";

export interface GuardedAgent extends Disposable {
  readonly agent: Agent;
  /** Why the connection was closed by this side; undefined when it was not. */
  readonly failure: ProvisioningError | undefined;
}

export interface GuardedAgentOptions {
  /** The TLS material for https; undefined for http. */
  readonly tls: TlsMaterial | undefined;
  /** Called once the connection has closed, also when it was closed in the middle of a response. */
  readonly onClose: () => void;
}

/** Responses of the agent are small: it is asked for the checks of one service. */
const MAX_RESPONSE_BYTES = 1_048_576;

/**
 * An agent of Node's HTTP client for one request. It closes the two gaps of the `consul` client: it limits the size of a
 * response, and reports a connection that is closed in the middle of one, after which the client would wait for ever.
 */
export function createGuardedAgent({ tls, onClose }: GuardedAgentOptions): GuardedAgent {
  const agent = tls === undefined ? createHttpAgent() : createHttpsAgent(tls);
  let failure: ProvisioningError | undefined;
  const watch = (socket: Socket): void => {
    let bytes = 0;
    socket.on("data", (chunk: Buffer) => {
      bytes += chunk.byteLength;
      if (bytes <= MAX_RESPONSE_BYTES) return;
      failure = new ProvisioningError(
        "STREAM_INVALID_DATA",
        `the response is longer than ${MAX_RESPONSE_BYTES} bytes`,
      );
      socket.destroy();
    });
    socket.on("close", () => void afterProcessing(onClose));
  };
  const create = agent.createConnection.bind(agent);
  agent.createConnection = (options, callback) => {
    // The client passes an IPv6 address with the brackets of the URL.
    const host = options.host?.replace(/^\[|\]$/g, "");
    const socket = create({ ...options, ...(host !== undefined && { host }) }, callback);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- both agents open sockets, never other streams
    if (socket !== null && socket !== undefined) watch(socket as Socket);
    return socket;
  };
  return {
    agent,
    get failure() {
      return failure;
    },
    [Symbol.dispose]: () => agent.destroy(),
  };
}

/** Two turns of the event loop later, the client has processed a complete response. */
async function afterProcessing(then: () => void): Promise<void> {
  await systemClock.yield();
  await systemClock.yield();
  then();
}

// Not imported, because an import of `node:http` evaluates fetch and WebSocket, which it re-exports.

function createHttpAgent(): Agent {
  return new (process.getBuiltinModule("node:http").Agent)({ keepAlive: false });
}

function createHttpsAgent({ ca, cert, key, serverName }: TlsMaterial): Agent {
  return new (process.getBuiltinModule("node:https").Agent)({
    keepAlive: false,
    // Always set, so that NODE_TLS_REJECT_UNAUTHORIZED=0 does not disable verification.
    rejectUnauthorized: true,
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
    ...(serverName !== undefined && { servername: serverName }),
  });
}
