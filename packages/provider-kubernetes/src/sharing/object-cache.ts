import { ProvisioningError } from "@holdfast/core";
import { MAX_MEMBERS } from "@holdfast/core/adapter";
import type { ObjectChange } from "./object-change.ts";

/** How the objects of a resource are grouped and kept. */
export interface ObjectForm {
  /** Returns the group of an object. */
  groupOf(object: unknown): string;
  /** Returns the fields that views read, as JSON. Objects with equal texts are the same for every view. */
  toText(object: unknown): string;
  /** Returns the number of entries of an object, for the limit of all objects. */
  sizeOf(object: unknown): number;
}

interface CachedObject {
  readonly group: string;
  readonly text: string;
  readonly size: number;
}

const NO_CHANGES: readonly ObjectChange[] = Object.freeze([]);
const NO_KEYS: ReadonlySet<string> = new Set();

/**
 * The objects of one list and watch, by group. An object is kept as text, which takes a fraction of the memory of the parsed object,
 * and from which a view that is opened later reads it.
 */
export class ObjectCache {
  readonly #form: ObjectForm;
  readonly #objects = new Map<string, CachedObject>();
  readonly #groups = new Map<string, Set<string>>();
  #size = 0;

  constructor(form: ObjectForm) {
    this.#form = form;
  }

  /** The number of objects. */
  get count(): number {
    return this.#objects.size;
  }

  /**
   * Puts an object, and returns the changes of groups: none if its text is the same, two if it moves to another group. Throws
   * `STREAM_INVALID_DATA` when there are more than `MAX_MEMBERS` objects and entries.
   */
  put(key: string, object: unknown): readonly ObjectChange[] {
    const group = this.#form.groupOf(object);
    const text = this.#form.toText(object);
    const before = this.#objects.get(key);
    if (before?.text === text && before.group === group) return NO_CHANGES;
    const changes: ObjectChange[] = [];
    if (before !== undefined && before.group !== group) changes.push(...this.delete(key));
    const size = this.#form.sizeOf(object);
    this.#size += size - (this.#objects.get(key)?.size ?? 0);
    if (this.#size > MAX_MEMBERS) throw tooMany();
    this.#objects.set(key, { group, text, size });
    let keys = this.#groups.get(group);
    if (keys === undefined) this.#groups.set(group, (keys = new Set()));
    keys.add(key);
    changes.push({ key, group, text, object });
    return changes;
  }

  /** Removes an object, and returns the change: none if it is unknown. */
  delete(key: string): readonly ObjectChange[] {
    const before = this.#objects.get(key);
    if (before === undefined) return NO_CHANGES;
    const { group, size } = before;
    this.#objects.delete(key);
    this.#size -= size;
    const keys = this.#groups.get(group)!;
    keys.delete(key);
    if (keys.size === 0) this.#groups.delete(group);
    return [{ key, group }];
  }

  /** Removes all objects with other keys. */
  retain(keys: ReadonlySet<string>): void {
    for (const key of this.#objects.keys()) if (!keys.has(key)) this.delete(key);
  }

  /** The objects of a group with their texts. */
  *group(name: string): Generator<readonly [key: string, text: string]> {
    for (const key of this.#groups.get(name) ?? NO_KEYS) yield [key, this.#objects.get(key)!.text];
  }
}

function tooMany(): ProvisioningError {
  return new ProvisioningError(
    "STREAM_INVALID_DATA",
    `the cluster has more than ${MAX_MEMBERS} objects and entries`,
    { details: { maxMembers: MAX_MEMBERS } },
  );
}
