import { registerHooks } from "node:module";
import type { Mutant } from "./mutant.ts";
import { MUTANTS } from "./mutants.ts";

const ROOT = new URL("../../../../", import.meta.url).href;

/**
 * Plants the bug in every module that is loaded in this thread from now on. Throws for an unknown name. Loading the
 * file fails when the text to replace does not occur in it exactly once; then the mutant must be updated.
 */
export function plantMutant(name: string): void {
  const mutant = MUTANTS.find((known) => known.name === name);
  if (mutant === undefined) throw new Error(`there is no mutant called ${name}`);
  const url = new URL(mutant.file, ROOT).href;
  registerHooks({
    load(loaded, context, nextLoad) {
      const result = nextLoad(loaded, context);
      if (loaded !== url) return result;
      return { ...result, source: plantedSource(mutant, toText(result.source)) };
    },
  });
}

/** The source with the bug. Throws when the text to replace is not in it exactly once. */
export function plantedSource({ name, file, find, replace }: Mutant, source: string): string {
  const count = source.split(find).length - 1;
  if (count !== 1) throw new Error(`mutant ${name}: its text occurs ${count} times in ${file}`);
  return source.replace(find, () => replace);
}

function toText(source: string | ArrayBuffer | NodeJS.TypedArray | null | undefined): string {
  if (typeof source === "string") return source;
  if (source === null || source === undefined) throw new Error("a module without a source");
  return new TextDecoder().decode(source);
}
