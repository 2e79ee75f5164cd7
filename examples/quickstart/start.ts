// `npm start` runs this script: it copies the topology files, prints commands to try, and runs the daemon in this
// process.
import { constants } from "node:fs";
import { copyFile, mkdir } from "node:fs/promises";
import { createServer } from "node:net";
import { join, relative } from "node:path";
import { createProcessTerminal, runCli } from "../../packages/cli/src/index.ts";

const PORT = 7420;
const folder = import.meta.dirname;
const data = join(folder, "data");

/** Copies the topology files that do not exist. Existing files are not changed. */
async function copyTopology(): Promise<void> {
  await mkdir(data, { recursive: true });
  for (const name of ["primary.json", "backup.json"]) {
    await copyFile(join(folder, "topology", name), join(data, name), constants.COPYFILE_EXCL).catch(
      (error: NodeJS.ErrnoException) => {
        if (error.code !== "EEXIST") throw error;
      },
    );
  }
}

async function isInUse(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const server = createServer();
  server.once("error", () => resolve(true));
  server.listen(port, "127.0.0.1", () => server.close(() => resolve(false)));
  return promise;
}

function toHints(url: string | undefined, usesFreePort: boolean): readonly string[] {
  return [
    ...(usesFreePort ? [`Port ${PORT} is in use, so the endpoints use a free port.`, ""] : []),
    "Try this in another terminal, and watch the events here:",
    "",
    `  first       cd ${relative(process.cwd(), data)}`,
    "  a change    edit primary.json and save it",
    "  failover    mv primary.json primary.away",
    "  failback    mv primary.away primary.json",
    "              (primary becomes active again after it has been healthy for 5 s)",
    `  members     curl ${url}/topology`,
    `  explain     curl '${url}/explain?node=api-1'`,
    `  follow      curl -N ${url}/events`,
    "",
  ];
}

await copyTopology();
const usesFreePort = await isInUse(PORT);
const args = ["run", "--config", join(folder, "holdfast.yaml"), ...(usesFreePort ? ["--port", "0"] : [])];
process.exitCode = await runCli([...args, ...process.argv.slice(2)], createProcessTerminal(), {
  hints: (url) => toHints(url, usesFreePort),
});
