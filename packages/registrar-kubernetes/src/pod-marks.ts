import { fieldOf, listOf } from "@holdfast/core/adapter";
import type { KubernetesRegistrarSettings } from "./kubernetes-registrar-params.ts";

/** Whether the pod has the labels, and its condition for the readiness gate is true. */
export function hasMarks(
  pod: unknown,
  { labels = {}, readinessGate }: Pick<KubernetesRegistrarSettings, "labels" | "readinessGate">,
): boolean {
  const present = fieldOf(fieldOf(pod, "metadata"), "labels");
  if (!Object.entries(labels).every(([name, value]) => fieldOf(present, name) === value)) return false;
  if (readinessGate === undefined) return true;
  const conditions = listOf(fieldOf(pod, "status"), "conditions");
  const condition = conditions.find((each) => fieldOf(each, "type") === readinessGate);
  return fieldOf(condition, "status") === "True";
}
