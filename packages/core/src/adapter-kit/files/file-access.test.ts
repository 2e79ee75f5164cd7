import { describe, expect, test } from "vitest";
import { FileAccess } from "./file-access.ts";
import { systemClock } from "../../time/system-clock.ts";

/** Tasks that end when the test ends them. */
class Tasks {
  readonly begun: string[] = [];
  readonly #ends = new Map<string, () => void>();

  task(name: string): () => Promise<string> {
    return () => {
      this.begun.push(name);
      const { promise, resolve } = Promise.withResolvers<string>();
      this.#ends.set(name, () => resolve(name));
      return promise;
    };
  }

  async end(name: string): Promise<void> {
    this.#ends.get(name)!();
    await systemClock.yield();
  }
}

// R2.6: a file that hangs does not affect other providers.
describe("FileAccess", () => {
  test("a path that hangs occupies one slot, however often it is retried", async () => {
    const access = new FileAccess(4);
    const tasks = new Tasks();
    void access.run("/stuck", tasks.task("first"));
    for (let i = 0; i < 10; i++) {
      const { signal, abort } = createAbort();
      const waited = access.run("/stuck", tasks.task("again"), signal);
      abort();
      await expect(waited).rejects.toMatchObject({ code: "LIFECYCLE_ABORTED" });
    }
    expect(tasks.begun).toEqual(["first"]);
    await expect(access.run("/fine", () => Promise.resolve("fine"))).resolves.toBe("fine");
    await tasks.end("first");
    expect(tasks.begun).toEqual(["first"]);
  });

  test("two forms of the same path count as one", () => {
    const access = new FileAccess(4);
    const tasks = new Tasks();
    void access.run("/a/b", tasks.task("first"));
    void access.run("/a/./c/../b", tasks.task("second"));
    expect(tasks.begun).toEqual(["first"]);
  });

  test("at most `limit` paths are in use, and the others follow in order", async () => {
    const access = new FileAccess(2);
    const tasks = new Tasks();
    for (const name of ["a", "b", "c", "d"]) void access.run(`/${name}`, tasks.task(name));
    expect(tasks.begun).toEqual(["a", "b"]);
    await tasks.end("b");
    expect(tasks.begun).toEqual(["a", "b", "c"]);
    await tasks.end("a");
    expect(tasks.begun).toEqual(["a", "b", "c", "d"]);
  });

  test("a task that started before the signal aborted occupies its path until it ends", async () => {
    const access = new FileAccess(2);
    const tasks = new Tasks();
    const { signal, abort } = createAbort();
    const first = access.run("/a", tasks.task("first"), signal);
    abort();
    await expect(first).rejects.toMatchObject({ code: "LIFECYCLE_ABORTED" });
    const second = access.run("/a", tasks.task("second"));
    expect(tasks.begun).toEqual(["first"]);
    await tasks.end("first");
    expect(tasks.begun).toEqual(["first", "second"]);
    await tasks.end("second");
    await expect(second).resolves.toBe("second");
  });

  test("a task that fails rejects its call and frees its path", async () => {
    const access = new FileAccess(1);
    const failed = access.run("/a", () => Promise.reject(new Error("broken")));
    await expect(failed).rejects.toThrow("broken");
    await expect(access.run("/a", () => Promise.resolve(1))).resolves.toBe(1);
  });
});

function createAbort(): { signal: AbortSignal; abort: () => void } {
  const controller = new AbortController();
  return { signal: controller.signal, abort: () => controller.abort() };
}
