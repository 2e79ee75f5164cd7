import { describe, expect, test } from "vitest";
import { idsOf, nodes, positionsOf, setUpFollow } from "../../test/follow-setup.ts";

/** Changes the data of frames with this event. */
const changeJson = (name: string, change: (data: Record<string, unknown>) => void) => (frame: string) => {
  const data = /^data: (.*)$/m.exec(frame)?.[1];
  if (!frame.includes(`event: ${name}\n`) || data === undefined) return frame;
  const value = JSON.parse(data);
  change(value);
  return frame.replace(data, JSON.stringify(value));
};

// R7.4
describe("data that does not fit", () => {
  test.each<[string, (frame: string) => string]>([
    ["another hash", changeJson("snapshot", (data) => (data["hash"] = "0".repeat(16)))],
    ["another number of members", changeJson("snapshot", (data) => (data["memberCount"] = 7))],
    ["another hash before", changeJson("snapshot", (data) => (data["previousHash"] = "0".repeat(16)))],
    ["a number that leaves a gap", changeJson("snapshot", (data) => (data["seqNo"] = 99))],
    ["another epoch", changeJson("snapshot", (data) => (data["epoch"] = "other"))],
    ["a lost member", changeJson("snapshot", (data) => ((data["delta"] as { added: unknown[] }).added = []))],
    [
      "a malformed member",
      changeJson("snapshot", (data) => ((data["delta"] as { added: unknown[] }).added = [{ id: 5 }])),
    ],
    [
      "no JSON",
      (frame) => (frame.includes("event: snapshot\n") ? frame.replace("data: {", "data: {{") : frame),
    ],
    ["a missing field", changeJson("snapshot", (data) => delete data["memberCount"])],
  ])("%s breaks the connection, and the whole state is read again", async (_, tamper) => {
    const { clock, daemon, topology, events, end } = setUpFollow();
    daemon.publish(nodes("a"));
    await clock.settle();
    daemon.tamper = tamper;
    daemon.publish(nodes("a", "b"));
    await clock.settle();
    expect(topology.state).toMatchObject({ isStale: true, statusCause: { code: "STREAM_INVALID_DATA" } });
    expect(idsOf(topology.state.snapshot?.members)).toBe("a");
    daemon.tamper = (frame) => frame;
    await clock.advance(10_000);
    expect(positionsOf(daemon)).toEqual(["-", "-"]);
    expect(topology.state.snapshot?.hash).toBe(daemon.hub.state.snapshot?.hash);
    const cause = events.find((event) => event.kind === "status_changed" && event.to === "degraded");
    expect(cause).toMatchObject({ cause: { code: "STREAM_INVALID_DATA" } });
    await end();
  });

  test.each([
    [401, "CONNECTIVITY_UNAUTHORIZED"],
    [404, "CONNECTIVITY_REFUSED"],
    [503, "CONNECTIVITY_OVERLOADED"],
  ])("the status %i is a failure with a code", async (status, code) => {
    const { clock, daemon, topology, end } = setUpFollow();
    daemon.status = status;
    await clock.settle();
    expect(topology.daemons()).toMatchObject([{ providerId: "one", reason: { code } }]);
    await end();
  });

  test("a server that is not a daemon is named as such", async () => {
    const { clock, daemon, topology, end } = setUpFollow();
    daemon.responseHeaders = { "content-type": "text/html" };
    await clock.settle();
    expect(topology.daemons()[0]?.reason?.message).toMatch(
      /the server at http:\/\/one is not a Holdfast daemon/,
    );
    await end();
  });
});
