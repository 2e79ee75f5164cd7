import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { programOf } from "./programs.ts";
import { ConsulCatalog } from "./consul-catalog.ts";
import { findFreePorts } from "./find-free-ports.ts";
import { ServerProcess } from "./server-process.ts";

export interface ConsulAgentOptions {
  /**
   * `true`: it keeps its data across restarts. `false`: it runs in development mode, in memory, so after a restart its indexes are low
   * and nothing is registered. @defaultValue false
   */
  readonly isDurable?: boolean | undefined;
}

/** A Consul with one server. */
export class ConsulAgent implements AsyncDisposable {
  readonly address: string;
  readonly catalog: ConsulCatalog;
  readonly process: ServerProcess;
  readonly #folder: string;

  private constructor(address: string, process: ServerProcess, catalog: ConsulCatalog, folder: string) {
    this.address = address;
    this.process = process;
    this.catalog = catalog;
    this.#folder = folder;
  }

  static async start({ isDurable = false }: ConsulAgentOptions = {}): Promise<ConsulAgent> {
    const [http, lan, wan, server] = await findFreePorts(4);
    const folder = await mkdtemp(join(tmpdir(), "holdfast-consul-"));
    const args = ["agent", "-bind", "127.0.0.1", "-client", "127.0.0.1", "-node", "dev1"];
    if (isDurable) args.push("-server", "-bootstrap-expect", "1", "-data-dir", join(folder, "data"));
    else args.push("-dev");
    args.push(
      "-log-level",
      "warn",
      "-http-port",
      String(http),
      "-dns-port",
      "-1",
      "-server-port",
      String(server),
    );
    args.push("-serf-lan-port", String(lan), "-serf-wan-port", String(wan));
    args.push("-hcl", "ports { grpc = -1 } performance { raft_multiplier = 1 }");
    const address = `http://127.0.0.1:${http}`;
    const catalog = new ConsulCatalog({ address });
    const command = { file: programOf("consul"), args, cwd: folder };
    const process = new ServerProcess(command, () => catalog.hasLeader());
    const agent = new ConsulAgent(address, process, catalog, folder);
    await process.start();
    return agent;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.catalog.close();
    await this.process[Symbol.asyncDispose]();
    await rm(this.#folder, { recursive: true, force: true });
  }
}
