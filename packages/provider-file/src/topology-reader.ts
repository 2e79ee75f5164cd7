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

/** What one look at the file found. */
export interface Sighting {
  /** Equal for two looks that found the same. */
  readonly fingerprint: string;
  /** When the look began, on the clock's monotonic time. */
  readonly at: number;
  readonly found: Found;
}

export type Found =
  | { readonly type: "members"; readonly members: MemberSet; readonly observedAt: number }
  | { readonly type: "failure"; readonly error: ProvisioningError };

export interface LookOptions {
  /** The file may have changed even if it looks the same. */
  readonly mustRead: boolean;
  /** Members that did not change since are the same objects. */
  readonly previous: MemberSet;
  readonly signal: AbortSignal;
}

export interface TopologyReaderOptions {
  readonly path: string;
  readonly format: FileFormat;
  readonly maxBytes: number;
  readonly clock: Clock;
}

/** Up to here JSON is parsed on the spot, within a few milliseconds. YAML takes that long for a few kilobytes. */
const INLINE_BYTES = 262_144;

/** Looks at a topology file; content that was parsed at the look before is not parsed again. */
export class TopologyReader {
  readonly #options: TopologyReaderOptions;
  readonly #file: FileReader;
  #readMembers: ((file: unknown) => readonly ClusterNode[]) | undefined;
  /** What the content of the last reading was. */
  #found: Found | undefined;

  constructor(options: TopologyReaderOptions) {
    const { path, maxBytes, clock } = options;
    this.#options = options;
    this.#file = new FileReader({ path, maxBytes, monotonic: () => clock.monotonic() });
  }

  /** Undefined when the file was written to meanwhile. Rejects only as the signal aborts. */
  async look(options: LookOptions): Promise<Sighting | undefined> {
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

  async #parse(bytes: Uint8Array<ArrayBuffer>, options: LookOptions): Promise<Found> {
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
