/**
 * Returns the text of a module with an adapter. Its providers take a parameter `region` and have one member with that
 * name. `rest` is text that replaces fields of the adapter.
 */
export function adapterModule(kind: string, rest = ""): string {
  return `
import { memory } from ${urlOf("@holdfast/provider-memory")};
import * as z from ${urlOf("zod")};
const adapter = memory.createAdapter();
export const createAdapter = ({ baseDir }) => ({
  kind: ${JSON.stringify(kind)},
  params: z.strictObject({ region: z.string().describe("Where it is.") }),
  create(descriptor, context) {
    const members = [{ id: descriptor.params.region, host: "a.test", port: 1 }];
    return adapter.create({ ...descriptor, params: adapter.params.parse({ members }) }, context);
  },
  ${rest}
});
`;
}

function urlOf(name: string): string {
  return JSON.stringify(import.meta.resolve(name));
}
