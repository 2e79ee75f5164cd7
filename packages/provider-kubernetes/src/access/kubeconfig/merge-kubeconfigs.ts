import type { Kubeconfig, KubeconfigEntries } from "./kubeconfig-file.ts";

/**
 * Merges kubeconfigs by the rules of kubectl ("Merging kubeconfig files"): the first file that contains an entry with a
 * name, or sets the current context, takes precedence. Entries are not merged with each other.
 */
export function mergeKubeconfigs(configs: readonly Kubeconfig[]): Kubeconfig {
  return {
    currentContext: configs.map((config) => config.currentContext).find((name) => name !== "") ?? "",
    clusters: mergeEntries(configs.map((config) => config.clusters)),
    users: mergeEntries(configs.map((config) => config.users)),
    contexts: mergeEntries(configs.map((config) => config.contexts)),
  };
}

function mergeEntries(all: readonly KubeconfigEntries[]): KubeconfigEntries {
  // A later entry of a Map replaces an earlier one, so the first file comes last.
  return new Map(all.toReversed().flatMap((entries) => [...entries]));
}
