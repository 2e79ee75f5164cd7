// Entry point `@holdfast/client/provider`: the provider kind `holdfast`, for Node.js.
export { holdfast } from "./relaying/holdfast.ts";
export type { HoldfastParams } from "./relaying/holdfast-params.ts";
