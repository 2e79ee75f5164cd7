import { open, type FileHandle } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { basename, dirname, join } from "node:path";

/**
 * Files that show whether a process is running. A beacon is "lit" while the process that created it is running. It goes
 * out when the last thread of that process has ended, however it ended. Unlike a process id, a beacon can be checked
 * from every container that shares the folder, but only on the same machine: on a machine that shares the folder over
 * the network, no beacon is lit.
 */
export interface Beacons {
  /**
   * Creates a beacon as a new file at `path`. Returns `undefined` where that is not possible. Disposing of it removes
   * the file.
   */
  light(path: string): Promise<AsyncDisposable | undefined>;
  /** Returns `undefined` when the state is unknown: the file is missing, cannot be accessed, or is not a beacon. */
  isLit(path: string): Promise<boolean | undefined>;
}

/**
 * A beacon is a Unix socket with a listener. The kernel finds the listener through the file itself, so process and
 * network namespaces do not matter. It refuses connections once the listener is closed. That happens when the last
 * thread of the process has ended, so no thread can still be inside a system call. A process that is stopped (SIGSTOP)
 * still counts as running.
 */
export const systemBeacons: Beacons = {
  async light(path) {
    try {
      const short = await ShortPath.to(path);
      const server = createServer((socket) => socket.destroy());
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      server.once("error", reject);
      server.listen({ path: short.path, exclusive: true }, resolve);
      try {
        await promise;
      } catch (error) {
        await short[Symbol.asyncDispose]();
        throw error;
      }
      server.unref();
      return {
        async [Symbol.asyncDispose]() {
          const closed = Promise.withResolvers<void>();
          // Closing the server also removes the file.
          server.close(() => closed.resolve());
          await closed.promise;
          await short[Symbol.asyncDispose]();
        },
      };
    } catch {
      // The platform or the file system does not support Unix sockets.
      return undefined;
    }
  },

  async isLit(path) {
    try {
      await using short = await ShortPath.to(path);
      const { promise, resolve } = Promise.withResolvers<boolean | undefined>();
      const socket = connect({ path: short.path });
      socket.once("connect", () => resolve(true));
      socket.once("error", (error: NodeJS.ErrnoException) =>
        resolve(error.code === "ECONNREFUSED" ? false : undefined),
      );
      const isLit = await promise;
      socket.destroy();
      return isLit;
    } catch {
      return undefined;
    }
  },
};

/**
 * Longest usable address of a Unix socket, in bytes. The system's limit is 108 bytes on Linux and 104 elsewhere, with a
 * zero at the end.
 */
const MAX_PATH_BYTES = 103;

/**
 * A path to the same file that is short enough for a socket address. A path that is too long is replaced by one through
 * an open handle of its folder.
 */
class ShortPath implements AsyncDisposable {
  readonly path: string;
  readonly #folder: FileHandle | undefined;

  private constructor(path: string, folder: FileHandle | undefined) {
    this.path = path;
    this.#folder = folder;
  }

  static async to(path: string): Promise<ShortPath> {
    if (Buffer.byteLength(path) <= MAX_PATH_BYTES) return new ShortPath(path, undefined);
    const folder = await open(dirname(path), "r");
    const short = join(`/proc/self/fd/${folder.fd}`, basename(path));
    if (Buffer.byteLength(short) <= MAX_PATH_BYTES) return new ShortPath(short, folder);
    await folder.close();
    throw new Error("the name is too long for a socket");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#folder?.close();
  }
}
