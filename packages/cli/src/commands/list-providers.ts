import type { ProviderDescriptor, TopologyName } from "@holdfast/core";
import { toJsonText, toPrintable } from "../output/printable.ts";
import type { Paint } from "../output/paint.ts";
import type { CommandContext } from "./command-context.ts";
import { openProviderSets, type ProviderSetOptions, type StoredProviderSet } from "./provider-set.ts";

interface Listed extends Pick<StoredProviderSet, "topology" | "file" | "declaredIn"> {
  /** Highest priority first. */
  readonly providers: readonly ProviderDescriptor[];
}

/** Prints the stored providers of all selected topologies. */
export async function listProviders(options: ProviderSetOptions, context: CommandContext): Promise<void> {
  const { terminal, out, paint, isJson } = context;
  const sets = await openProviderSets(options, terminal.cwd, { loadsAdapters: false });
  const listed: readonly Listed[] = await Promise.all(
    sets.map(async ({ topology, file, store, declaredIn }) => ({
      topology,
      file,
      declaredIn,
      providers: await store.load(),
    })),
  );
  const [only] = listed;
  if (isJson) return out.write(toJsonText(listed.length === 1 ? only : { topologies: listed }));
  const rows = listed.flatMap(({ topology, providers }) =>
    providers.map((descriptor) => ({ topology, descriptor })),
  );
  if (rows.length > 0) for (const line of toTable(rows, listed.length > 1, paint)) await out.write(line);
  for (const each of listed)
    if (each.providers.length === 0) await out.write(toEmptyLine(each, listed.length > 1));
}

function toEmptyLine({ topology, file, declaredIn }: Listed, isNamed: boolean): string {
  const words =
    declaredIn === undefined ? "" : `; ${toPrintable(declaredIn)} is stored when \`holdfast run\` starts`;
  return `${isNamed ? `${topology}: ` : ""}no providers in ${toPrintable(file)}${words}`;
}

interface Row {
  readonly topology: TopologyName | undefined;
  readonly descriptor: ProviderDescriptor;
}

function toTable(rows: readonly Row[], isNamed: boolean, paint: Paint): readonly string[] {
  const cells = rows.map(({ topology = "", descriptor: { id, kind, priority } }) => [
    ...(isNamed ? [topology] : []),
    toPrintable(id),
    toPrintable(kind),
    String(priority),
  ]);
  const head = [...(isNamed ? ["TOPOLOGY"] : []), "ID", "KIND", "PRIORITY"];
  const widths = head.map((_, column) => Math.max(...[head, ...cells].map((row) => row[column]!.length)));
  const pad = (row: readonly string[]) => row.map((cell, column) => cell.padEnd(widths[column]!)).join("  ");
  return [
    paint("dim", `${pad(head)}  PARAMETERS`),
    ...rows.map(({ descriptor: { params, disabled } }, index) => {
      const line = `${pad(cells[index]!)}  ${toPrintable(JSON.stringify(params))}`;
      return disabled === undefined
        ? line
        : `${line}  ${paint("red", `disabled: ${toPrintable(disabled.message)}`)}`;
    }),
  ];
}
