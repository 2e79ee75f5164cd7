import { sep } from "node:path";
import * as z from "zod";
import { EntryReader, type PemSource } from "./entry-reader.ts";
import { toImpersonation, type Headers } from "./impersonation.ts";
import type { KubeconfigEntry } from "./kubeconfig-file.ts";
import { textField } from "./kubeconfig-field.ts";

/** The credentials of this client. */
export interface UserEntry {
  /** For messages: `the user "u" of the kubeconfig "/path"`. Absent when it does not come from a kubeconfig. */
  readonly label?: string | undefined;
  readonly token?: string | undefined;
  /** Its last readable content takes precedence over `token`. */
  readonly tokenFile?: string | undefined;
  readonly basic?: { readonly username: string; readonly password: string } | undefined;
  readonly cert?: PemSource | undefined;
  readonly key?: PemSource | undefined;
  /** The `exec` section, not checked yet. */
  readonly exec?: unknown;
  /** The configuration of OpenID Connect. */
  readonly oidc?: Readonly<Record<string, string>> | undefined;
  readonly impersonation?: Headers | undefined;
}

const schema = z.looseObject({
  token: textField,
  tokenFile: textField,
  username: textField,
  password: textField,
  "client-certificate": textField,
  "client-certificate-data": textField,
  "client-key": textField,
  "client-key-data": textField,
  as: textField,
  "as-uid": textField,
  "as-groups": z.array(z.string()).nullish(),
  "as-user-extra": z.record(z.string(), z.array(z.string()).nullish()).nullish(),
  exec: z.looseObject({}).nullish(),
  "auth-provider": z
    .looseObject({ name: z.string(), config: z.record(z.string(), z.string()).nullish() })
    .nullish(),
});

/**
 * Reads a user. Throws `CONNECTIVITY_SECRET_UNAVAILABLE` with the user, its file and the problem. Like kubectl, rejects
 * two kinds of credentials at once, and impersonation without a user.
 */
export function readUser(entry: KubeconfigEntry): UserEntry {
  const reader = new EntryReader("user", entry);
  const fields = reader.read(schema);
  const { token, tokenFile, username, password, exec, "auth-provider": provider } = fields;
  const hasBasic = username !== undefined || password !== undefined;
  if (hasBasic && token !== undefined) throw reader.unusable("it has both a token and a username");
  if (exec && provider) throw reader.unusable("it has both exec and an auth-provider");
  if (provider && provider.name !== "oidc")
    throw reader.unusable("it uses an auth-provider that Kubernetes has removed; use exec instead");
  const cert = reader.toPem(
    "client-certificate",
    fields["client-certificate-data"],
    fields["client-certificate"],
  );
  const key = reader.toPem("client-key", fields["client-key-data"], fields["client-key"]);
  if (cert !== undefined && key === undefined)
    throw reader.unusable("it has a client certificate without its key");
  return {
    label: reader.label,
    token,
    tokenFile: tokenFile === undefined ? undefined : reader.toPath(tokenFile),
    basic: hasBasic ? { username: username ?? "", password: password ?? "" } : undefined,
    // client-go ignores a key without a certificate.
    cert,
    key: cert === undefined ? undefined : key,
    exec: exec ? { ...exec, command: toCommand(reader, exec["command"]) } : undefined,
    oidc: provider ? (provider.config ?? {}) : undefined,
    impersonation: toImpersonation(
      {
        user: fields.as,
        uid: fields["as-uid"],
        groups: fields["as-groups"] ?? [],
        extra: fields["as-user-extra"] ?? {},
      },
      reader,
    ),
  };
}

/**
 * Resolves a command that is a path relative to the kubeconfig. Other commands are searched for in PATH (kubeconfig
 * reference, ExecConfig).
 */
function toCommand(reader: EntryReader, command: unknown): unknown {
  return typeof command === "string" && command.includes(sep) ? reader.toPath(command) : command;
}
