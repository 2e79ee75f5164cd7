import * as z from "zod";
import type { TlsMaterial } from "./connection-pool.ts";
import { readPemFile } from "./read-pem-file.ts";

/**
 * Files for TLS in PEM format. They are read again for every request, so that certificates can be replaced while the
 * program runs.
 */
export interface TlsFiles {
  /** The trusted certificates. @defaultValue those of Node.js */
  readonly caFile?: string | undefined;
  /** The client certificate. */
  readonly certFile?: string | undefined;
  /** The private key of the client certificate. */
  readonly keyFile?: string | undefined;
  /** The name in the certificate of the server. @defaultValue the host of the address */
  readonly serverName?: string | undefined;
}

const file = (description: string): z.ZodOptional<z.ZodString> =>
  z.string().min(1).max(4_096).optional().describe(description);

/** The schema of a parameter with TLS files. */
export const tlsFilesSchema: z.ZodType<TlsFiles, TlsFiles> = z.strictObject({
  caFile: file("A file with trusted certificates in PEM format."),
  certFile: file("A file with the client certificate in PEM format."),
  keyFile: file("A file with the private key of the client certificate in PEM format."),
  serverName: z
    .string()
    .min(1)
    .max(512)
    .optional()
    .describe("The name in the certificate of the server, if it differs from the host."),
});

/** Reads the files. Throws `CONNECTIVITY_TLS` when one cannot be read. */
export async function readTlsFiles(tls: TlsFiles | undefined, signal: AbortSignal): Promise<TlsMaterial> {
  const { caFile, certFile, keyFile, serverName } = tls ?? {};
  const read = async (path: string | undefined) =>
    path === undefined ? undefined : await readPemFile(path, signal);
  // The files are read one after the other, so that a network file system that hangs blocks one thread of the pool and
  // not three.
  return { ca: await read(caFile), cert: await read(certFile), key: await read(keyFile), serverName };
}
