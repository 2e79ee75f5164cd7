import { existsSync } from "node:fs";

/** The path of the browser: `HOLDFAST_CHROMIUM`, or that of Debian's package. Undefined when it is not installed. */
export function chromiumPath(): string | undefined {
  return [process.env["HOLDFAST_CHROMIUM"], "/usr/bin/chromium"].find(
    (path) => path !== undefined && existsSync(path),
  );
}
