import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import type { TemporaryFolder } from "./temporary-folder.ts";

/** A self-signed certificate and its key, as files and as text. */
export interface SelfSigned {
  readonly certFile: string;
  readonly keyFile: string;
  readonly cert: string;
  readonly key: string;
}

/** Whether the `openssl` command, which creates the certificates, is installed. */
export function hasOpenssl(): boolean {
  return spawnSync("openssl", ["version"]).status === 0;
}

/** Creates a certificate for `name` and 127.0.0.1, with the `openssl` command. */
export function createSelfSigned(folder: TemporaryFolder, name: string): SelfSigned {
  const certFile = folder.at(`${name}.pem`);
  const keyFile = folder.at(`${name}-key.pem`);
  const options = [
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
  const subject = ["-subj", `/CN=${name}`, "-addext", `subjectAltName=IP:127.0.0.1,DNS:${name}`];
  execFileSync("openssl", [...options, ...subject, "-keyout", keyFile, "-out", certFile], { stdio: "pipe" });
  return { certFile, keyFile, cert: readFileSync(certFile, "utf8"), key: readFileSync(keyFile, "utf8") };
}
