import crypto from "node:crypto";
import { syncBuiltinESMExports } from "node:module";

/**
 * Makes the random bytes of this process the same in every run: all ones, all twos, and so on. The names of its temporary files are then
 * known in advance, as the tracer requires.
 */
export function fixRandomBytes(): void {
  let calls = 0;
  Object.assign(crypto, { randomBytes: (size: number) => Buffer.alloc(size, ++calls) });
  syncBuiltinESMExports();
}
