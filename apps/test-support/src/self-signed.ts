import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import type { TemporaryFolder } from "./temporary-folder.ts";

/** A certificate that is its own authority, and its key, as files and as text. */
export interface SelfSigned {
  readonly certFile: string;
  readonly keyFile: string;
  readonly cert: string;
  readonly key: string;
}

/** Certificates need the `openssl` command, which a machine with no more than Node may lack. */
export function hasOpenssl(): boolean {
  return spawnSync("openssl", ["version"]).status === 0;
}

/** Makes one for `name` and for 127.0.0.1 with the `openssl` command. */
export function createSelfSigned(folder: TemporaryFolder, name: string): SelfSigned {
  const certFile = folder.at(`${name}.pem`);
  const keyFile = folder.at(`${name}-key.pem`);
  const what = [
    "req",
    "-x509",
    "-nodes",
    "-days",
    "2",
    "-newkey",
    "ec",
    "-pkeyopt",
    "ec_paramgen_curve:prime256v1",
  ];
  const whom = ["-subj", `/CN=${name}`, "-addext", `subjectAltName=IP:127.0.0.1,DNS:${name}`];
  execFileSync("openssl", [...what, ...whom, "-keyout", keyFile, "-out", certFile], { stdio: "pipe" });
  return { certFile, keyFile, cert: readFileSync(certFile, "utf8"), key: readFileSync(keyFile, "utf8") };
}
