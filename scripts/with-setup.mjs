// Runs a command with everything set up: `node scripts/with-setup.mjs COMMAND ...`. Needs only Node 20 and npm: it
// installs the workspace when the lock file changed and puts the workspace's own Node and tools first on the PATH.
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { constants } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const stamp = join(root, "node_modules", ".holdfast-setup");
const { packageManager } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const isWindows = process.platform === "win32";

/** Changes with whatever an install depends on. */
function fingerprint() {
  const hash = createHash("sha256")
    .update(packageManager)
    .update(process.platform + process.arch);
  for (const file of ["pnpm-lock.yaml", "pnpm-workspace.yaml"]) hash.update(readFileSync(join(root, file)));
  return hash.digest("hex");
}

function setUp() {
  const wanted = fingerprint();
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) return;
  console.error("Setting up (once): installing packages ...");
  const args = ["--yes", packageManager, "install", "--frozen-lockfile", "--reporter=append-only"];
  const result = spawnSync("npx", args, { cwd: root, stdio: ["ignore", "pipe", "pipe"], shell: isWindows });
  if (result.status !== 0) {
    console.error(`${result.stdout}\n${result.stderr}`);
    console.error("Setting up failed: the packages could not be installed (see above).");
    process.exit(1);
  }
  writeFileSync(stamp, wanted);
}

setUp();
const bin = join(root, "node_modules", ".bin");
const path = `${bin}${delimiter}${process.env["PATH"] ?? ""}`;
const [command, ...args] = process.argv.slice(2);
const child = spawn(command, args, {
  cwd: root,
  stdio: "inherit",
  env: { ...process.env, PATH: path },
  shell: isWindows,
});
// The child decides what a signal means; this process only waits for it.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
child.on("error", (error) => {
  console.error(`${command} could not be started: ${error.message}`);
  process.exitCode = 1;
});
child.on("exit", (code, signal) => {
  process.exitCode = code ?? 128 + (constants.signals[signal ?? "SIGTERM"] ?? 15);
});
