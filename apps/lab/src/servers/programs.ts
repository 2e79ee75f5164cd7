import { existsSync } from "node:fs";
import { join } from "node:path";

/** Returns the path of a program such as `consul`, in the folder `HOLDFAST_BACKENDS` or in its folder `bin`. */
export function programOf(name: string): string {
  return find(name) ?? name;
}

/** Whether all of these programs exist. */
export function arePrograms(...names: readonly string[]): boolean {
  return names.every((name) => find(name) !== undefined);
}

function find(name: string): string | undefined {
  const folder = process.env["HOLDFAST_BACKENDS"];
  if (folder === undefined || folder === "") return undefined;
  return [join(folder, "bin", name), join(folder, name)].find((file) => existsSync(file));
}
