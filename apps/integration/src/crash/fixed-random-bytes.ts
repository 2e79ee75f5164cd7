// Preloaded: the names of temporary files become the same in every run, so that a tracer can be told of them beforehand.
import crypto from "node:crypto";
import { syncBuiltinESMExports } from "node:module";

let calls = 0;
Object.assign(crypto, { randomBytes: (size: number) => Buffer.alloc(size, ++calls) });
syncBuiltinESMExports();
