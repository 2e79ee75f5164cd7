import { expect, test } from "vitest";
import { createTestProvider } from "../../test/create-test-provider.ts";

const { signal } = new AbortController();
const token = { env: "CONSUL_TOKEN" };

async function audit(params: Readonly<Record<string, unknown>>): Promise<unknown> {
  await using provider = createTestProvider({ params });
  return provider.audit?.({ signal });
}

test("lists each address of another machine to which the token is sent over plain http", async () => {
  // G6
  const addresses = ["http://10.0.0.1:8500", "https://10.0.0.2:8501", "http://consul.example:8500"];
  expect(await audit({ token, addresses })).toEqual(
    ["http://10.0.0.1:8500", "http://consul.example:8500"].map((address) => ({
      code: "CONNECTIVITY_INSECURE",
      message: expect.stringContaining(address) as string,
      details: { address, parameter: "addresses" },
    })),
  );
});

test.each([
  ["no token", { addresses: ["http://10.0.0.1:8500"] }],
  ["https", { token, addresses: ["https://10.0.0.1:8501"] }],
  [
    "this machine",
    { token, addresses: ["http://127.0.0.1:8500", "http://[::1]:8500", "http://localhost:8500"] },
  ],
  ["this machine in another notation", { token, addresses: ["http://127.1:8500"] }],
  ["the default address", { token }],
])("%s is not insecure", async (_, params) => {
  expect(await audit(params)).toEqual([]);
});
