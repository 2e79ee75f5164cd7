export type Colour = "bold" | "dim" | "red" | "green" | "yellow" | "blue" | "magenta" | "cyan";

/** Colours a text, or returns it unchanged when colours are off. */
export type Paint = (colour: Colour, text: string) => string;

// ECMA-48 "select graphic rendition" parameters.
const SGR: Readonly<Record<Colour, readonly [on: number, off: number]>> = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  blue: [34, 39],
  magenta: [35, 39],
  cyan: [36, 39],
};

export interface PaintOptions {
  readonly isTty: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Uses colours only on a terminal that supports them, and never when `NO_COLOR` is set (no-color.org). */
export function createPaint(options: PaintOptions): Paint {
  const { isTty, env } = options;
  const isOff = !isTty || env["TERM"] === "dumb" || (env["NO_COLOR"] ?? "") !== "";
  if (isOff) return (_colour, text) => text;
  return (colour, text) => `\u001b[${SGR[colour][0]}m${text}\u001b[${SGR[colour][1]}m`;
}
