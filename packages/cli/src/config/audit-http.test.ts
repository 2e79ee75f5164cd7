import { expect, test } from "vitest";
import { auditHttp } from "./audit-http.ts";

// R9.3
test.each([
  ["127.0.0.1", 0],
  ["127.1", 0],
  ["::1", 0],
  ["0:0:0:0:0:0:0:1", 0],
  ["::ffff:127.0.0.1", 0],
  ["localhost", 0],
  ["LOCALHOST.", 0],
  ["0.0.0.0", 1],
  ["::", 1],
  ["10.0.0.1", 1],
  ["fe80::1%eth0", 1],
  ["machine-7", 1],
  ["127.0.0.1.example", 1],
])("listening on %s has %i warnings", (host, count) => {
  const reasons = auditHttp(host);
  expect(reasons).toHaveLength(count);
  if (count === 1)
    expect(reasons[0]).toMatchObject({
      code: "CONNECTIVITY_INSECURE",
      details: { setting: "http.host", host },
    });
});
