// Whose program is at the other end of a connection within this machine. Changes when a system tells it in another way.

import { readFile } from "node:fs/promises";
import type { Socket } from "node:net";
import { endianness } from "node:os";

/** Whose program it is, as far as the system says. */
export type PeerOwner =
  | { readonly kind: "own" }
  /** `uid` is undefined where the program has let go of its connection. */
  | { readonly kind: "other"; readonly uid: number | undefined }
  | { readonly kind: "unknown" };

/** The two ends of a connection, as the side that was connected to sees them. */
export type Connection = Pick<
  Socket,
  "remoteAddress" | "remotePort" | "localAddress" | "localPort"
>;

/** What is needed of the operating system; the real one unless a test plays another. */
export interface PeerSystem {
  readonly platform: NodeJS.Platform;
  /** The effective user. */
  readonly uid: number | undefined;
  /** Who has become root by `sudo`. */
  readonly sudoUid: number | undefined;
  readText(path: string): Promise<string>;
}

// A user of another user namespace, whoever it is (/proc/sys/kernel/overflowuid).
const overflowUid = 65534;

const realSystem: PeerSystem = {
  platform: process.platform,
  get uid() {
    return process.geteuid?.();
  },
  get sudoUid() {
    const uid = process.env["SUDO_UID"];
    return uid === undefined || !/^\d{1,10}$/.test(uid) ? undefined : Number(uid);
  },
  readText: (path) => readFile(path, "latin1"),
};

/** The eight groups of an IPv6 address, or of an IPv4 address mapped into one. */
function groupsOf(address: string): number[] | undefined {
  const dotted = /^(?:::ffff:)?(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/i.exec(address);
  if (dotted !== null) {
    const [a = 0, b = 0, c = 0, d = 0] = dotted.slice(1).map(Number);
    return [0, 0, 0, 0, 0, 0xff_ff, a * 256 + b, c * 256 + d];
  }
  const [head = "", tail] = address.split("::");
  const parse = (part: string): number[] =>
    part === "" ? [] : part.split(":").map((group) => Number.parseInt(group, 16));
  const first = parse(head);
  const last = tail === undefined ? [] : parse(tail);
  const gap = tail === undefined ? 0 : 8 - first.length - last.length;
  if (gap < 0) return undefined;
  const groups = [...first, ...Array.from({ length: gap }, () => 0), ...last];
  return groups.length === 8 && groups.every((group) => group >= 0) ? groups : undefined;
}

/** As the kernel prints it: words of 32 bits, each in the byte order of the machine. */
function kernelForm(groups: readonly number[], port: number): string {
  const bytes = groups.flatMap((group) => [group >> 8, group & 0xff]);
  const words: number[][] = [];
  for (let at = 0; at < bytes.length; at += 4) {
    const word = bytes.slice(at, at + 4);
    words.push(endianness() === "LE" ? word.toReversed() : word);
  }
  const hexadecimal = (value: number, digits: number): string =>
    value.toString(16).toUpperCase().padStart(digits, "0");
  return `${words
    .flat()
    .map((byte) => hexadecimal(byte, 2))
    .join("")}:${hexadecimal(port, 4)}`;
}

/** The client's end in the kernel's table: local address first, both as the kernel prints them. */
function tableForms(connection: Connection): { file: string; ends: string }[] {
  const { remoteAddress, remotePort, localAddress, localPort } = connection;
  const remote = remoteAddress === undefined ? undefined : groupsOf(remoteAddress);
  const local = localAddress === undefined ? undefined : groupsOf(localAddress);
  if (!remote || !local || remotePort === undefined || localPort === undefined) return [];
  const long = `${kernelForm(remote, remotePort)} ${kernelForm(local, localPort)}`;
  const six = { file: "/proc/net/tcp6", ends: long };
  if (remote[5] !== 0xff_ff || local[5] !== 0xff_ff) return [six];
  const short = `${kernelForm(remote.slice(6), remotePort)} ${kernelForm(local.slice(6), localPort)}`;
  // A program may connect to an IPv4 address by a socket for IPv6.
  return [{ file: "/proc/net/tcp", ends: short }, six];
}

async function isInUserNamespace(system: PeerSystem): Promise<boolean> {
  try {
    return !/^\s*0\s+0\s+4294967295\s*$/.test(await system.readText("/proc/self/uid_map"));
  } catch {
    return false;
  }
}

async function judge(uid: number, inode: string, system: PeerSystem): Promise<PeerOwner> {
  // A socket that its program has closed belongs to nobody, and is shown as root's.
  if (inode === "0") return { kind: "other", uid: undefined };
  if (uid === system.uid) return { kind: "own" };
  // Root may do anything anyway, and forwards connections for others (containers, virtual machines).
  if (uid === 0) return { kind: "unknown" };
  if (system.uid === 0 && uid === system.sudoUid) return { kind: "unknown" };
  if (uid === overflowUid && (await isInUserNamespace(system))) return { kind: "unknown" };
  return { kind: "other", uid };
}

/**
 * Finds out whose program has connected to us from this machine. Linux shows the user of every socket to everybody;
 * elsewhere, and for what was forwarded from another machine, the answer is "unknown".
 */
export async function ownerOfPeer(
  connection: Connection,
  system: PeerSystem = realSystem,
): Promise<PeerOwner> {
  if (system.platform !== "linux" || system.uid === undefined) return { kind: "unknown" };
  for (const { file, ends } of tableForms(connection)) {
    let table: string;
    try {
      table = await system.readText(file);
    } catch {
      continue;
    }
    const at = table.indexOf(` ${ends} `);
    if (at === -1) continue;
    // After both ends: state, queues, timer, retransmits, uid, timeout, inode.
    const columns =
      table
        .slice(at, at + 300)
        .split("\n", 1)[0]
        ?.trim()
        .split(/\s+/) ?? [];
    const [, , , , , , uid, , inode] = columns;
    if (uid === undefined || inode === undefined) continue;
    return judge(Number(uid), inode, system);
  }
  return { kind: "unknown" };
}
