import type { ProviderDescriptor } from "@holdfast/core";
import { toJsonText, toPrintable } from "../output/printable.ts";
import type { Paint } from "../output/paint.ts";
import type { CommandContext } from "./command-context.ts";
import { openProviderSet, type ProviderSetOptions } from "./provider-set.ts";

/** Prints the stored providers, highest priority first. */
export async function listProviders(options: ProviderSetOptions, context: CommandContext): Promise<void> {
  const { terminal, out, paint, isJson } = context;
  const { file, store, declaredIn } = await openProviderSet(options, terminal.cwd, { loadsAdapters: false });
  const providers = await store.load();
  if (isJson) return out.write(toJsonText({ file, declaredIn, providers }));
  if (providers.length === 0) {
    const words =
      declaredIn === undefined ? "" : `; ${toPrintable(declaredIn)} is stored when \`holdfast run\` starts`;
    return out.write(`no providers in ${toPrintable(file)}${words}`);
  }
  for (const line of toTable(providers, paint)) await out.write(line);
}

function toTable(providers: readonly ProviderDescriptor[], paint: Paint): readonly string[] {
  const rows = providers.map(({ id, kind, priority }) => [
    toPrintable(id),
    toPrintable(kind),
    String(priority),
  ]);
  const all = [["ID", "KIND", "PRIORITY"], ...rows];
  const widths = [0, 1, 2].map((column) => Math.max(...all.map((row) => row[column]!.length)));
  const pad = (row: readonly string[]) => row.map((cell, column) => cell.padEnd(widths[column]!)).join("  ");
  return [
    paint("dim", `${pad(all[0]!)}  PARAMETERS`),
    ...providers.map(({ params, disabled }, index) => {
      const line = `${pad(rows[index]!)}  ${toPrintable(JSON.stringify(params))}`;
      return disabled === undefined
        ? line
        : `${line}  ${paint("red", `disabled: ${toPrintable(disabled.message)}`)}`;
    }),
  ];
}
