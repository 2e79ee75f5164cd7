import { fieldOf, textOf } from "@holdfast/core/adapter";

/** Returns `namespace/name`. Undefined when the object has no name, which an object of an API server always has. */
export function objectKeyOf(object: unknown): string | undefined {
  const metadata = fieldOf(object, "metadata");
  const name = textOf(metadata, "name");
  if (name === undefined || name === "") return undefined;
  return `${namespaceOf(metadata)}/${name}`;
}

/** The namespace in the metadata of an object; empty when it has none. */
export function namespaceOf(metadata: unknown): string {
  return textOf(metadata, "namespace") ?? "";
}
