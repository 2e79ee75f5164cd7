import * as z from "zod";
import type { TlsMaterial } from "./connection-pool.ts";
import { readPemFile } from "./read-pem-file.ts";

/** Files for TLS, in PEM. They are read again for every request, so that certificates can be replaced while the program runs. */
export interface TlsFiles {
  /** The certificates to trust. @defaultValue those of Node.js */
  readonly caFile?: string | undefined;
  /** The client's certificate. */
  readonly certFile?: string | undefined;
  /** The private key of the client's certificate. */
  readonly keyFile?: string | undefined;
  /** The name that the server's certificate must have. @defaultValue the host of the address */
  readonly serverName?: string | undefined;
}

const file = (description: string): z.ZodOptional<z.ZodString> =>
  z.string().min(1).max(4_096).optional().describe(description);

/** The schema of a parameter that names files for TLS. */
export const tlsFilesSchema: z.ZodType<TlsFiles, TlsFiles> = z.strictObject({
  caFile: file("The certificates to trust, PEM."),
  certFile: file("The client's certificate, PEM."),
  keyFile: file("The client's private key, PEM."),
  serverName: z
    .string()
    .min(1)
    .max(512)
    .optional()
    .describe("The name the server's certificate must have, where that is not the host's."),
});

/** Reads the files. Throws `CONNECTIVITY_TLS` when one cannot be read. */
export async function readTlsFiles(tls: TlsFiles | undefined, signal: AbortSignal): Promise<TlsMaterial> {
  const { caFile, certFile, keyFile, serverName } = tls ?? {};
  const read = async (path: string | undefined) =>
    path === undefined ? undefined : await readPemFile(path, signal);
  // One after another: a network file system that hangs then keeps one thread of the pool, and not three.
  return { ca: await read(caFile), cert: await read(certFile), key: await read(keyFile), serverName };
}
