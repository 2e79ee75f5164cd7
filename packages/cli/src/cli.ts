import { Command, CommanderError, InvalidArgumentError, Option, type OutputConfiguration } from "commander";
import packageJson from "../package.json" with { type: "json" };
import type { CommandContext } from "./commands/command-context.ts";
import type { ExplainOptions } from "./commands/explain.ts";
import type { SchemaOptions, SchemaSubject } from "./commands/schema.ts";
import type { ValidateOptions } from "./commands/validate.ts";
import type { DaemonOptions } from "./daemon/run-daemon.ts";
import { EXIT_CODE, exitCodeOf } from "./exit-code.ts";
import { HELP } from "./help.ts";
import { toErrorDocument, toErrorLines } from "./output/error-lines.ts";
import { LineWriter, type WriteFailure } from "./output/line-writer.ts";
import { createPaint } from "./output/paint.ts";
import { toJsonText, toPrintableLines } from "./output/printable.ts";
import type { Terminal } from "./terminal.ts";

export type CliOptions = Pick<DaemonOptions, "hints">;

/** Runs one command line (without the program name) and returns its exit code. Never rejects. */
export async function runCli(
  args: readonly string[],
  terminal: Terminal,
  { hints }: CliOptions = {},
): Promise<number> {
  const { stdout, stderr, clock } = terminal;
  const out = new LineWriter(stdout, clock);
  const err = new LineWriter(stderr, clock);
  const isJson = args.includes("--json");
  const code = await runCommand(args, { terminal, out, err, isJson, hints });
  await out.flush();
  const isLost = code === EXIT_CODE.ok && out.dropped > 0;
  if (isLost && out.failure?.isReaderGone !== true) await err.write(toLossLine(out.failure, isJson));
  await err.flush();
  return isLost ? EXIT_CODE.failure : code;
}

interface CommandRun extends Omit<CommandContext, "paint"> {
  readonly err: LineWriter;
}

async function runCommand(
  args: readonly string[],
  { terminal, out, err, isJson, hints }: CommandRun,
): Promise<number> {
  const { stdout, stderr, env } = terminal;
  const paint = createPaint({ isTty: stdout.isTTY === true, env });
  try {
    const run: { code: number } = { code: EXIT_CODE.ok };
    const output: OutputConfiguration = {
      writeOut: (text) => void out.write(text.trimEnd()),
      writeErr: (text) => void (isJson || err.write(toPrintableLines(text.trimEnd()))),
    };
    const context = { terminal, out, paint, isJson, hints };
    const program = createProgram(context, output, (code) => void (run.code = code));
    await program.parseAsync([...args], { from: "user" });
    return run.code;
  } catch (error) {
    if (error instanceof CommanderError) {
      if (isJson && error.exitCode !== 0) {
        const message = error.message.replace(/^error: /, ""); // commander adds this prefix for terminals
        await err.write(toJsonText({ error: { code: "USAGE", message } }));
      }
      return error.exitCode === 0 ? EXIT_CODE.ok : EXIT_CODE.usage;
    }
    const errPaint = createPaint({ isTty: stderr.isTTY === true, env });
    const lines = isJson ? [toJsonText(toErrorDocument(error))] : toErrorLines(error, errPaint);
    for (const line of lines) await err.write(line);
    return exitCodeOf(error);
  }
}

function toLossLine(failure: WriteFailure | undefined, isJson: boolean): string {
  const message = `the result could not be written to standard output (${failure?.code ?? "unknown"})`;
  return isJson ? toJsonText({ error: { code: "OUTPUT_FAILED", message } }) : `error: ${message}`;
}

// The code of a command is loaded only when the command runs, so that `--help` and `--version` respond quickly.
function createProgram(
  context: CommandContext,
  output: OutputConfiguration,
  setCode: (code: number) => void,
): Command {
  const program = new Command("holdfast")
    .description("Cluster membership that holds fast while discovery backends fail.")
    .version(packageJson.version)
    .exitOverride()
    .configureOutput(output)
    .helpCommand(false)
    .showHelpAfterError("(--help shows examples)")
    .addHelpText("after", HELP.program);

  program
    .command("run")
    .description("run the daemon of a configuration until it is stopped")
    .requiredOption("-c, --config <file>", "the configuration, YAML or JSON")
    .addOption(
      new Option(
        "-p, --port <number>",
        "the port of the endpoints, instead of http.port; 0: any free port",
      ).argParser(toPort),
    )
    .addOption(jsonOption())
    .addHelpText("after", HELP.run)
    .action(async ({ config, port }: { config: string; port?: number }) => {
      const { runDaemon } = await import("./daemon/run-daemon.ts");
      const { terminal, isJson, hints } = context;
      setCode(await runDaemon({ configFile: config, port, isJson, terminal, hints }));
    });
  program
    .command("validate")
    .description("validate a configuration file and list every problem")
    .argument("<file>", "the configuration, YAML or JSON")
    .addOption(noAdaptersOption())
    .addOption(jsonOption())
    .addHelpText("after", HELP.validate)
    .action(async (file: string, options: ValidateOptions) => {
      const { validate } = await import("./commands/validate.ts");
      await validate(file, options, context);
    });
  program
    .command("schema")
    .description("print the JSON Schema of a kind of file")
    .argument("[subject]", "config, or topology for the files of file providers", toSubject, "config")
    .option("-c, --config <file>", "a configuration; the schema then includes the kinds of its adapters")
    .addOption(noAdaptersOption())
    .addOption(jsonOption())
    .addHelpText("after", HELP.schema)
    .action(async (subject: SchemaSubject, options: SchemaOptions) => {
      const { schema } = await import("./commands/schema.ts");
      await schema(subject, options, context);
    });
  program
    .command("explain")
    .description("ask a running daemon why a node is in, out, held or blocked")
    .argument("<node>", "its id")
    .option("-c, --config <file>", "the configuration of the daemon, which contains its address")
    .option("-u, --url <url>", "the URL of the daemon, instead of a configuration")
    .addOption(topologyOption("the topology; default: the one called default, or the only one of --config"))
    .addOption(jsonOption())
    .addHelpText("after", HELP.explain)
    .action(async (node: string, options: ExplainOptions) => {
      const { explain } = await import("./commands/explain.ts");
      await explain(node, options, context);
    });
  addProviderCommands(program.command("providers"), context);
  return program;
}

interface SetOptions {
  readonly config?: string;
  readonly store?: string;
  readonly topology?: string;
}

interface FieldOptions extends SetOptions {
  readonly id?: string;
  readonly kind?: string;
  readonly priority?: string;
  readonly params?: string;
}

function addProviderCommands(providers: Command, context: CommandContext): void {
  providers
    .description("manage the stored providers")
    .helpCommand(false)
    .addHelpText("after", HELP.providers);
  const subcommand = (name: string, description: string) =>
    providers
      .command(name)
      .description(description)
      .option("-c, --config <file>", "the configuration that the store belongs to")
      .option("-s, --store <file>", "the store file, if there is no configuration")
      .addOption(
        topologyOption("a topology of the configuration; needed if there are several without default"),
      )
      .addOption(jsonOption());
  subcommand("list", "list the stored providers, with the reason for disabled ones").action(
    async (options: SetOptions) => {
      const { listProviders } = await import("./commands/list-providers.ts");
      await listProviders(options, context);
    },
  );
  subcommand("add", "validate a provider, prove that its backend responds, and store it")
    .argument("[descriptor]", "a file with the whole descriptor, YAML or JSON; - is standard input")
    .option("--id <name>", "its name")
    .option("--kind <kind>", "the kind of its backend, for example file")
    .option("--priority <number>", "the healthy provider of highest priority is active")
    .option("--params <json|@file>", "the parameters of its kind")
    .addHelpText("after", HELP.add)
    .action(async (file: string | undefined, options: FieldOptions) => {
      const { addProvider } = await import("./commands/add-provider.ts");
      await addProvider(file, options, context);
    });
  subcommand("remove", "remove a provider from the store")
    .argument("<id>", "its name")
    .action(async (id: string, options: SetOptions) => {
      const { removeProvider } = await import("./commands/remove-provider.ts");
      await removeProvider(id, options, context);
    });
}

function topologyOption(description: string): Option {
  return new Option("-t, --topology <name>", description);
}

function jsonOption(): Option {
  return new Option("--json", "print JSON for programs, instead of text");
}

function noAdaptersOption(): Option {
  return new Option(
    "--no-adapters",
    "do not load the adapters that the configuration names (loading runs their code)",
  );
}

function toPort(text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port <= 65_535) return port;
  throw new InvalidArgumentError("A port is a number from 0 to 65535.");
}

function toSubject(text: string): SchemaSubject {
  if (text === "config" || text === "topology") return text;
  throw new InvalidArgumentError("It must be config or topology.");
}
