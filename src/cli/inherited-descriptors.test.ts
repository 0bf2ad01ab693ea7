// Which open files are a parent's, and which are Node's own.

import { expect, test } from "vitest";
import { inheritedOf, type OpenDescriptor } from "./inherited-descriptors.ts";

const open = (number: number, target: string, isReadOnly = false): OpenDescriptor => ({
  number,
  target,
  isReadOnly,
});

// As Node 20 and 24 have them, from the first free number on.
const ofNode = (first: number): OpenDescriptor[] =>
  [
    "anon_inode:[eventpoll]",
    "anon_inode:[io_uring]",
    "pipe:[101]",
    "pipe:[101]",
    "pipe:[102]",
    "pipe:[102]",
    "anon_inode:[eventfd]",
    "/dev/null",
  ].map((target, index) => open(first + index, target, target === "/dev/null"));

const streams = [open(0, "/dev/null", true), open(1, "pipe:[7]"), open(2, "/dev/pts/1")];

test("nothing was handed on", () => {
  expect(inheritedOf([...streams, ...ofNode(3)])).toEqual([]);
});

test("the job server of make: both ends of one pipe below Node's own [F-T6]", () => {
  const jobServer = [open(3, "pipe:[55]", true), open(4, "pipe:[55]")];
  expect(inheritedOf([...streams, ...jobServer, ...ofNode(5)])).toEqual([3, 4]);
});

test("files, sockets and single ends of pipes above Node's own [F-T6]", () => {
  const handed = [open(20, "/etc/passwd", true), open(63, "pipe:[9]"), open(64, "socket:[12]")];
  expect(inheritedOf([...streams, ...ofNode(3), ...handed])).toEqual([20, 63, 64]);
});

test("a number beyond the bound is left alone", () => {
  expect(inheritedOf([...ofNode(3), open(60_000, "/etc/passwd")])).toEqual([]);
});
