// Entry point for authors of adapters: `@holdfast/core/adapter`.
export {
  defineAdapter,
  type AdapterDefinition,
  type AdapterEnvironment,
  type DefinedAdapter,
  type DiscoveryDefinition,
  type DiscoveryEnvironment,
  type OpenDiscovery,
  type OpenProvider,
} from "./adapter-kit/define-adapter.ts";
export {
  defineRegistrar,
  type OpenRegistration,
  type RegistrarDefinition,
  type RegistrarEnvironment,
} from "./adapter-kit/define-registrar.ts";
export { assertRegularFile } from "./adapter-kit/files/assert-regular-file.ts";
export { ByteParts } from "./adapter-kit/files/byte-parts.ts";
export { describeFileFailure } from "./adapter-kit/files/describe-file-failure.ts";
export { fileAccess, type FileAccess } from "./adapter-kit/files/file-access.ts";
export { readFileWithin, type ReadFileOptions } from "./adapter-kit/files/read-file-within.ts";
export { collectBytes, type CollectOptions } from "./adapter-kit/http/collect-bytes.ts";
export type { TlsMaterial } from "./adapter-kit/http/connection-pool.ts";
export { HttpClient, type HttpClientOptions, type HttpRequest } from "./adapter-kit/http/http-client.ts";
export { toHttpFailure } from "./adapter-kit/http/http-failure.ts";
export { toProxyHost, type HttpProxy, type ProxyAgentFactories } from "./adapter-kit/http/http-proxy.ts";
export { HttpResponse } from "./adapter-kit/http/http-response.ts";
export { toNetworkFailure, type NetworkFailure } from "./adapter-kit/http/network-failure.ts";
export { isThisMachine, proxyFromEnvironment } from "./adapter-kit/http/proxy-from-environment.ts";
export { readPemFile } from "./adapter-kit/http/read-pem-file.ts";
export { readTlsFiles, tlsFilesSchema, type TlsFiles } from "./adapter-kit/http/tls-files.ts";
export { parseRetryAfter } from "./adapter-kit/http/retry-after.ts";
export { toRequestError, type HttpPeer } from "./adapter-kit/http/to-request-error.ts";
export { EXPECTED_HOST, isHost } from "./adapter-kit/is-host.ts";
export { fieldOf, listOf, textOf } from "./adapter-kit/json-field.ts";
export { parseJson } from "./adapter-kit/parse-json.ts";
export { parseParams } from "./adapter-kit/parse-params.ts";
export { ProviderLife } from "./adapter-kit/provider-life.ts";
export {
  resolveSecret,
  secretReferenceSchema,
  type ResolveSecretOptions,
  type SecretReference,
} from "./adapter-kit/secret-reference.ts";
export { SkipTally, toSkipReason } from "./adapter-kit/skip-tally.ts";
export { shortenId, trimNode, type TrimmedNode } from "./adapter-kit/trim-node.ts";
export type { WithDefaults } from "./adapter-kit/with-defaults.ts";
export { toSafeCause } from "./errors/safe-cause.ts";
export { withDetails } from "./errors/with-details.ts";
export { clusterNodeSchema } from "./model/cluster-node-schema.ts";
export { MAX_MEMBERS } from "./model/member-limit.ts";
export { NODE_LIMITS } from "./model/node-limits.ts";
export { createNodeReader, type NodeReader } from "./model/node-reader.ts";
export { providerIdSchema } from "./model/provider-id-schema.ts";
export { TOPOLOGY_NAME_PATTERN } from "./model/topology-name.ts";
