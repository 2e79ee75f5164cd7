import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { programOf } from "./programs.ts";
import { ConsulCatalog } from "./consul-catalog.ts";
import { eventually } from "../eventually.ts";
import { findFreePorts } from "./find-free-ports.ts";
import { ServerProcess } from "./server-process.ts";
import { uniqueName } from "../unique-name.ts";

interface ConsulServer {
  readonly host: string;
  /** `https://...`, for the tested provider. */
  readonly address: string;
  readonly process: ServerProcess;
  /** Uses plain HTTP, for the requests of the test. */
  readonly catalog: ConsulCatalog;
}

interface ConsulToken {
  readonly secret: string;
  readonly accessor: string;
}

const run = promisify(execFile);
const MASTER_TOKEN = "3a5e5f1c-8d0c-4f0b-9c3e-8a1f5e9d7b21";

/** Three servers and a client agent, each on a separate loopback address, with TLS and with ACLs that deny by default. */
export class ConsulCluster implements AsyncDisposable {
  readonly servers: readonly ConsulServer[];
  /** Forwards its requests to one of the servers. */
  readonly client: ConsulServer;
  readonly caFile: string;
  readonly #folder: string;

  private constructor(servers: readonly ConsulServer[], client: ConsulServer, folder: string) {
    this.servers = servers;
    this.client = client;
    this.#folder = folder;
    this.caFile = join(folder, "consul-agent-ca.pem");
  }

  /** `more` is additional configuration for every server. */
  static async start(more: Readonly<Record<string, unknown>> = {}): Promise<ConsulCluster> {
    const folder = await mkdtemp(join(tmpdir(), "holdfast-consul-cluster-"));
    const consul = programOf("consul");
    await run(consul, ["tls", "ca", "create"], { cwd: folder });
    const hosts = ["127.0.0.11", "127.0.0.12", "127.0.0.13"];
    const all = [...hosts, "127.0.0.14"];
    const names = all.map((host) => `-additional-ipaddress=${host}`);
    await run(consul, ["tls", "cert", "create", "-server", "-dc", "dc1", ...names], { cwd: folder });
    const [http, https, lan, wan, server] = await findFreePorts(5);
    const members = await Promise.all(
      all.map(async (host, index) => {
        const isServer = hosts.includes(host);
        const config = {
          ...(isServer ? { server: true, bootstrap_expect: hosts.length, ...more } : {}),
          node_name: `${isServer ? "server" : "client"}-${index + 1}`,
          bind_addr: host,
          client_addr: host,
          data_dir: join(folder, `data-${index}`),
          retry_join: hosts.map((each) => `${each}:${lan}`),
          retry_interval: "1s",
          log_level: "warn",
          ports: { http, https, serf_lan: lan, serf_wan: wan, server, dns: -1, grpc: -1 },
          ca_file: join(folder, "consul-agent-ca.pem"),
          cert_file: join(folder, "dc1-server-consul-0.pem"),
          key_file: join(folder, "dc1-server-consul-0-key.pem"),
          acl: {
            enabled: true,
            default_policy: "deny",
            tokens: { master: MASTER_TOKEN, agent: MASTER_TOKEN },
          },
          performance: { raft_multiplier: 1 },
        };
        await mkdir(config.data_dir);
        const file = join(folder, `server-${index}.json`);
        await writeFile(file, JSON.stringify(config));
        const catalog = new ConsulCatalog({ address: `http://${host}:${http}`, token: MASTER_TOKEN });
        const command = { file: consul, args: ["agent", "-config-file", file], cwd: folder };
        const process = new ServerProcess(command, () => catalog.hasLeader());
        return { host, address: `https://${host}:${https}`, process, catalog };
      }),
    );
    const [client] = members.splice(hosts.length);
    const servers = members;
    const cluster = new ConsulCluster(servers, client!, folder);
    try {
      await Promise.all([...servers, client!].map(({ process }) => process.start()));
      // The ACL system starts after the first leader was elected.
      await eventually(() => servers[0]!.catalog.call("GET", "/v1/acl/tokens"));
      return cluster;
    } catch (error) {
      await cluster[Symbol.asyncDispose]();
      throw error;
    }
  }

  async leader(): Promise<ConsulServer> {
    const address = await Promise.any(
      this.servers.map(({ catalog }) => catalog.call("GET", "/v1/status/leader")),
    );
    const [host] = String(address).split(":");
    return this.servers.find((server) => server.host === host)!;
  }

  /** Creates a token that may read these services and their nodes; returns it with its accessor. */
  createToken(...services: readonly string[]): Promise<ConsulToken> {
    const rules = services.map((service) => `service "${service}" { policy = "read" }`);
    return this.createTokenWith(...rules, 'node_prefix "" { policy = "read" }');
  }

  /** Creates a token with these rules; returns it with its accessor. */
  async createTokenWith(...rules: readonly string[]): Promise<ConsulToken> {
    const { catalog } = await this.leader();
    const Name = `policy-${uniqueName()}`;
    await catalog.call("PUT", "/v1/acl/policy", { Name, Rules: rules.join("\n") });
    const token = (await catalog.call("PUT", "/v1/acl/token", { Policies: [{ Name }] })) as {
      SecretID: string;
      AccessorID: string;
    };
    return { secret: token.SecretID, accessor: token.AccessorID };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const all = [...this.servers, this.client];
    await Promise.all(all.map(({ catalog }) => catalog.close()));
    await Promise.all(all.map(({ process }) => process[Symbol.asyncDispose]()));
    await rm(this.#folder, { recursive: true, force: true });
  }
}
