import { describeReal } from "@holdfast-apps/lab/describe-real";
import { chromium, type Page } from "playwright-core";
import { expect, test } from "vitest";
import { chromiumPath } from "@holdfast-apps/lab";
import { FileDaemons, fileProvider, membersOf } from "../following/file-daemons.ts";
import { bundlePage } from "./bundle-page.ts";
import { PageServer } from "./page-server.ts";

const settings = { providers: undefined, topologies: { orders: { providers: [fileProvider()] } } };

/** Resolves when the page shows this text. */
const shows = (page: Page, text: string) =>
  page.getByText(text, { exact: true }).waitFor({ timeout: 40_000 });

// R7.4
describeReal("a page in a browser", ["chromium"], () => {
  test("shows the members of a topology and every change, and recovers after the daemon was killed and restarted", async () => {
    const { code } = await bundlePage("page.ts");
    await using daemons = await FileDaemons.create(1);
    const [url = ""] = daemons.urls;
    daemons.publish(membersOf(7001, 2));
    const daemon = await daemons.start(0, settings);
    await using server = await PageServer.listen(code, url);
    // As root, which CI may be, Chromium refuses its sandbox.
    const browser = await chromium.launch({ executablePath: chromiumPath()!, args: ["--no-sandbox"] });
    try {
      const page = await browser.newPage();
      const errors: string[] = [];
      page.on("pageerror", (error) => errors.push(String(error)));
      await page.goto(server.url);
      await shows(page, "ready n0:7001 n1:1");

      daemons.publish(membersOf(7002, 3));
      await shows(page, "ready n0:7002 n1:1 n2:1");

      await daemon.kill();
      await shows(page, "unavailable n0:7002 n1:1 n2:1");

      daemons.publish(membersOf(7003, 2));
      await daemons.start(0, settings);
      await shows(page, "ready n0:7003 n1:1");

      expect(errors).toEqual([]);
      expect(new Set(server.forwarded.map((path) => path.split("?")[0]))).toEqual(
        new Set(["/topologies/orders/events"]),
      );
    } finally {
      await browser.close();
    }
  });
});
