import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { findLiteralSecrets } from "./literal-secrets.ts";

const CANARY = "c4naryHunter2";

describe("a secret is found", () => {
  test.each<[string, unknown, string]>([
    ["under the bare word", { token: CANARY }, "token"],
    ["as a password", { dbPassword: CANARY }, "dbPassword"],
    ["with a number behind the name", { password2: CANARY }, "password2"],
    ["in capitals", { CONSUL_HTTP_TOKEN: CANARY }, "CONSUL_HTTP_TOKEN"],
    ["with dashes", { "X-Consul-Token": CANARY }, "X-Consul-Token"],
    ["as an api key in snake case", { api_key: CANARY }, "api_key"],
    ["as an api key in one word", { APIKEY: CANARY }, "APIKEY"],
    ["as a client secret", { clientSecret: CANARY }, "clientSecret"],
    ["as a private key", { privateKey: CANARY }, "privateKey"],
    ["as a secret access key", { secretAccessKey: CANARY }, "secretAccessKey"],
    ["as credentials", { credentials: CANARY }, "credentials"],
    ["as bearer", { bearer: CANARY }, "bearer"],
    ["as authorization", { headers: { authorization: CANARY } }, "headers.authorization"],
    ["in passwd", { passwd: CANARY }, "passwd"],
    ["with a word for text behind", { tokenValue: CANARY }, "tokenValue"],
    ["as a number", { password: 12345 }, "password"],
    ["in a list of them", { tokens: ["", CANARY] }, "tokens[1]"],
    ["as the value below", { token: { value: CANARY } }, "token.value"],
    ["as the value next to the name", { headers: [{ name: "X-Token", value: CANARY }] }, "headers[0].value"],
    ["deep inside", { a: [{ b: { secret: CANARY } }] }, "a[0].b.secret"],
    ["in a URL", { address: `https://user:${CANARY}@host:8500` }, "address"],
    ["in a URL without a user", { address: `redis://:${CANARY}@host` }, "address"],
    ["in a URL within a text", { note: `see amqp://u:${CANARY}@host/x and so on` }, "note"],
    ["in a query", { address: `http://host:8500/?dc=a&token=${CANARY}` }, "address"],
    ["in an assignment", { args: [`--password=${CANARY}`] }, "args[0]"],
    ["in a header line", { headers: [`X-Consul-Token: ${CANARY}`] }, "headers[0]"],
    ["in JSON within a text", { body: `{"secret":"${CANARY}"}` }, "body"],
    ["as a bearer header value", { header: `Bearer ${CANARY}` }, "header"],
    ["as a basic header value", { header: `Basic ${CANARY}` }, "header"],
    ["as a PEM private key", { key: `-----BEGIN PRIVATE KEY-----\n${CANARY}` }, "key"],
    ["as an RSA private key", { ca: `-----BEGIN RSA PRIVATE KEY-----\n${CANARY}` }, "ca"],
    ["in a name", { headers: { [`Bearer ${CANARY}`]: true } }, 'headers["(hidden)"]'],
  ])("%s", (_, data, path) => {
    const problems = findLiteralSecrets(data);

    expect(problems).toEqual([expect.objectContaining({ path, code: "VALIDATION_LITERAL_SECRET" })]);
    expect(JSON.stringify(problems)).not.toMatch(/c4nary|12345/i);
  });
});

describe("no secret is found in", () => {
  test.each<[string, unknown]>([
    ["a reference to a variable", { token: { env: "CONSUL_TOKEN" } }],
    ["a reference to a file", { password: { file: "/run/secrets/password" } }],
    ["a file of a token", { tokenFile: "/run/secrets/token", token_path: "/x", passwordEnv: "PASSWORD" }],
    ["the name of a secret", { secretName: "tls", tokenRef: "x", secretKeyRef: { name: "a", key: "b" } }],
    ["a public id", { accessKeyId: "AKIA", tokenTtlMs: 5, credentialsUrl: "http://x" }],
    ["a count", { maxTokens: 5 }],
    ["a switch", { secret: true, token: null, password: "" }],
    ["a URL with a port and an at sign in its path", { address: "http://host:80/a@b" }],
    ["a URL with a user only", { address: "ssh://git@host:22/repo" }],
    ["an image digest", { image: "nginx:1.2@sha256:abc" }],
    ["a certificate", { ca: "-----BEGIN CERTIFICATE-----\nabc" }],
    ["a comparison", { filter: 'Meta.token == "blue"' }],
    ["plain words", { note: "basic settings of the bearer channel", path: "/var/token/nodes.json" }],
    ["tags", { tags: ["env=prod", "path: /x"], metadata: { team: "auth", keys: "a,b" } }],
  ])("%s", (_, data) => {
    expect(findLiteralSecrets(data)).toEqual([]);
  });
});

test("a literal secret is found anywhere, and its text is not quoted", () => {
  const name = fc.constantFrom("token", "db_password", "API-KEY", "clientSecret", "Authorization");
  const around = fc.letrec((tie) => ({
    hole: fc.oneof(
      { depthSize: "small" },
      name.map((key) => ({ [key]: CANARY })),
      fc.tuple(fc.constantFrom("a", "b c", "0"), tie("hole")).map(([key, inner]) => ({ [key]: inner })),
      fc.tuple(fc.jsonValue(), tie("hole")).map((items) => [...items]),
    ),
  })).hole;
  fc.assert(
    fc.property(around, (data) => {
      const problems = findLiteralSecrets(data);
      expect(problems.length).toBeGreaterThan(0);
      expect(JSON.stringify(problems)).not.toContain(CANARY);
    }),
  );
});

test("a long text is searched in linear time", () => {
  const texts = ["a", "://", "a=", "token", "Bearer ", "-----BEGIN ", "://a:", "a   "].map((part) =>
    part.repeat(200_000),
  );
  // A quadratic search would take minutes, and the test would time out.
  for (const text of texts) findLiteralSecrets({ text });
});
