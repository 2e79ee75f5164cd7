import { ProvisioningError } from "@holdfast/core";
import { toJsonText, toPrintable } from "../output/printable.ts";
import type { CommandContext } from "./command-context.ts";
import { assertChangeable, openProviderSet, type ProviderSetOptions } from "./provider-set.ts";

/**
 * Removes one provider from the store, also one that is no longer valid, so that a set can be repaired. Throws
 * `VALIDATION_UNKNOWN_ID`, `STORE_*`, and the errors of `assertChangeable`.
 */
export async function removeProvider(
  id: string,
  options: ProviderSetOptions,
  context: CommandContext,
): Promise<void> {
  const { terminal, out, isJson } = context;
  const set = await openProviderSet(options, terminal.cwd, { loadsAdapters: false });
  assertChangeable(set);
  const before = await set.store.load();
  const after = before.filter((descriptor) => descriptor.id !== id);
  if (after.length === before.length) {
    const ids = before.map((descriptor) => descriptor.id).join(", ") || "none";
    throw new ProvisioningError(
      "VALIDATION_UNKNOWN_ID",
      `no provider has this id; the stored ones are: ${ids}`,
    );
  }
  await set.store.save(after);
  await out.write(
    isJson ? toJsonText({ removed: id, file: set.file }) : `removed ${id} from ${toPrintable(set.file)}`,
  );
}
