/** The program at the beginning of the documentation. */
export const FIRST_PROGRAM = `import { connect } from "holdfast";
import { memory } from "@holdfast/provider-memory";

const members = [{ id: "node-1", host: "10.0.0.1", port: 7001 }];
await using orders = await connect({ providers: [memory({ members })] });
await orders.ready();
for (const { id, host, port } of orders.members()) console.log(id, host, port);
`;

/** The output of the program. */
export const FIRST_OUTPUT = "node-1 10.0.0.1 7001\n";
