/** The part of `fs.Stats` that is used. */
interface FileKind {
  isFile(): boolean;
  isDirectory(): boolean;
  isFIFO(): boolean;
  isSocket(): boolean;
}

/** Throws an error with the code `EISDIR` for a folder, and `EFTYPE` for anything else that is not a regular file. */
export function assertRegularFile(stats: FileKind): void {
  if (stats.isFile()) return;
  const [code, kind] = stats.isDirectory() ? ["EISDIR", "a folder"] : ["EFTYPE", kindOf(stats)];
  throw Object.assign(new Error(`it is ${kind}, not a regular file`), { code });
}

function kindOf(stats: FileKind): string {
  if (stats.isFIFO()) return "a named pipe";
  return stats.isSocket() ? "a socket" : "a device";
}
