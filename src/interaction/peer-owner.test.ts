// Whose program has connected, read from tables as Linux prints them. Changes when another system says it.
import { expect, test } from "vitest";
import { ownerOfPeer, type Connection, type PeerSystem } from "./peer-owner.ts";

const heading =
  "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n";

// The server's end stands there too, and is somebody else's.
function table(client: string, server: string, uid: number, inode = 4711): string {
  const rest = "01 00000000:00000000 00:00000000 00000000";
  return `${heading}   0: ${server} ${client} ${rest}  7777        0 99 1 0000000000000000 20 4 0 10 -1\n   1: ${client} ${server} ${rest}  ${String(uid)}        0 ${String(inode)} 1 0000000000000000 20 4 30 10 -1\n`;
}

const four: Connection = {
  remoteAddress: "127.0.0.1",
  remotePort: 0xd431,
  localAddress: "127.0.0.1",
  localPort: 0x1f90,
};
const fourTable = (uid: number, inode?: number): Record<string, string> => ({
  "/proc/net/tcp": table("0100007F:D431", "0100007F:1F90", uid, inode),
  "/proc/net/tcp6": heading,
});
const loopbackSix = "00000000000000000000000001000000";
const mappedFour = "0000000000000000FFFF00000100007F";
const wholeMap = "         0          0 4294967295\n";

function system(
  files: Readonly<Record<string, string>>,
  changes: Partial<PeerSystem> = {},
): PeerSystem {
  return {
    platform: "linux",
    uid: 1000,
    sudoUid: undefined,
    readText: (path) => {
      const text = { "/proc/self/uid_map": wholeMap, ...files }[path];
      return text === undefined ? Promise.reject(new Error("ENOENT")) : Promise.resolve(text);
    },
    ...changes,
  };
}

const namespaceMap = { "/proc/self/uid_map": "         0     100000      65536\n" };

test.for([
  ["the same user", fourTable(1000), {}, { kind: "own" }],
  ["another user", fourTable(1001), {}, { kind: "other", uid: 1001 }],
  ["root, who forwards for others too", fourTable(0), {}, { kind: "unknown" }],
  ["root for root", fourTable(0), { uid: 0 }, { kind: "own" }],
  ["another user for root", fourTable(1000), { uid: 0 }, { kind: "other", uid: 1000 }],
  ["who became root by sudo", fourTable(1000), { uid: 0, sudoUid: 1000 }, { kind: "unknown" }],
  ["a connection that was let go", fourTable(0, 0), {}, { kind: "other", uid: undefined }],
  ["nobody", fourTable(65534), {}, { kind: "other", uid: 65534 }],
  [
    "somebody of another user namespace",
    { ...fourTable(65534), ...namespaceMap },
    {},
    { kind: "unknown" },
  ],
  ["a connection from elsewhere", { "/proc/net/tcp": heading }, {}, { kind: "unknown" }],
  ["a system without the table", {}, {}, { kind: "unknown" }],
  ["another system", fourTable(1001), { platform: "darwin" }, { kind: "unknown" }],
  [
    "a socket for IPv6 that goes to IPv4",
    {
      "/proc/net/tcp": heading,
      "/proc/net/tcp6": table(`${mappedFour}:D431`, `${mappedFour}:1F90`, 1001),
    },
    {},
    { kind: "other", uid: 1001 },
  ],
] as const)("[F-S1] %s", async ([, files, changes, owner]) => {
  expect(await ownerOfPeer(four, system(files, changes))).toEqual(owner);
});

test("[F-S1] IPv6, and IPv4 that a server for both sees as IPv6", async () => {
  const six = { "/proc/net/tcp6": table(`${loopbackSix}:D431`, `${loopbackSix}:1F90`, 1001) };
  const sixEnds = { ...four, remoteAddress: "::1", localAddress: "::1" };
  expect(await ownerOfPeer(sixEnds, system(six))).toEqual({ kind: "other", uid: 1001 });
  const mapped = { ...four, remoteAddress: "::ffff:127.0.0.1", localAddress: "::ffff:127.0.0.1" };
  expect(await ownerOfPeer(mapped, system(fourTable(1000)))).toEqual({ kind: "own" });
});

test("[F-S1] what is no address is nobody's", async () => {
  for (const remoteAddress of [undefined, "", "x", "1:2:3:4:5:6:7:8:9", "::1::"]) {
    const ends: Connection = { ...four, remoteAddress };
    expect(await ownerOfPeer(ends, system(fourTable(1001)))).toEqual({ kind: "unknown" });
  }
});
