// Which addresses a provider may have that a server has named: none inside what the server itself cannot reach (D18).

import type { BlockList } from "node:net";

/** Where an address is. */
export type AddressReach = "link" | "loopback" | "private" | "public";

/** Whether a connection to an address may be made for a host. Asked of each address before it is connected to. */
export type AddressGuard = (address: string, hostname: string) => boolean;

// RFC 6890 and the registries that it made; RFC 3927, RFC 4291, RFC 4193, RFC 6598.
const ranges: Readonly<Record<Exclude<AddressReach, "public">, readonly string[]>> = {
  // With it the addresses at which clouds answer for the machine itself.
  link: ["169.254.0.0/16", "fe80::/10", "fd00:ec2::/32", "100.100.100.200/32", "168.63.129.16/32"],
  loopback: ["127.0.0.0/8", "0.0.0.0/8", "::1/128", "::/128"],
  private: [
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "100.64.0.0/10",
    "fc00::/7",
    "fec0::/10",
  ],
};

function listOf(networks: readonly string[]): BlockList {
  const { BlockList: List } = process.getBuiltinModule("node:net");
  const list = new List();
  for (const network of networks) {
    const [address = "", prefix] = network.split("/");
    list.addSubnet(address, Number(prefix), address.includes(":") ? "ipv6" : "ipv4");
  }
  return list;
}

/** The IPv4 address that is inside one of IPv6 for a gateway (RFC 6052, the well-known prefix). */
function unwrapped(address: string): string {
  const [, high = "", low = ""] = /^64:ff9b::([\da-f]{1,4}):([\da-f]{1,4})$/i.exec(address) ?? [];
  if (high === "") return address;
  const bytes = [high, low].flatMap((each) => {
    const number = Number.parseInt(each, 16);
    return [number >> 8, number & 0xff];
  });
  return bytes.join(".");
}

/** Tells where addresses are. An IPv4 address that is written as one of IPv6 counts as itself. */
export function createReachOf(): (address: string) => AddressReach {
  const lists = (["link", "loopback", "private"] as const).map(
    (reach) => [reach, listOf(ranges[reach])] as const,
  );
  return (given) => {
    const address = unwrapped(given);
    const family = address.includes(":") ? "ipv6" : "ipv4";
    return lists.find(([, list]) => list.check(address, family))?.[0] ?? "public";
  };
}

/**
 * The guard for a provider that the server at `hostname` has named. What is on the link is never connected to, and what
 * is on this machine or in a private network not for a server that was reached at a public address. Undefined: the
 * server has no address of its own.
 */
export function createAddressGuard(serverHostname: string | undefined): AddressGuard {
  const reachOf = createReachOf();
  // One public address is enough: whoever runs the server decides what its name says.
  let isServerPublic = false;
  return (address, hostname) => {
    const reach = reachOf(address);
    if (hostname === serverHostname) {
      isServerPublic ||= reach === "public";
      return true;
    }
    return reach === "public" || (reach !== "link" && !isServerPublic);
  };
}
