import { HOSTILE_NAMES, HOSTILE_VALUES, nest, POLLUTION } from "./hostile-values.ts";
import { pick, type Mutation } from "./mutation.ts";

type Container = unknown[] | Record<string, unknown>;

/** The location of a value: `container[key]`. */
interface Place {
  readonly container: Container;
  readonly key: string;
}

/** Deep enough to exhaust careless recursion, but shallow enough for `JSON.stringify`. */
const DEEP = 1_500;

const CHANGES: readonly ((place: Place, choice: number) => void)[] = [
  replace,
  replace,
  drop,
  duplicate,
  rename,
  (place) => set(place, [Reflect.get(place.container, place.key)]),
  (place) => set(place, { value: Reflect.get(place.container, place.key) }),
  addPollution,
  addPollution,
  (place) => set(place, nest(DEEP)),
];

/**
 * Returns a copy of JSON data with changes to its structure: fields that are dropped, duplicated, renamed, changed in
 * type, nested, or named `__proto__` or `constructor`.
 */
export function mutateJson(value: unknown, mutations: readonly Mutation[]): unknown {
  const root: Container = [structuredClone(value)];
  for (const { place, choice } of mutations) {
    const change = pick(CHANGES, choice);
    change(pick(placesIn(root), place), Math.floor(choice / CHANGES.length));
  }
  return root[0] ?? null;
}

function placesIn(root: Container): readonly Place[] {
  const places: Place[] = [];
  const pending: Container[] = [root];
  for (let container = pending.pop(); container !== undefined; container = pending.pop()) {
    for (const key of Object.keys(container)) {
      places.push({ container, key });
      const value: unknown = Reflect.get(container, key);
      if (isContainer(value)) pending.push(value);
    }
  }
  return places.length > 0 ? places : [{ container: root, key: "0" }];
}

function isContainer(value: unknown): value is Container {
  return typeof value === "object" && value !== null;
}

function replace(place: Place, choice: number): void {
  set(place, structuredClone(pick(HOSTILE_VALUES, choice)));
}

function drop({ container, key }: Place): void {
  if (Array.isArray(container)) container.splice(Number(key), 1);
  else Reflect.deleteProperty(container, key);
}

function duplicate({ container, key }: Place): void {
  const copy: unknown = structuredClone(Reflect.get(container, key));
  if (Array.isArray(container)) container.splice(Number(key), 0, copy);
  else set({ container, key: `${key}2` }, copy);
}

function rename(place: Place, choice: number): void {
  const { container, key } = place;
  const value: unknown = Reflect.get(container, key);
  if (Array.isArray(container)) return;
  drop(place);
  set({ container, key: pick(HOSTILE_NAMES, choice) }, value);
}

function addPollution({ container, key }: Place, choice: number): void {
  const value: unknown = Reflect.get(container, key);
  const target = isContainer(value) && !Array.isArray(value) ? value : container;
  if (Array.isArray(target)) target.push({ ["__proto__"]: { ...POLLUTION } });
  else if (choice % 2 === 0) set({ container: target, key: "__proto__" }, { ...POLLUTION });
  else set({ container: target, key: "constructor" }, { prototype: { ...POLLUTION } });
}

/** Also works for `__proto__`, which an assignment would treat as the prototype. */
function set({ container, key }: Place, value: unknown): void {
  Object.defineProperty(container, key, { value, writable: true, enumerable: true, configurable: true });
}
