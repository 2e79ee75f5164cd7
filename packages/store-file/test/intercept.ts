import { nodeFileSystem, type FileSystem, type OpenFile } from "../src/file-system.ts";

/** One call of the file system that is about to be made. */
interface Call<T> {
  readonly name: keyof FileSystem | keyof OpenFile;
  /** The path of the file or folder. For a call with two paths, the new one. */
  readonly path: string;
  readonly run: () => Promise<T>;
  /** Carries out a part of the call, where that is possible. */
  readonly runPartly?: () => Promise<unknown>;
}

/** Decides what happens to each call. */
export type Interceptor = <T>(call: Call<T>) => Promise<T>;

/**
 * The real file system; every call, also on an open file, goes through `intercept`. Only syncing does nothing, because
 * no test cuts the power. Disposing of it closes all open files, as the end of a process does.
 */
export function interceptFileSystem(intercept: Interceptor): FileSystem & AsyncDisposable {
  const base = nodeFileSystem;
  const opened: OpenFile[] = [];
  const open: FileSystem["open"] = async (path, flags, mode) => {
    const file = await base.open(path, flags, mode);
    opened.push(file);
    return file;
  };
  return {
    realpath: (path) => intercept({ name: "realpath", path, run: () => base.realpath(path) }),
    readlink: (path) => intercept({ name: "readlink", path, run: () => base.readlink(path) }),
    readFile: (path) => intercept({ name: "readFile", path, run: () => base.readFile(path) }),
    stat: (path) => intercept({ name: "stat", path, run: () => base.stat(path) }),
    statfs: (path) => intercept({ name: "statfs", path, run: () => base.statfs(path) }),
    readdir: (path) => intercept({ name: "readdir", path, run: () => base.readdir(path) }),
    mkdir: (path, options) => intercept({ name: "mkdir", path, run: () => base.mkdir(path, options) }),
    link: (existing, path) => intercept({ name: "link", path, run: () => base.link(existing, path) }),
    rename: (from, to) => intercept({ name: "rename", path: to, run: () => base.rename(from, to) }),
    unlink: (path) => intercept({ name: "unlink", path, run: () => base.unlink(path) }),
    open: async (path, flags, mode) => {
      const file = await intercept({ name: "open", path, run: () => open(path, flags, mode) });
      return interceptOpenFile(file, path, intercept);
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(opened.map((file) => file.close()));
    },
  };
}

function interceptOpenFile(file: OpenFile, path: string, intercept: Interceptor): OpenFile {
  return {
    writeFile: (bytes) =>
      intercept({
        name: "writeFile",
        path,
        run: () => file.writeFile(bytes),
        runPartly: () => file.writeFile(bytes.subarray(0, bytes.length / 2)),
      }),
    chown: (uid, gid) => intercept({ name: "chown", path, run: () => file.chown(uid, gid) }),
    sync: () => intercept({ name: "sync", path, run: async () => {} }),
    close: () => intercept({ name: "close", path, run: () => file.close() }),
  };
}

/** An error with the form of a failed system call. */
export function createErrno(code: string, syscall: string): Error {
  return Object.assign(new Error(`${code}: injected, ${syscall}`), { code, syscall });
}
