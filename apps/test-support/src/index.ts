export { TemporaryFolder } from "./temporary-folder.ts";
export { createSelfSigned, hasOpenssl, type SelfSigned } from "./self-signed.ts";
export { collectUnhandledRejections } from "./unhandled-rejections.ts";
export { TestEventSource, type EventSourceOptions, type ReceivedEvent } from "./test-event-source.ts";
export { CheckingFollower } from "./checking-follower.ts";
export { HostileClients } from "./hostile-clients.ts";
export { RealIoTime } from "./real-io-time.ts";
