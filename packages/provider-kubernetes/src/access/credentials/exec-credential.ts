import { parseJson } from "@holdfast/core/adapter";
import * as z from "zod";

/** The credential that a plugin returns (client.authentication.k8s.io/v1, ExecCredentialStatus). */
export interface ExecCredential {
  readonly token?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  /** When it expires, in milliseconds of the wall clock; absent when it does not expire. */
  readonly expiresAt?: number | undefined;
}

const credentialSchema = z.object({
  kind: z.literal("ExecCredential"),
  apiVersion: z.string(),
  status: z
    .object({
      expirationTimestamp: z.iso.datetime({ offset: true }).nullish(),
      token: z.string().nullish(),
      clientCertificateData: z.string().nullish(),
      clientKeyData: z.string().nullish(),
    })
    .refine(({ token, clientCertificateData: cert, clientKeyData: key }) =>
      Boolean(cert) === Boolean(key) ? Boolean(token) || Boolean(cert) : false,
    ),
});

/** Parses the output of a plugin. Returns `undefined` for anything but an ExecCredential of this version. */
export function parseExecCredential(output: string, apiVersion: string): ExecCredential | undefined {
  const credential = credentialSchema.safeParse(parseJson(output));
  if (!credential.success || credential.data.apiVersion !== apiVersion) return undefined;
  const { token, clientCertificateData, clientKeyData, expirationTimestamp } = credential.data.status;
  return {
    token: token || undefined,
    cert: clientCertificateData || undefined,
    key: clientKeyData || undefined,
    expiresAt: expirationTimestamp ? Date.parse(expirationTimestamp) : undefined,
  };
}
