import { existsSync } from "node:fs";
import { join } from "node:path";

/** Where the program of a server such as `consul` is: in the folder that `HOLDFAST_BACKENDS` names, or in its `bin`. */
export function programOf(name: string): string {
  return find(name) ?? name;
}

/** Whether all of these programs are there. */
export function arePrograms(...names: readonly string[]): boolean {
  return names.every((name) => find(name) !== undefined);
}

function find(name: string): string | undefined {
  const folder = process.env["HOLDFAST_BACKENDS"];
  if (folder === undefined || folder === "") return undefined;
  return [join(folder, "bin", name), join(folder, name)].find((file) => existsSync(file));
}
