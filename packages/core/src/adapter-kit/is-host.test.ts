import { expect, test } from "vitest";
import { isHost } from "./is-host.ts";

test.each([
  "10.0.0.1",
  "2001:db8::1",
  "fe80::1%eth0",
  "::ffff:10.0.0.1",
  "localhost",
  "web-0.web.default.svc.cluster.local",
  "Node_1.example.",
  "1a",
  "xn--bcher-kva.example",
  "a".repeat(63),
])("%s is a host", (text) => {
  expect(isHost(text)).toBe(true);
});

// D2
test.each([
  "",
  " ",
  "a b",
  "10.0.0.1\n",
  "10.0.0.1:80",
  "[2001:db8::1]",
  "http://10.0.0.1",
  "a/b",
  "a..b",
  ".a",
  "-a",
  "a-",
  "300.300.300.300",
  "10.0.0",
  "a".repeat(64),
  `${"a.".repeat(126)}ab`,
  "user@host",
  "a\u0000b",
])("%j is not a host", (text) => {
  expect(isHost(text)).toBe(false);
});
