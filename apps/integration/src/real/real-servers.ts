// For the benchmarks, which run on the same servers.
export { ConsulAgent } from "./consul-agent.ts";
export { ADMIN_TOKEN, KubernetesServer } from "./kubernetes-server.ts";
export { arePrograms } from "./programs.ts";
