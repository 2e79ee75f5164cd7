// What `npm start` runs: puts the topology files in place, says what to try, and runs the daemon in this process.
import { constants } from "node:fs";
import { copyFile, mkdir } from "node:fs/promises";
import { createServer } from "node:net";
import { join, relative } from "node:path";
import { createProcessTerminal, runCli } from "../../packages/cli/src/index.ts";

const PORT = 7420;
const folder = import.meta.dirname;
const data = join(folder, "data");

/** A file that was edited stays; one that was moved away comes back. */
async function placeTopology(): Promise<void> {
  await mkdir(data, { recursive: true });
  for (const name of ["primary.json", "backup.json"]) {
    await copyFile(join(folder, "topology", name), join(data, name), constants.COPYFILE_EXCL).catch(
      (error: NodeJS.ErrnoException) => {
        if (error.code !== "EEXIST") throw error;
      },
    );
  }
}

async function isTaken(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const server = createServer();
  server.once("error", () => resolve(true));
  server.listen(port, "127.0.0.1", () => server.close(() => resolve(false)));
  return promise;
}

function toHints(url: string | undefined, isElsewhere: boolean): readonly string[] {
  return [
    ...(isElsewhere ? [`Port ${PORT} is taken, so the endpoints are on a free one.`, ""] : []),
    "Try this in another terminal, and watch the events here:",
    "",
    `  first       cd ${relative(process.cwd(), data)}`,
    "  a change    edit primary.json and save it",
    "  fail-over   mv primary.json primary.away",
    "  fail-back   mv primary.away primary.json",
    "              (primary gets its place back once it has stayed healthy for 5 s)",
    `  look        curl ${url}/topology`,
    `  why         curl '${url}/explain?node=api-1'`,
    `  follow      curl -N ${url}/events`,
    "",
  ];
}

await placeTopology();
const isElsewhere = await isTaken(PORT);
const args = ["run", "--config", join(folder, "holdfast.yaml"), ...(isElsewhere ? ["--port", "0"] : [])];
process.exitCode = await runCli([...args, ...process.argv.slice(2)], createProcessTerminal(), {
  hints: (url) => toHints(url, isElsewhere),
});
