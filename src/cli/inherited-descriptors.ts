// The open files that this process was started with, besides the standard streams: Node closes them in every program
// that it starts, and `latchkey exec` hands them on (the job server of make, `3<file` of a shell, sockets).

import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/** An open descriptor with what it leads to, as `/proc/self/fd` shows it. */
export interface OpenDescriptor {
  readonly number: number;
  readonly target: string;
  readonly isReadOnly: boolean;
}

// Far above what shells and make use.
const maxDescriptor = 1023;
const firstAfterStreams = 3;
const accessModeBits = 0o3;

/**
 * Tells what was inherited from what Node opened for itself before any script ran. Both take the lowest free number,
 * and Node's first one is an event loop's: below it all is inherited. Above it Node's own are loops, their wake-up
 * pipes (both ends are here) and descriptors held in reserve (`/dev/null`, only read).
 */
export function inheritedOf(open: readonly OpenDescriptor[]): number[] {
  const firstOwn = Math.min(
    ...open.filter(({ target }) => target === "anon_inode:[eventpoll]").map(({ number }) => number),
  );
  const isNodes = ({ target, isReadOnly }: OpenDescriptor): boolean =>
    /^anon_inode:\[(?:eventpoll|eventfd|io_uring)\]$/u.test(target) ||
    (target === "/dev/null" && isReadOnly) ||
    (target.startsWith("pipe:") && open.filter((other) => other.target === target).length > 1);
  return open
    .filter(({ number }) => number >= firstAfterStreams && number <= maxDescriptor)
    .filter((descriptor) => descriptor.number < firstOwn || !isNodes(descriptor))
    .map(({ number }) => number);
}

function lookAt(name: string): OpenDescriptor | undefined {
  try {
    const target = readlinkSync(`/proc/self/fd/${name}`);
    const flags = /^flags:\s*([0-7]+)$/mu.exec(readFileSync(`/proc/self/fdinfo/${name}`, "utf8"));
    const isReadOnly = (Number.parseInt(flags?.[1] ?? "0", 8) & accessModeBits) === 0;
    return { number: Number(name), target, isReadOnly };
  } catch {
    // The descriptor of the listing itself: closed by now.
    return undefined;
  }
}

/** To be called before anything is opened; none where the system does not list them. */
export function inheritedDescriptors(): number[] {
  if (process.platform !== "linux") return [];
  try {
    return inheritedOf(
      readdirSync("/proc/self/fd")
        .map(lookAt)
        .filter((descriptor) => descriptor !== undefined),
    );
  } catch {
    return [];
  }
}
