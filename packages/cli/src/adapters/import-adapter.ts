import { describeForm, type AdapterOptions, type AnyProviderAdapter } from "@holdfast/core";
import { describeFailure, type AdapterFault } from "./adapter-fault.ts";

/**
 * Loads a module and calls its export `createAdapter(options)`. Never rejects: any error of the module is returned
 * as a fault.
 */
export async function importAdapter(
  url: string,
  options: AdapterOptions,
): Promise<AnyProviderAdapter | AdapterFault> {
  let createAdapter: unknown;
  try {
    const module: unknown = await import(/* @vite-ignore */ url);
    createAdapter = fieldOf(module, "createAdapter");
  } catch (error) {
    return { expected: "a module that can be loaded", got: describeFailure(error) };
  }
  if (typeof createAdapter !== "function") {
    return { expected: 'a module that exports a function "createAdapter"', got: describeForm(createAdapter) };
  }
  try {
    const adapter: unknown = Reflect.apply(createAdapter, undefined, [options]);
    return isAdapter(adapter) ? adapter : toFault(adapter);
  } catch (error) {
    return { expected: "an adapter from createAdapter", got: describeFailure(error) };
  }
}

interface Field {
  readonly name: keyof AnyProviderAdapter;
  readonly form: string;
  readonly isRight: (value: unknown) => boolean;
}

const FIELDS: readonly Field[] = [
  {
    name: "kind",
    form: "a string of 1 to 63 characters",
    isRight: (value) => typeof value === "string" && value.length > 0 && value.length <= 63,
  },
  {
    name: "params",
    form: "a schema of zod 4",
    isRight: isSchema,
  },
  { name: "create", form: "a function", isRight: (value) => typeof value === "function" },
  {
    name: "discovery",
    form: "an object with params, values and create",
    isRight: (value) =>
      value === undefined ||
      (isSchema(fieldOf(value, "params")) &&
        Array.isArray(fieldOf(value, "values")) &&
        typeof fieldOf(value, "create") === "function"),
  },
];

function isSchema(value: unknown): boolean {
  return typeof fieldOf(value, "safeParse") === "function" && fieldOf(value, "_zod") !== undefined;
}

/** Unlike `fieldOf` of core, this includes inherited fields, because an adapter may be an instance of a class. */
function fieldOf(value: unknown, name: string): unknown {
  return value === null || value === undefined ? undefined : Reflect.get(Object(value), name);
}

function isAdapter(value: unknown): value is AnyProviderAdapter {
  return FIELDS.every(({ name, isRight }) => isRight(fieldOf(value, name)));
}

function toFault(value: unknown): AdapterFault {
  const wrong = FIELDS.find(({ name, isRight }) => !isRight(fieldOf(value, name)));
  if (typeof value !== "object" || value === null || wrong === undefined) {
    return { expected: "an adapter from createAdapter", got: describeForm(value) };
  }
  const got = describeForm(fieldOf(value, wrong.name));
  return { expected: `an adapter from createAdapter whose "${wrong.name}" is ${wrong.form}`, got };
}
