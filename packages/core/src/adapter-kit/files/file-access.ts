import { resolve } from "node:path";
import { throwIfAborted, whenAborted } from "../../time/abort.ts";
import { untilAborted } from "../../time/until-aborted.ts";

interface Task {
  readonly path: string;
  readonly start: () => void;
}

/**
 * Limits concurrent work on files, because an unreachable file system may hang. A call on a network file system whose
 * server is down never returns and cannot be cancelled, and it occupies one thread of libuv's pool, which has four by
 * default; name lookups, the stores and every healthy provider need the same threads. So tasks of the same path run one
 * after another, however often they are retried, and at most `limit` paths are in use at a time. Other tasks wait until
 * their signal aborts.
 */
export class FileAccess {
  readonly #limit: number;
  /** The paths of the running tasks. */
  readonly #busy = new Set<string>();
  readonly #waiting = new Set<Task>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  /**
   * Runs the task. If the signal aborts after the task has started, the call rejects but the task continues, and its
   * path stays in use until the task ends.
   */
  async run<T>(path: string, task: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    throwIfAborted(signal);
    const { promise, resolve: settle, reject } = Promise.withResolvers<T>();
    const key = resolve(path);
    const waiting: Task = {
      path: key,
      start: () => {
        const end = () => {
          this.#busy.delete(key);
          this.#startWaiting();
        };
        task().then(settle, reject).finally(end);
      },
    };
    this.#waiting.add(waiting);
    using _ = whenAborted(signal, () => this.#waiting.delete(waiting));
    this.#startWaiting();
    return await untilAborted(promise, signal);
  }

  #startWaiting(): void {
    for (const task of this.#waiting) {
      if (this.#busy.size >= this.#limit) return;
      if (this.#busy.has(task.path)) continue;
      this.#waiting.delete(task);
      this.#busy.add(task.path);
      task.start();
    }
  }
}

/** libuv reads this variable once, when the process first uses the pool. */
const THREADS = Number(process.env["UV_THREADPOOL_SIZE"]) || 4;

/**
 * The instance of this process, because there is one thread pool per process. Half of the threads stay free for other
 * work.
 */
export const fileAccess: FileAccess = new FileAccess(Math.max(1, Math.floor(THREADS / 2)));
