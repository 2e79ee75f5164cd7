// Writes the API reference of all published packages as HTML into docs/api, from their docstrings.
// TypeDoc needs an older TypeScript than the workspace has, so both are installed here, on first use.
import { spawnSync } from "node:child_process";
import { cpSync, globSync, mkdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));
const tool = join(root, ".tmp", "api-reference");

/** Source file of every public export of every package, and the name under which users import it. */
const imports = new Map(
  globSync("packages/*/package.json", { cwd: root }).flatMap((manifest) => {
    const { name, exports: paths, publishConfig } = JSON.parse(readFileSync(join(root, manifest), "utf8"));
    const published = Object.keys(publishConfig.exports).filter((path) => paths[path]?.endsWith(".ts"));
    return published.map((path) => [join(root, dirname(manifest), paths[path]), join(name, path)]);
  }),
);

install();
const { Application } = await import(pathToFileURL(join(tool, "node_modules/typedoc/dist/index.js")).href);
const app = await Application.bootstrap({
  name: "Holdfast",
  entryPoints: [...imports.keys()],
  tsconfig: join(root, "tsconfig.json"),
  readme: join(root, "README.md"),
  out: join(root, "docs", "api"),
  excludePrivate: true,
  // Types that a public one mentions and that are not exported are shown where they are mentioned.
  validation: { notExported: false },
});
const entryPoints = app.getEntryPoints()?.map((entryPoint) => ({
  ...entryPoint,
  displayName: imports.get(entryPoint.sourceFile.fileName),
}));
const project = app.converter.convert(entryPoints ?? []);
app.validate(project);
await app.generateOutputs(project);
process.exitCode = app.logger.hasErrors() || app.logger.hasWarnings() ? 1 : 0;

function install() {
  mkdirSync(tool, { recursive: true });
  cpSync(new URL("package.json", import.meta.url), join(tool, "package.json"));
  const args = ["install", "--ignore-scripts", "--no-audit", "--no-fund", "--no-package-lock"];
  const { status, error } = spawnSync("npm", args, { cwd: tool, stdio: "inherit" });
  if (error !== undefined || status !== 0) throw new Error("npm install of TypeDoc failed", { cause: error });
}
