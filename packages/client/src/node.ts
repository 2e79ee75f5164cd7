// Entry point `@holdfast/client/node`: what needs Node.js.
export { holdfast } from "./relaying/holdfast.ts";
export type { HoldfastParams } from "./relaying/holdfast-params.ts";
export { httpTransport, type HttpTransportOptions } from "./relaying/http-transport.ts";
