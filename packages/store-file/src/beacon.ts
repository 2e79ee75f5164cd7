import { open, type FileHandle } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { basename, dirname, join } from "node:path";

/**
 * Signs of life of processes, as files. A beacon is lit as long as the process that lit it lives, and goes out with its last
 * thread, however it ends. Unlike a process id it means the same in every container that shares the folder, but only on one
 * machine: on another one, which shares the folder over the network, no beacon is lit.
 */
export interface Beacons {
  /** Lights a beacon that is a new file at `path`; undefined where that is not possible. Disposing of it removes the file. */
  light(path: string): Promise<AsyncDisposable | undefined>;
  /** Undefined when it cannot be told: the file is missing, may not be used, or is not a beacon. */
  isLit(path: string): Promise<boolean | undefined>;
}

/**
 * A beacon is a Unix socket that is listened to. The kernel finds the listener through the file itself, so namespaces of processes
 * and of networks play no part, and it refuses the connection once the listener is closed, which happens when the last thread
 * of its process has ended: none of them can be inside a system call any more. A process that is stopped still counts as alive.
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
          // Node removes the file, too.
          server.close(() => closed.resolve());
          await closed.promise;
          await short[Symbol.asyncDispose]();
        },
      };
    } catch {
      // The platform or the file system does not have such sockets.
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

/** Room for the address of a Unix socket: 108 bytes on Linux, 104 elsewhere, with a zero at the end. */
const MAX_PATH_BYTES = 103;

/** A name for the file at `path` that is short enough for a socket: through an open folder, where that is needed. */
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
