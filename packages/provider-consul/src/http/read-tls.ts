import { readPemFile, type TlsMaterial } from "@holdfast/core/adapter";
import type { ConsulTls } from "../consul-params.ts";

/** Reads the files again each time, so that certificates can be replaced. Throws `CONNECTIVITY_TLS` when one cannot be read. */
export async function readTls(tls: ConsulTls | undefined, signal: AbortSignal): Promise<TlsMaterial> {
  const { caFile, certFile, keyFile, serverName } = tls ?? {};
  const read = async (path: string | undefined) =>
    path === undefined ? undefined : await readPemFile(path, signal);
  // One after another: a network file system that hangs then keeps one thread of the pool, and not three.
  return { ca: await read(caFile), cert: await read(certFile), key: await read(keyFile), serverName };
}
