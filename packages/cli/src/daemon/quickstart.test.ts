import { createServer } from "node:http";
import { join } from "node:path";
import { expect, test } from "vitest";
import { DaemonProcess } from "../../test/daemon-process.ts";

const START = join(import.meta.dirname, "../../../../examples/quickstart/start.ts");

test("the quickstart also starts when its port is taken, and ends with 0 at Ctrl-C", async () => {
  await using other = createServer().listen(7420, "127.0.0.1");
  // The port may already be taken by another program, which has the same effect.
  other.on("error", () => {});
  await using daemon = new DaemonProcess([START]).read();
  await daemon.until(({ kind, to }) => kind === "status_changed" && to === "ready");
  const url = await daemon.url();
  expect(url).not.toBe("http://127.0.0.1:7420");
  const topology: unknown = await (await fetch(`${url}/topology`)).json();
  expect(topology).toMatchObject({ providers: [{ providerId: "primary" }, { providerId: "backup" }] });
  daemon.signal("SIGINT");
  expect(await daemon.exit()).toEqual({ code: 0, err: "" });
});
