import {
  isProvisioningError,
  toValidationProblems,
  type ClusterNode,
  type ValidationProblem,
} from "@holdfast/core";
import { createNodeReader } from "@holdfast/core/adapter";
import { InvalidTopologyError, MAX_PROBLEMS } from "./invalid-topology-error.ts";
import { topologyEnvelopeSchema } from "./topology-file.ts";

/**
 * Compiles a reader of parsed topology files. It returns the members sorted by id, or throws `InvalidTopologyError`
 * with every problem (the first hundred). One malformed entry makes the whole file invalid.
 */
export function createMembersReader(): (file: unknown) => readonly ClusterNode[] {
  const readNode = createNodeReader();
  return (file) => {
    const envelope = topologyEnvelopeSchema.safeParse(file);
    if (!envelope.success) throw new InvalidTopologyError(toValidationProblems(envelope.error.issues, file));
    const nodes: ClusterNode[] = [];
    const problems: ValidationProblem[] = [];
    const indexes = new Map<string, number>();
    for (const [index, entry] of envelope.data.members.entries()) {
      if (problems.length >= MAX_PROBLEMS) break;
      try {
        const node = readNode(withNumericPort(entry));
        const first = indexes.get(node.id);
        if (first !== undefined) problems.push(duplicateProblem(index, first));
        if (hasPrototypeKey(entry)) problems.push(prototypeProblem(index));
        indexes.set(node.id, index);
        nodes.push(node);
      } catch (error) {
        problems.push(...problemsOf(error, index));
      }
    }
    if (problems.length > 0) throw new InvalidTopologyError(problems);
    return nodes.sort((a, b) => (a.id < b.id ? -1 : 1));
  };
}

/** Accepts a quoted port, which templates often write, as a number. */
function withNumericPort(entry: unknown): unknown {
  const port: unknown = Reflect.get(Object(entry), "port");
  return typeof port === "string" && /^[1-9]\d{0,4}$/.test(port)
    ? { ...Object(entry), port: Number(port) }
    : entry;
}

function duplicateProblem(index: number, first: number): ValidationProblem {
  return {
    path: `members[${index}].id`,
    expected: "an id that no other member has",
    got: `the id of members[${first}]`,
    code: "VALIDATION_MALFORMED",
  };
}

/** zod silently drops this key of a record. */
function hasPrototypeKey(entry: unknown): boolean {
  const metadata: unknown = Reflect.get(Object(entry), "metadata");
  return typeof metadata === "object" && metadata !== null && Object.hasOwn(metadata, "__proto__");
}

function prototypeProblem(index: number): ValidationProblem {
  return {
    path: `members[${index}].metadata.__proto__`,
    expected: "no such field",
    got: "a reserved name",
    code: "VALIDATION_MALFORMED",
  };
}

function problemsOf(error: unknown, index: number): readonly ValidationProblem[] {
  if (!isProvisioningError(error)) throw error;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- documented at createNodeReader
  const problems = error.details["problems"] as readonly ValidationProblem[];
  return problems.map((problem) => ({
    ...problem,
    path: `members[${index}]${problem.path === "" ? "" : "."}${problem.path}`,
  }));
}
