// Where addresses are, and what a provider may have that a server has named.

import { expect, test } from "vitest";
import { createAddressGuard, createReachOf } from "./address-guard.ts";

test.each([
  ["169.254.169.254", "link"],
  ["fe80::1", "link"],
  ["fd00:ec2::254", "link"],
  ["100.100.100.200", "link"],
  ["::ffff:169.254.169.254", "link"],
  ["64:ff9b::a9fe:a9fe", "link"],
  ["127.8.0.1", "loopback"],
  ["0.0.0.0", "loopback"],
  ["::1", "loopback"],
  ["::ffff:7f00:1", "loopback"],
  ["10.1.2.3", "private"],
  ["172.31.255.255", "private"],
  ["192.168.1.1", "private"],
  ["100.64.0.1", "private"],
  ["fd12::1", "private"],
  ["172.32.0.1", "public"],
  ["8.8.8.8", "public"],
  ["2001:db8::1", "public"],
  ["64:ff9b::808:808", "public"],
])("%s is %s [D18]", (address, reach) => {
  expect(createReachOf()(address)).toBe(reach);
});

test.each([
  ["public, for a while", ["10.0.0.1", "8.8.8.8", "10.0.0.1"], ["public"]],
  ["private", ["192.168.0.7"], ["loopback", "private", "public"]],
  ["on this machine", ["127.0.0.1"], ["loopback", "private", "public"]],
  ["not reached yet", [], ["loopback", "private", "public"]],
])(
  "for a server that is %s a provider may be at some addresses alone [D18]",
  (_name, own, allowed) => {
    const guard = createAddressGuard("data.example.com");
    for (const address of own) expect(guard(address, "data.example.com")).toBe(true);
    const provider = {
      link: "169.254.169.254",
      loopback: "::1",
      private: "10.0.0.1",
      public: "8.8.8.8",
    };
    const reached = Object.entries(provider).filter(([, address]) =>
      guard(address, "id.example.com"),
    );
    expect(reached.map(([reach]) => reach)).toEqual(allowed);
  },
);
