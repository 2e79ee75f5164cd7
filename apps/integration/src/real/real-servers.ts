// For the benchmarks and the soak, which run on the same servers.
export { ConsulAgent } from "./consul-agent.ts";
export { HttpGateway, type Break, type Fault } from "./http-gateway.ts";
export type { Slice } from "./kubernetes-api.ts";
export { ADMIN_TOKEN, KubernetesServer } from "./kubernetes-server.ts";
export { arePrograms } from "./programs.ts";
export type { ServerProcess } from "./server-process.ts";
export { TcpProxy } from "./tcp-proxy.ts";
