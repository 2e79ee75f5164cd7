import { isBuiltin } from "node:module";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";

export interface PageBundle {
  readonly code: string;
  /** The modules of Node.js that a module of the bundle imports, also those that no code needs in the end. */
  readonly builtins: readonly string[];
}

/** Bundles a program for a browser. Rejects when an import cannot be resolved. */
export async function bundlePage(file: string): Promise<PageBundle> {
  const builtins: string[] = [];
  const bundle = await rolldown({
    input: fileURLToPath(new URL(file, import.meta.url)),
    platform: "browser",
    external(id, importer) {
      if (!isBuiltin(id)) return false;
      builtins.push(`${importer}: ${id}`);
      return true;
    },
    onwarn(warning) {
      throw new Error(`${warning.code}: ${warning.message}`);
    },
  });
  const { output } = await bundle.generate({ format: "esm", minify: true });
  await bundle.close();
  return { code: output[0].code, builtins };
}
