import { describe, expect, test } from "vitest";
import { toEndpoint } from "./service-endpoint.ts";

const node = {
  Address: "10.9.9.9",
  TaggedAddresses: { wan: "198.18.9.9", wan_ipv6: "2001:db8::99", lan: "" },
};
const service = { Address: "192.168.0.55", Port: 8_000 };

describe("toEndpoint", () => {
  // The order and the ports are those of DNS and WAN translation in Consul 1.8.
  test.each([
    ["no tag is configured", service, undefined, "192.168.0.55", 8_000],
    [
      "the service's tagged address has a port",
      { ...service, TaggedAddresses: { wan: { Address: "198.18.0.23", Port: 80 } } },
      "wan",
      "198.18.0.23",
      80,
    ],
    [
      "only the tagged address has a port",
      { ...service, Port: 0, TaggedAddresses: { wan: { Address: "198.18.0.23", Port: 80 } } },
      "wan",
      "198.18.0.23",
      80,
    ],
    [
      "the tagged address has no port",
      { ...service, TaggedAddresses: { wan: { Address: "198.18.0.23", Port: 0 } } },
      "wan",
      "198.18.0.23",
      8_000,
    ],
    [
      "the tagged address is one of IPv6",
      {
        ...service,
        TaggedAddresses: {
          lan_ipv4: { Address: "192.168.0.55", Port: 8_000 },
          wan_ipv6: { Address: "2001:db8::9", Port: 9 },
        },
      },
      "wan_ipv6",
      "2001:db8::9",
      9,
    ],
    [
      "only another tag has an address",
      { ...service, TaggedAddresses: { lan: { Address: "192.168.0.9", Port: 1 } } },
      "wan",
      "192.168.0.55",
      8_000,
    ],
    [
      "the tagged address is empty",
      { ...service, TaggedAddresses: { wan: { Address: "", Port: 80 } } },
      "wan",
      "192.168.0.55",
      8_000,
    ],
    ["the service has an address, the node a tagged one", service, "wan", "192.168.0.55", 8_000],
    ["only the node has addresses", { Address: "", Port: 7 }, "wan", "198.18.9.9", 7],
    ["only the node has addresses, with IPv6", { Address: "", Port: 7 }, "wan_ipv6", "2001:db8::99", 7],
    ["the node's tagged address is empty", { Address: "", Port: 7 }, "lan", "10.9.9.9", 7],
    ["no address has the tag", { Address: "", Port: 7, TaggedAddresses: null }, "x", "10.9.9.9", 7],
  ])("%s", (_, instance, tag, host, port) => {
    expect(toEndpoint(instance, node, tag)).toEqual({ host, port });
  });
});
