// Entry point `@holdfast/core/portable`: the parts of `@holdfast/core/adapter` that use nothing of Node.js, for code that also runs in a
// browser or a worker.
export { toHttpFailure } from "./adapter-kit/http/http-failure.ts";
export { toNetworkFailure, type NetworkFailure } from "./adapter-kit/http/network-failure.ts";
export { parseRetryAfter } from "./adapter-kit/http/retry-after.ts";
export { fieldOf, listOf, textOf } from "./adapter-kit/json-field.ts";
export { parseJson } from "./adapter-kit/parse-json.ts";
export { MAX_MEMBERS } from "./model/member-limit.ts";
export { createNodeReader, type NodeReader } from "./model/node-reader.ts";
