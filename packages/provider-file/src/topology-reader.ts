import {
  throwIfAborted,
  type ClusterNode,
  type Clock,
  type MemberSet,
  type ProvisioningError,
} from "@holdfast/core";
import { decodeText } from "./decode-text.ts";
import type { FileFormat } from "./file-params.ts";
import { FileReader } from "./file-reader.ts";
import { createMembersReader } from "./members-reader.ts";
import { parseInWorker } from "./parse-in-worker.ts";
import { parseJson } from "./parse-json.ts";
import { toProvisioningError } from "./to-provisioning-error.ts";

/** The result of one check of the file. */
export interface CheckResult {
  /** Equal for two checks with the same result. */
  readonly fingerprint: string;
  /** The monotonic time at the start of the check. */
  readonly at: number;
  readonly found: Found;
}

export type Found =
  | { readonly type: "members"; readonly members: MemberSet; readonly observedAt: number }
  | { readonly type: "failure"; readonly error: ProvisioningError };

export interface CheckOptions {
  /** True when the file may have changed even if its stats are the same. */
  readonly mustRead: boolean;
  /** The previous members; unchanged ones stay the same objects. */
  readonly previous: MemberSet;
  readonly signal: AbortSignal;
}

export interface TopologyReaderOptions {
  readonly path: string;
  readonly format: FileFormat;
  readonly maxBytes: number;
  readonly clock: Clock;
}

/**
 * JSON up to this size is parsed in this thread, within a few milliseconds. YAML takes that long for a few kilobytes.
 */
const INLINE_BYTES = 262_144;

/** Checks a topology file. Content that was parsed at the last check is not parsed again. */
export class TopologyReader {
  readonly #options: TopologyReaderOptions;
  readonly #file: FileReader;
  #readMembers: ((file: unknown) => readonly ClusterNode[]) | undefined;
  /** The result of the last reading. */
  #found: Found | undefined;

  constructor(options: TopologyReaderOptions) {
    const { path, maxBytes, clock } = options;
    this.#options = options;
    this.#file = new FileReader({ path, maxBytes, monotonic: () => clock.monotonic() });
  }

  /** Returns `undefined` when the file was written to in the meantime. Rejects only with the reason of the signal. */
  async check(options: CheckOptions): Promise<CheckResult | undefined> {
    const at = this.#options.clock.monotonic();
    try {
      const reading = await this.#file.read(options.mustRead, options.signal);
      if (reading === undefined) return undefined;
      if (reading.bytes !== undefined) this.#found = await this.#parse(reading.bytes, options);
      return { at, fingerprint: reading.digest, found: this.#found! };
    } catch (error) {
      const found = this.#toFailure(error, options.signal);
      return { at, fingerprint: found.error.message, found };
    }
  }

  async #parse(bytes: Uint8Array<ArrayBuffer>, options: CheckOptions): Promise<Found> {
    const { clock, format } = this.#options;
    const observedAt = clock.now();
    try {
      throwIfAborted(options.signal);
      const nodes =
        format === "json" && bytes.byteLength <= INLINE_BYTES
          ? this.#parseInline(bytes)
          : await parseInWorker({ bytes, format }, options);
      const members = await options.previous.replaceSliced(nodes, { clock, signal: options.signal });
      return { type: "members", members, observedAt };
    } catch (error) {
      return this.#toFailure(error, options.signal);
    }
  }

  #parseInline(bytes: Uint8Array): readonly ClusterNode[] {
    this.#readMembers ??= createMembersReader();
    return this.#readMembers(parseJson(decodeText(bytes)));
  }

  #toFailure(error: unknown, signal: AbortSignal): Extract<Found, { type: "failure" }> {
    throwIfAborted(signal);
    return { type: "failure", error: toProvisioningError(error, this.#options.path) };
  }
}
