/** What an address has to be, for error messages. */
export const EXPECTED_ORIGIN = "an address of the form http://HOST:PORT, without a path or credentials";

/** An HTTP address with nothing but scheme, host and port. */
export function isOrigin(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, origin, href } = new URL(text);
  return (protocol === "http:" || protocol === "https:") && href === `${origin}/`;
}
