import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createNpmProject } from "@holdfast-apps/lab/npm-project";
import { execute } from "@holdfast-apps/lab/packed-packages";
import { median, type Figure } from "./measure.ts";

/**
 * The largest CPU time of a process that imports the package, as a multiple of the CPU time of a process that imports
 * nothing.
 */
const GOALS: Readonly<Record<string, number | undefined>> = {
  "@holdfast/core": 1.5,
  "@holdfast/provisioning": 2.5,
  holdfast: 2.5,
  "@holdfast/provider-memory": undefined,
};

const PROGRAM = `if (process.argv[2] !== undefined) await import(process.argv[2]);
const { user, system } = process.cpuUsage();
console.log((user + system) / 1_000);
`;

/** Measures the CPU time of a process that only imports a package, built and packed as it is published. */
export async function benchImportTime(runs: number): Promise<readonly Figure[]> {
  const names = Object.keys(GOALS);
  await using project = await createNpmProject(names);
  await writeFile(join(project.path, "program.js"), PROGRAM);
  const timeOf = async (...args: readonly string[]) =>
    Number(await execute(process.execPath, ["program.js", ...args], project.path));
  const bare: number[] = [];
  const times = new Map(names.map((name) => [name, [] as number[]]));
  for (let run = 0; run < runs; run++) {
    bare.push(await timeOf());
    for (const [name, measured] of times) measured.push(await timeOf(name));
  }
  const floor = median(bare);
  const figures = [...times].flatMap(([name, measured]): Figure[] => {
    const value = median(measured);
    const ratio = value / floor;
    const most = GOALS[name];
    const goal = most === undefined ? {} : { goal: `<= ${most}`, isMet: ratio <= most };
    return [
      { name: `import ${name}, CPU time of the process`, value, unit: "ms" },
      { name: "  ratio to node alone", value: ratio, unit: "ratio", ...goal },
    ];
  });
  return [
    ...figures,
    { name: "peer: node, CPU time of a process that imports nothing", value: floor, unit: "ms" },
  ];
}
