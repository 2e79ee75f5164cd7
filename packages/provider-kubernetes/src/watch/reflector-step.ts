import type { WatchEvent } from "../access/api-client.ts";
import type { WatchPosition } from "./watch-position.ts";

/** An object of a list. */
export interface ListedObject {
  /** `namespace/name`; for an object without a name, a key that contains its position in the list. */
  readonly key: string;
  readonly object: unknown;
}

/** What a reflector reports. The steps of one reflector must be processed one after the other. */
export type ReflectorStep =
  /** A part of a list. It takes effect with `listed`. */
  | { readonly type: "page"; readonly objects: readonly ListedObject[] }
  /** The list is complete: there are exactly the objects with these keys. */
  | { readonly type: "listed"; readonly keys: ReadonlySet<string>; readonly position: WatchPosition }
  /** Changes, in the order of the backend. Before the first `listed` or `resumed` the content is not confirmed. */
  | { readonly type: "events"; readonly events: readonly WatchEvent[]; readonly position: WatchPosition }
  /** The content that was remembered, with the events since then, is current. */
  | { readonly type: "resumed"; readonly position: WatchPosition }
  /** The server vouches for its content. */
  | { readonly type: "confirmed"; readonly position: WatchPosition }
  /** The version has expired, so a list comes next. Until then, the content is not current. */
  | { readonly type: "expired" };
