import { loadConfig } from "../config/load-config.ts";
import type { CommandContext } from "./command-context.ts";

/** Checks a configuration file, without connecting to anything; the adapters it names are loaded. Throws `VALIDATION_*` naming every problem. */
export async function validate(file: string, context: CommandContext): Promise<void> {
  const { terminal, out, paint, isJson } = context;
  const loaded = await loadConfig(file, { cwd: terminal.cwd });
  const { config, providers } = loaded;
  if (isJson) return out.write(JSON.stringify({ isValid: true, file: loaded.file, config }));
  const named = providers?.map(({ id, kind, priority }) => `${id} (${kind}, ${priority})`);
  await out.write(`${paint("green", "valid")}  ${loaded.file}`);
  await out.write(`  providers  ${named === undefined ? "as stored" : named.join(", ") || "none"}`);
  await out.write(`  store      ${loaded.storeFile}`);
}
