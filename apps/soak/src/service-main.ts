// The service under test, in a process of its own, so that memory, descriptors, timers, listeners and pauses are its alone.
import { ListenerCensus } from "./listener-census.ts";
import type { ServiceAnswer, ServiceOrder, ServiceOrders } from "./service-order.ts";

// Before anything else is loaded, so that nothing goes uncounted.
const census = new ListenerCensus();
const { SoakedService } = await import("./soaked-service.ts");
const { countResources } = await import("./holdings.ts");
let service: InstanceType<typeof SoakedService> | undefined;

// Ctrl-C reaches the whole group; the parent says when to stop.
process.on("SIGINT", () => undefined);
process.on("message", (order: ServiceOrder) => void obey(order));
process.on("disconnect", () => void service?.stop());

async function obey(order: ServiceOrder): Promise<void> {
  const { id } = order;
  try {
    tell({ id, answer: await carryOut(order) });
  } catch (error) {
    tell({ id, error: error instanceof Error ? `${error.message}\n${error.stack}` : String(error) });
  }
  // From now on the parent's channel keeps nothing alive: with nothing else left the process ends.
  if (order.kind === "stop") process.channel?.unref();
}

async function carryOut(order: ServiceOrder): Promise<ServiceOrders[keyof ServiceOrders]["answer"]> {
  if (order.kind === "remains") return countResources();
  if (order.kind === "start") {
    service = new SoakedService(order.asked, census);
    await service.start();
    return null;
  }
  if (service === undefined) throw new Error("not started");
  switch (order.kind) {
    case "isolate":
      service.isolate(order.asked);
      return null;
    case "sample":
      return service.sample();
    case "view":
      return service.view();
    case "story":
      return service.story();
    default:
      return service.stop();
  }
}

function tell(answer: ServiceAnswer): void {
  process.send?.(answer);
}
