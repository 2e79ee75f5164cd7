import { fieldOf } from "@holdfast/core/adapter";
import * as z from "zod";
import { EntryReader, type PemSource } from "./entry-reader.ts";
import type { KubeconfigEntry } from "./kubeconfig-file.ts";
import { booleanField, textField } from "./kubeconfig-field.ts";

/** The address of a cluster, and how its certificate is verified. */
export interface ClusterEntry {
  /** The name in messages: `the cluster "c" of the kubeconfig "/path"`. */
  readonly label: string;
  /** An http or https URL without a slash at the end. */
  readonly server: string;
  readonly serverName?: string | undefined;
  /** True when the certificate of the server is not verified. */
  readonly isInsecure: boolean;
  /** The trusted certificate authorities; by default those that Node.js trusts. */
  readonly ca?: PemSource | undefined;
  readonly proxyUrl?: string | undefined;
  readonly disableCompression?: boolean | undefined;
  /** What a credential plugin receives as `config`. */
  readonly execConfig?: unknown;
}

/** The name of the extension that a credential plugin receives (kubeconfig reference, ExecConfig). */
const EXEC_EXTENSION = "client.authentication.k8s.io/exec";

const schema = z.looseObject({
  server: textField,
  "tls-server-name": textField,
  "insecure-skip-tls-verify": booleanField,
  "certificate-authority": textField,
  "certificate-authority-data": textField,
  "proxy-url": textField,
  "disable-compression": booleanField,
  extensions: z.array(z.unknown()).nullish(),
});

/** Reads a cluster. Throws `CONNECTIVITY_SECRET_UNAVAILABLE` with the cluster, its file and the problem. */
export function readCluster(entry: KubeconfigEntry): ClusterEntry {
  const reader = new EntryReader("cluster", entry);
  const fields = reader.read(schema);
  const ca = reader.toPem(
    "certificate-authority",
    fields["certificate-authority-data"],
    fields["certificate-authority"],
  );
  const isInsecure = fields["insecure-skip-tls-verify"];
  // client-go: "specifying a root certificates file with the insecure flag is not allowed".
  if (isInsecure && ca !== undefined)
    throw reader.unusable("it has both insecure-skip-tls-verify and a certificate authority");
  const extension = fields.extensions?.find((each) => fieldOf(each, "name") === EXEC_EXTENSION);
  return {
    label: reader.label,
    server: toServer(reader, fields.server, isInsecure || ca !== undefined),
    serverName: fields["tls-server-name"],
    isInsecure,
    ca,
    proxyUrl: fields["proxy-url"],
    disableCompression: fields["disable-compression"],
    execConfig: fieldOf(extension, "extension"),
  };
}

/** Matches an http or https URL without user, password, query and fragment. */
const SERVER = /^https?:\/\/[^\s/?#@]+(?:\/[^\s?#@]*)?$/i;

/**
 * Converts the server to a URL. It must not contain a secret, because errors name it. Without a scheme it is
 * `host:port`, as in client-go.
 */
function toServer(reader: EntryReader, given: string | undefined, hasTls: boolean): string {
  if (given === undefined) throw reader.unusable("it has no server");
  if (given.includes("@"))
    throw reader.unusable("its server contains credentials, which must be in the user");
  const isUrl = given.includes("://");
  const server = isUrl ? given : `${hasTls ? "https" : "http"}://${given}`;
  if (SERVER.test(server) && URL.canParse(server)) return server.replace(/\/+$/, "");
  throw reader.unusable("its server is not an http or https URL");
}
