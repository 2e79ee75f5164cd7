import type * as http from "node:http";
import type * as https from "node:https";
import type * as tls from "node:tls";

// Loaded at first use, because many programs that import this package send no request. An import of `node:http` would also evaluate what
// it re-exports: fetch and WebSocket, whose loading takes longer than that of HTTP.

export function nodeHttp(): typeof http {
  return process.getBuiltinModule("node:http");
}

export function nodeHttps(): typeof https {
  return process.getBuiltinModule("node:https");
}

export function nodeTls(): typeof tls {
  return process.getBuiltinModule("node:tls");
}
