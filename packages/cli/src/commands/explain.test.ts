import { createServer } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { describe, expect, test } from "vitest";
import { runCli } from "../cli.ts";
import { serveHub } from "../../test/served-hub.ts";
import { TemporaryFolder } from "@holdfast-apps/test-support";
import { TestTerminal } from "../../test/test-terminal.ts";

async function run(args: readonly string[], cwd?: string) {
  const terminal = new TestTerminal({ ...(cwd !== undefined && { cwd }) });
  const code = await runCli(["explain", ...args], terminal);
  return { code, out: terminal.out, err: terminal.err };
}

describe("holdfast explain", () => {
  test("prints the daemon's response as text, for any node id", async () => {
    await using served = await serveHub();
    const odd = "ns/pod #1\u001b[31m";
    await served.set("a", odd);
    const { url } = served.server;
    const { code, out } = await run([odd, "--url", url]);
    expect(code).toBe(0);
    expect(out.split("\n").slice(0, 3)).toEqual([
      "ns/pod #1\ufffd[31m is in  listed",
      '  why        "primary" is active and lists it',
      "  address    ns/pod #1\ufffd[31m.test:7000",
    ]);
    expect(out).toMatch(/^ {2}last {7}added at #1, [\d:.]+, by primary$/m);
    expect(out).toMatch(/^ {2}topology {3}ready, snapshot #1 of primary, log at #2$/m);
    expect((await run(["unknown", "-u", url])).out).toMatch(/^unknown is unknown {2}never_seen\n/);
  });

  test("prints the whole explanation with --json", async () => {
    await using served = await serveHub();
    await served.set("a");
    const { code, out } = await run(["a", "--url", `${served.server.url}/`, "--json"]);
    expect(code).toBe(0);
    expect(JSON.parse(out)).toEqual(JSON.parse(JSON.stringify(served.hub.explain("a"))));
  });

  test("finds the daemon by its configuration", async () => {
    await using served = await serveHub();
    await served.set("a");
    using folder = new TemporaryFolder();
    const port = Number(new URL(served.server.url).port);
    folder.write("holdfast.yaml", { http: { port } });
    expect((await run(["a", "-c", "holdfast.yaml"], folder.path)).out).toMatch(/^a is in/);
    folder.write("off.yaml", { http: false });
    const off = await run(["a", "-c", "off.yaml"], folder.path);
    expect([off.code, off.err]).toEqual([2, expect.stringContaining("cannot be reached")]);
  });

  test.each([["127.0.0.1:7420"], ["ftp://localhost"], ["http://user:hunter2@127.0.0.1:7420"], ["http://"]])(
    "refuses %j as a URL, and does not repeat it",
    async (url) => {
      const { code, err } = await run(["a", "--url", url]);
      expect(code).toBe(2);
      expect(err).toContain("--url must be a URL of http or https, without a name and password");
      expect(err).not.toContain("hunter2");
    },
  );

  test("asks for a name over HTTP", async () => {
    await using served = await serveHub();
    await served.set("a");
    const response = await fetch(`${served.server.url}/explain`);
    expect([response.status, await response.json()]).toMatchObject([
      400,
      { error: { code: "VALIDATION_MISSING_FIELD" } },
    ]);
  });

  test("retries a busy daemon after its Retry-After, within the time limit", async () => {
    await using served = await serveHub();
    await served.set("a");
    let requests = 0;
    let retryAfter = "0";
    const server = createServer((_, response) => {
      if (++requests > 2) response.end(JSON.stringify(served.hub.explain("a")));
      else response.writeHead(503, { "retry-after": retryAfter }).end("busy");
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    expect(await run(["a", "--url", url])).toMatchObject({ code: 0, err: "" });
    expect(requests).toBe(3);
    requests = 0;
    retryAfter = "60";
    const busy = await run(["a", "--url", url, "--json"]);
    expect([busy.code, requests, JSON.parse(busy.err)]).toMatchObject([
      1,
      1,
      { error: { code: "CONNECTIVITY_UNAVAILABLE", status: 503, retryAfterMs: 60_000 } },
    ]);
    server.close();
    server.closeAllConnections();
  });

  test("distinguishes a refused connection, another server and an invalid URL", async () => {
    const server = createServer((_, response) => response.end("<html>hello</html>")).listen(0, "127.0.0.1");
    await once(server, "listening");
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const stranger = await run(["a", "--url", url]);
    expect([stranger.code, stranger.err]).toEqual([1, expect.stringContaining("is not a Holdfast daemon")]);
    server.close();
    server.closeAllConnections();
    await once(server, "close");
    const refused = await run(["a", "--url", url, "--json"]);
    expect(JSON.parse(refused.err)).toMatchObject({ error: { code: "CONNECTIVITY_REFUSED" } });
    const bad = await run(["a", "--url", "nonsense"]);
    expect([bad.code, bad.err]).toEqual([2, expect.stringContaining("--url must be a URL")]);
  });
});
