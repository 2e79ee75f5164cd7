// Daemons without a network, for the simulation.
export { FakeServer } from "./fake-server.ts";
export { MeshDaemon, type MeshDaemonOptions } from "./mesh-daemon.ts";
