import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { programOf } from "./programs.ts";
import { findFreePorts } from "./find-free-ports.ts";
import { KubernetesApi } from "./kubernetes-api.ts";
import { ServerProcess } from "./server-process.ts";
import { TcpProxy } from "../proxies/tcp-proxy.ts";

const run = promisify(execFile);
/** The token of a user with all permissions. */
export const ADMIN_TOKEN = "admin-token";
/** The token of the user `reader`, who has only the permissions that RBAC grants. */
export const READER_TOKEN = "reader-token";

/** An etcd server and a Kubernetes API server that uses it. */
export class KubernetesServer implements AsyncDisposable {
  /** `https://127.0.0.1:PORT`. */
  readonly address: string;
  readonly caFile: string;
  readonly api: KubernetesApi;
  readonly apiServer: ServerProcess;
  readonly etcd: ServerProcess;
  /** The proxy between the API server and etcd. */
  readonly storage: TcpProxy;
  readonly #etcdAddress: string;
  readonly #folder: string;

  private constructor(
    folder: string,
    storage: TcpProxy,
    apiPort: number,
    etcdPort: number,
    peerPort: number,
  ) {
    this.#folder = folder;
    this.storage = storage;
    this.address = `https://127.0.0.1:${apiPort}`;
    this.caFile = join(folder, "certs", "apiserver.crt");
    this.#etcdAddress = `http://127.0.0.1:${etcdPort}`;
    this.api = new KubernetesApi({
      address: this.address,
      headers: { authorization: `Bearer ${ADMIN_TOKEN}` },
      // The certificate of the server is self-signed.
      tls: { rejectUnauthorized: false },
    });
    this.etcd = this.#createEtcd(`http://127.0.0.1:${peerPort}`);
    const args = ["--etcd-servers", storage.address, "--bind-address", "127.0.0.1"];
    args.push("--secure-port", String(apiPort), "--cert-dir", join(folder, "certs"));
    args.push("--token-auth-file", join(folder, "tokens.csv"), "--etcd-compaction-interval", "0");
    const command = { file: programOf("kube-api"), args, cwd: folder };
    this.apiServer = new ServerProcess(command, () => this.api.isReady());
  }

  static async start(): Promise<KubernetesServer> {
    const [api, etcd, peer] = await findFreePorts(3);
    const folder = await mkdtemp(join(tmpdir(), "holdfast-kubernetes-"));
    const tokens = [`${ADMIN_TOKEN},admin,u-admin,system:masters`, `${READER_TOKEN},reader,u-reader,readers`];
    await writeFile(join(folder, "tokens.csv"), `${tokens.join("\n")}\n`);
    await writeFile(join(folder, "admin-token"), ADMIN_TOKEN);
    const storage = await TcpProxy.listen(`http://127.0.0.1:${etcd!}`);
    const server = new KubernetesServer(folder, storage, api!, etcd!, peer!);
    try {
      await server.etcd.start();
      await server.apiServer.start();
      return server;
    } catch (error) {
      await server[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** The parameters of a provider, without the service and the namespace. `address` can be the address of a proxy. */
  params(address: string = this.address): Readonly<Record<string, unknown>> {
    const token = { file: join(this.#folder, "admin-token") };
    return { server: address, caFile: this.caFile, token };
  }

  /** Removes all old versions from etcd and from the cache of the API server. */
  async compact(): Promise<void> {
    const etcdctl = async (...args: readonly string[]) =>
      (await run(programOf("etcdctl"), ["--endpoints", this.#etcdAddress, ...args])).stdout;
    const status = JSON.parse(await etcdctl("endpoint", "status", "-w", "json")) as readonly {
      Status: { header: { revision: number } };
    }[];
    await etcdctl("compact", String(status[0]!.Status.header.revision));
    await this.apiServer.restart();
  }

  /** Kills both servers and starts them again without any data, so that versions begin again at 1. */
  async loseData(): Promise<void> {
    await this.apiServer.kill();
    await this.etcd.kill();
    await rm(join(this.#folder, "etcd"), { recursive: true });
    await this.etcd.start();
    await this.apiServer.start();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.api.close();
    await this.apiServer[Symbol.asyncDispose]();
    await this.etcd[Symbol.asyncDispose]();
    await this.storage[Symbol.asyncDispose]();
    await rm(this.#folder, { recursive: true, force: true });
  }

  #createEtcd(peer: string): ServerProcess {
    const args = ["--name", "e1", "--data-dir", join(this.#folder, "etcd")];
    args.push("--listen-client-urls", this.#etcdAddress, "--advertise-client-urls", this.#etcdAddress);
    args.push("--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer);
    args.push("--initial-cluster", `e1=${peer}`, "--unsafe-no-fsync", "--log-level", "warn");
    const command = { file: programOf("etcd"), args, cwd: this.#folder };
    return new ServerProcess(command, async () => (await fetch(`${this.#etcdAddress}/health`)).ok);
  }
}
