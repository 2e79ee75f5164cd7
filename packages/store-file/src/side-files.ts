import { randomBytes } from "node:crypto";
import { basename, dirname, join } from "node:path";
import type { Beacons } from "./beacon.ts";
import { encodeClaim, parseClaim, toClaimError, type Claim } from "./claim.ts";
import { isErrno, isLocalFolder, readIfThere, type FileSystem } from "./file-system.ts";
import { beaconName, claimName, parseSideFile, temporaryName, type SideFile } from "./side-file-name.ts";
import { toChangedError } from "./store-error.ts";
import { placeOf, type ProcessTable, type Writer } from "./writer.ts";

export interface SideFilesOptions {
  readonly fileSystem: FileSystem;
  readonly processes: ProcessTable;
  readonly beacons: Beacons;
  /** The stored file as the user named it, for errors. */
  readonly file: string;
  /** The file that the side files belong to: `file` with symbolic links followed. */
  readonly target: string;
  readonly writer: Writer;
  /** Random; names the store that the files belong to. A store saves one set at a time. */
  readonly instance: string;
}

/** The temporary files, claims and beacons next to a stored file while it is replaced. */
export class SideFiles {
  readonly #fileSystem: FileSystem;
  readonly #processes: ProcessTable;
  readonly #beacons: Beacons;
  readonly #file: string;
  readonly #folder: string;
  readonly #base: string;
  readonly #self: Claim;
  readonly #place: string;

  constructor({ fileSystem, processes, beacons, file, target, writer, instance }: SideFilesOptions) {
    this.#fileSystem = fileSystem;
    this.#processes = processes;
    this.#beacons = beacons;
    this.#file = file;
    this.#folder = dirname(target);
    this.#base = basename(target);
    this.#self = { writer, instance };
    this.#place = placeOf(writer);
  }

  /**
   * Writes a new file that only its owner may read. The owner is this user, or the one given. The content is synced,
   * the folder is not.
   */
  async writeTemporary(
    generation: number,
    bytes: Uint8Array,
    owner?: { readonly uid: number; readonly gid: number },
  ): Promise<string> {
    const name = temporaryName(this.#base, {
      generation,
      writer: this.#self.writer,
      place: this.#place,
      instance: this.#self.instance,
      random: randomBytes(4).toString("hex"),
    });
    const path = join(this.#folder, name);
    const file = await this.#fileSystem.open(path, "wx", 0o600);
    try {
      await file.writeFile(bytes);
      if (owner !== undefined && owner.uid !== process.geteuid?.()) await file.chown(owner.uid, owner.gid);
      await file.sync();
    } finally {
      await file.close();
    }
    return path;
  }

  /**
   * Lights the beacon for a claim on `generation`. Returns `undefined` where the platform does not support beacons. It
   * must be lit before the claim is made and disposed of after the claim was removed, so that a claim whose beacon is
   * out is known to be abandoned.
   */
  light(generation: number): Promise<AsyncDisposable | undefined> {
    return this.#beacons.light(join(this.#folder, this.#beaconOf(generation)));
  }

  /**
   * Claims the right to write `generation`. The caller must then check that the generation before it is still in force.
   * Rejects with `STORE_CONFLICT` while a writer that may be alive holds a claim.
   *
   * Why no two savers can both replace the same generation: link(2) gives the name of the claim to one of them. The
   * others go on to the name of the next attempt only when that writer can never run again. And as long as the
   * generation is not in force, a claim is removed only by its own writer, once it has given up. So at most one saver
   * holds a claim, is alive and finds the old generation still in force. A claim that is made again after a sweep comes
   * too late, because then the new generation is in force.
   */
  async claim(generation: number, isLit: boolean): Promise<void> {
    const beacon = isLit ? this.#beaconOf(generation) : undefined;
    // The claim gets its name only when its content is complete, so that no process ever reads half a claim.
    const source = await this.writeTemporary(generation, encodeClaim({ ...this.#self, beacon }));
    for (let attempt = 0; ; attempt++) {
      const claimFile = join(this.#folder, claimName(this.#base, generation, attempt));
      try {
        await this.#fileSystem.link(source, claimFile);
        return;
      } catch (error) {
        // Another writer, which did not see this one, has written the generation and removed the side files.
        if (isErrno(error, "ENOENT")) throw toChangedError(this.#file);
        if (!isErrno(error, "EEXIST")) throw error;
      }
      const claim = await this.#readClaim(claimFile);
      if (claim === undefined || !(await this.#isAbandoned(claim))) {
        throw toClaimError({ file: this.#file, claimFile, claim });
      }
    }
  }

  /**
   * Removes, as far as possible, this store's own side files, the side files of generations up to `current`, and
   * temporary files whose writer is gone. It never removes a temporary file of a writer that is alive.
   */
  async sweep(current: number): Promise<void> {
    for (const name of await this.#list()) {
      const file = parseSideFile(this.#base, name);
      if (file === undefined) continue;
      const path = join(this.#folder, name);
      try {
        if (await this.#isStray(file, path, current)) await this.#fileSystem.unlink(path);
      } catch {
        // The next sweep tries again. Until then a stray file does no harm.
      }
    }
  }

  async #list(): Promise<readonly string[]> {
    try {
      return await this.#fileSystem.readdir(this.#folder);
    } catch {
      return [];
    }
  }

  async #isStray(file: SideFile, path: string, current: number): Promise<boolean> {
    if (file.kind === "claim") {
      return file.generation <= current || (await this.#readClaim(path))?.instance === this.#self.instance;
    }
    if (file.kind === "beacon") {
      return file.generation <= current || (await this.#isUnclaimed(path));
    }
    if (file.instance === this.#self.instance) return true;
    if (file.place === this.#place) return await this.#processes.isGone(file.writer);
    return file.generation <= current;
  }

  /**
   * True when the writer of this beacon ended before it made its claim. While a claim names the beacon it must stay,
   * because it shows that the claim is abandoned.
   */
  async #isUnclaimed(path: string): Promise<boolean> {
    if ((await this.#beacons.isLit(path)) !== false) return false;
    for (const name of await this.#list()) {
      if (parseSideFile(this.#base, name)?.kind !== "claim") continue;
      const claim = await this.#readClaim(join(this.#folder, name));
      if (claim === undefined || claim.beacon === basename(path)) return false;
    }
    return true;
  }

  async #readClaim(path: string): Promise<Claim | undefined> {
    const bytes = await readIfThere(this.#fileSystem, path);
    return bytes === undefined ? undefined : parseClaim(bytes);
  }

  #beaconOf(generation: number): string {
    return beaconName(this.#base, generation, this.#self.instance);
  }

  /**
   * Returns false when the state of the writer is unknown. The beacon decides only if the writer must have run on this
   * machine: it was started by this kernel, or the folder is on a local file system.
   */
  async #isAbandoned({ writer, beacon }: Claim): Promise<boolean> {
    const isOurs = beacon !== undefined && parseSideFile(this.#base, beacon)?.kind === "beacon";
    const isSameKernel = writer.bootId !== "" && writer.bootId === this.#self.writer.bootId;
    if (isOurs && (isSameKernel || (await isLocalFolder(this.#fileSystem, this.#folder)))) {
      const isLit = await this.#beacons.isLit(join(this.#folder, beacon));
      if (isLit !== undefined) return !isLit;
    }
    return await this.#isGone(writer);
  }

  /** Returns false when the state of the writer is unknown. */
  async #isGone(writer: Writer): Promise<boolean> {
    const self = this.#self.writer;
    if (placeOf(writer) === this.#place) return await this.#processes.isGone(writer);
    // A different boot id means an earlier boot only if the writer cannot be on another machine or in a container with
    // a different boot id.
    const isOtherBoot = writer.bootId !== "" && self.bootId !== "" && writer.bootId !== self.bootId;
    const isSameNamespace = writer.pidNamespace === self.pidNamespace;
    return isOtherBoot && isSameNamespace && (await isLocalFolder(this.#fileSystem, this.#folder));
  }
}
