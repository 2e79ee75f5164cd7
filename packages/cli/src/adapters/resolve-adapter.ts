import { stat } from "node:fs/promises";
import { registerHooks } from "node:module";
import { isAbsolute, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { AdapterFault } from "./adapter-fault.ts";

/**
 * Returns the URL of an adapter's module. A name that starts with `.` or `/` is a file, relative to `folder`. Any other
 * name is a package, resolved as by `import`: first from `folder`, then from the command's own location.
 */
export async function resolveAdapter(
  name: string,
  folder: string,
): Promise<{ readonly url: string } | AdapterFault> {
  if (name.startsWith(".") || isAbsolute(name)) {
    const file = resolve(folder, name);
    const isFile = await stat(file).then(
      (found) => found.isFile(),
      () => false,
    );
    if (isFile) return { url: pathToFileURL(file).href };
    return { expected: "a file that exists", got: "no such file" };
  }
  return resolvePackage(name, folder);
}

function resolvePackage(name: string, folder: string): { readonly url: string } | AdapterFault {
  let got = "no such package";
  for (const place of [pathToFileURL(join(folder, "holdfast.yaml")).href, import.meta.url]) {
    try {
      const url = resolveFrom(place, name);
      // Excludes Node's own modules.
      if (url.startsWith("file:")) return { url };
    } catch (error) {
      const code = error instanceof Error && "code" in error ? String(error.code) : "";
      got = BROKEN[code] ?? got;
    }
  }
  return { expected: "a package installed next to the configuration or the command", got };
}

const BROKEN: Readonly<Record<string, string>> = {
  ERR_PACKAGE_PATH_NOT_EXPORTED: "a package that does not export it",
  ERR_INVALID_PACKAGE_CONFIG: "a package whose package.json is broken",
  ERR_INVALID_PACKAGE_TARGET: "a package whose package.json is broken",
};

/** Returns the URL that `import(name)` would load in a module at `place`. */
function resolveFrom(place: string, name: string): string {
  // `import.meta.resolve` accepts a different base only behind a flag. Nothing else is resolved while the hook is
  // registered.
  const hooks = registerHooks({
    resolve: (specifier, context, next) => next(specifier, { ...context, parentURL: place }),
  });
  try {
    return import.meta.resolve(name);
  } finally {
    hooks.deregister();
  }
}
