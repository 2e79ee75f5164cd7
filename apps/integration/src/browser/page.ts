// A page that shows the members of a topology. It is bundled for the browser by the tests.
import { follow } from "@holdfast/client";

const { document, location } = globalThis as unknown as {
  readonly document: { readonly body: { textContent: string } };
  readonly location: { readonly origin: string };
};

const topology = follow({ url: location.origin, topology: "orders", health: { backoffMaxMs: 1_000 } });

function show(): void {
  const { status, snapshot } = topology.state;
  const members = Array.from(snapshot?.members ?? [], ({ id, port }) => `${id}:${port}`);
  document.body.textContent = `${status} ${members.join(" ")}`;
}

topology.onEvent(show);
show();
