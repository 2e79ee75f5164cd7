import type { Writer } from "./writer.ts";

/**
 * A file next to the stored file during a save. `generation` is the generation that the save writes: once the stored
 * file has it, the side file is no longer needed.
 */
export type SideFile =
  | { readonly kind: "claim"; readonly generation: number }
  | { readonly kind: "beacon"; readonly generation: number; readonly instance: string }
  | {
      readonly kind: "temporary";
      readonly generation: number;
      readonly writer: Pick<Writer, "pid" | "startTime">;
      readonly place: string;
      readonly instance: string;
    };

export function claimName(base: string, generation: number, attempt: number): string {
  return `.${base}.${generation}.${attempt}.claim`;
}

/** Short, because the address of a socket is limited in length. */
export function beaconName(base: string, generation: number, instance: string): string {
  return `.${base}.${generation}.${instance}.alive`;
}

export interface TemporaryNameParts {
  readonly generation: number;
  readonly writer: Pick<Writer, "pid" | "startTime">;
  readonly place: string;
  readonly instance: string;
  readonly random: string;
}

export function temporaryName(base: string, parts: TemporaryNameParts): string {
  const { generation, writer, place, instance, random } = parts;
  return `.${base}.${generation}.${writer.pid}-${writer.startTime}-${place}.${instance}-${random}.tmp`;
}

const CLAIM = /^(\d+)\.\d+\.claim$/;
const BEACON = /^(\d+)\.([0-9a-f]+)\.alive$/;
const TEMPORARY = /^(\d+)\.(\d+)-(\d*)-([0-9a-f]+)\.([0-9a-f]+)-[0-9a-f]+\.tmp$/;

/** Returns `undefined` for a name that is not a side file of `base`. */
export function parseSideFile(base: string, name: string): SideFile | undefined {
  if (!name.startsWith(`.${base}.`)) return undefined;
  const rest = name.slice(base.length + 2);
  const claim = CLAIM.exec(rest);
  if (claim !== null) return { kind: "claim", generation: Number(claim[1]) };
  const beacon = BEACON.exec(rest);
  if (beacon !== null) return { kind: "beacon", generation: Number(beacon[1]), instance: beacon[2] ?? "" };
  const temporary = TEMPORARY.exec(rest);
  if (temporary === null) return undefined;
  const [, generation, pid, startTime = "", place = "", instance = ""] = temporary;
  return {
    kind: "temporary",
    generation: Number(generation),
    writer: { pid: Number(pid), startTime },
    place,
    instance,
  };
}
