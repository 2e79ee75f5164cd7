// `npm run serve` runs this script: a backend to try the adapter with.
import { RosterServer } from "./roster-server.ts";

const server = await RosterServer.listen({
  port: Number(process.env["PORT"] ?? 7480),
  token: process.env["ROSTER_TOKEN"],
});
server.set([{ id: "node-1", host: "10.0.0.1", port: 7000, zone: "zone-a" }]);
console.log(`serving ${server.url}`);
