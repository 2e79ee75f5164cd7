// `pnpm bench:real [--json] [--quick] [--only consul|kubernetes|services] [--latency]` runs on real servers. HOLDFAST_BACKENDS
// names the folder with their programs.
import { parseArgs } from "node:util";
import { arePrograms } from "@holdfast-apps/lab";
import { quantile, median, toLine, type Figure } from "../measure.ts";
import { followChanges, type Changes } from "./changes.ts";
import { CONTENDERS, type ContenderName } from "./contender.ts";
import { countIdleRequests } from "./idle.ts";
import { openConsul, openKubernetes, type BenchBackend } from "./bench-backend.ts";
import { benchManyServices } from "./many-services.ts";

const { values } = parseArgs({
  options: {
    json: { type: "boolean" },
    quick: { type: "boolean" },
    only: { type: "string" },
    latency: { type: "boolean" },
  },
});
const isQuick = values.quick === true;
const FEW = 10;
const MANY = 5_000;
const ROUNDS = isQuick ? 1 : 4;
const figures: Figure[] = [];

if (!arePrograms("consul", "etcd", "kube-api")) {
  console.error("HOLDFAST_BACKENDS must name a folder that contains consul, etcd and kube-api.");
  process.exit(2);
}
if (values.only === undefined || values.only === "consul") await bench("Consul", openConsul, true);
if (values.only === undefined || values.only === "kubernetes")
  await bench("Kubernetes", openKubernetes, false);
if (values.only !== "consul" && values.latency !== true) await benchMany();
if (values.json === true) console.log(JSON.stringify({ node: process.version, figures }, null, 2));

async function benchMany(): Promise<void> {
  const options = { services: 1_000, changes: isQuick ? 50 : 500, idleMs: isQuick ? 5_000 : 30_000 };
  for (const figure of await benchManyServices(options)) report(figure);
}

async function bench(title: string, open: () => Promise<BenchBackend>, hasCpuGoal: boolean): Promise<void> {
  await using backend = await open();
  const addFigure = (name: string, members: number, value: number, unit: Figure["unit"], goal?: Goal) =>
    report({
      name: `${title}: ${name}`,
      members,
      value,
      unit,
      ...(goal !== undefined && { goal: `<= ${goal.most} of ${goal.of}`, isMet: value <= goal.most }),
    });

  await backend.fill(FEW);
  const latencies = new Map<ContenderName, (readonly number[])[]>(CONTENDERS.map((name) => [name, []]));
  // The contenders take turns, so that a drift in the speed of the machine affects all of them equally.
  for (let round = 0; round < ROUNDS; round++) {
    for (const name of CONTENDERS) {
      const changes = await followChanges(name, {
        backend,
        members: FEW,
        changes: 200,
        warmUp: 200,
        gapMs: 5,
      });
      latencies.get(name)!.push(changes.latenciesMs);
    }
  }
  for (const [label, q, most] of [
    ["median", 0.5, 1.1],
    ["p99", 0.99, 1.25],
  ] as const) {
    // The median of the rounds: a round that was disturbed by other load does not count more than another.
    const of = (name: ContenderName) => median(latencies.get(name)!.map((round) => quantile(round, q)));
    for (const name of CONTENDERS) addFigure(`change to ports, ${label}, ${name}`, FEW, of(name), "ms");
    const ratio = of("holdfast") / of("bare loop");
    addFigure(`  ratio, holdfast to bare loop`, FEW, ratio, "ratio", { most, of: "the bare loop" });
  }

  if (values.latency === true) return;
  await backend.fill(MANY);
  const costs = new Map<ContenderName, Changes[]>(CONTENDERS.map((name) => [name, []]));
  const changes = isQuick ? 10 : 30;
  for (let round = 0; round < (isQuick ? 1 : 2); round++) {
    for (const name of CONTENDERS)
      costs
        .get(name)!
        .push(await followChanges(name, { backend, members: MANY, changes, warmUp: 10, gapMs: 150 }));
  }
  const cpuMs = (name: ContenderName) =>
    median(costs.get(name)!.map(({ measured }) => measured.cpuUs / 1_000 / changes));
  const latencyMs = (name: ContenderName) => median(costs.get(name)!.flatMap((each) => each.latenciesMs));
  for (const name of CONTENDERS) addFigure(`CPU per change, ${name}`, MANY, cpuMs(name), "ms");
  const goal = hasCpuGoal ? { most: 1, of: "the client library" } : undefined;
  addFigure(
    `  ratio, holdfast to client library`,
    MANY,
    cpuMs("holdfast") / cpuMs("client library"),
    "ratio",
    goal,
  );
  for (const name of CONTENDERS) addFigure(`change to ports, median, ${name}`, MANY, latencyMs(name), "ms");
  for (const name of CONTENDERS) {
    const held = costs.get(name)!.map(({ measured }) => measured.heapBytes / 1_048_576);
    addFigure(`heap and buffers held, ${name}`, MANY, median(held), "MiB");
  }

  const requests = await countIdleRequests(backend, MANY, isQuick ? 10_000 : 120_000);
  for (const [name, perMinute] of requests)
    addFigure(`requests per minute, idle, ${name}`, MANY, perMinute, "count");
}

interface Goal {
  readonly most: number;
  readonly of: string;
}

function report(figure: Figure): void {
  figures.push(figure);
  if (values.json !== true) console.log(toLine(figure));
}
