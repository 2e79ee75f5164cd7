// Runs the service under test in a separate process, so that memory, descriptors, timers, listeners and pauses belong
// to the service alone.
import { ListenerCensus } from "./listener-census.ts";
import type { ServiceResponse, ServiceRequest, ServiceRequests } from "./service-request.ts";

// Created before anything else is loaded, so that it counts every listener.
const census = new ListenerCensus();
const { SoakedService } = await import("./soaked-service.ts");
const { countResources } = await import("./holdings.ts");
let service: InstanceType<typeof SoakedService> | undefined;

// Ctrl-C sends SIGINT to every process of the group; the parent decides when to stop.
process.on("SIGINT", () => undefined);
process.on("message", (request: ServiceRequest) => void handle(request));
process.on("disconnect", () => void service?.stop());

async function handle(request: ServiceRequest): Promise<void> {
  const { id } = request;
  try {
    respond({ id, result: await execute(request) });
  } catch (error) {
    respond({ id, error: error instanceof Error ? `${error.message}\n${error.stack}` : String(error) });
  }
  // After this, the channel to the parent does not keep the process alive, so the process exits when nothing else does.
  if (request.kind === "stop") process.channel?.unref();
}

async function execute(request: ServiceRequest): Promise<ServiceRequests[keyof ServiceRequests]["result"]> {
  if (request.kind === "remains") return countResources();
  if (request.kind === "start") {
    service = new SoakedService(request.params, census);
    await service.start();
    return null;
  }
  if (service === undefined) throw new Error("not started");
  switch (request.kind) {
    case "isolate":
      service.isolate(request.params);
      return null;
    case "sample":
      return service.sample();
    case "view":
      return service.view();
    case "summary":
      return service.summary();
    default:
      return service.stop();
  }
}

function respond(response: ServiceResponse): void {
  process.send?.(response);
}
