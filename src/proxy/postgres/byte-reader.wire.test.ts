// Bytes of a connection, as they are asked for.

import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { ByteReader, ReadFault } from "./byte-reader.ts";
import { maxMessageBytes, messageOf } from "./messages.ts";

/** The two ends of a connection. */
async function pair(): Promise<readonly [Socket, Socket]> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const one = connect((server.address() as AddressInfo).port, "127.0.0.1");
  const [other] = (await once(server, "connection")) as [Socket];
  onTestFinished(() => {
    for (const socket of [one, other]) socket.destroy();
    server.close();
  });
  return [one, other];
}

test("messages come whole from pieces, and what nobody asked for stays for the next reader", async () => {
  const [one, other] = await pair();
  const reader = new ByteReader(other);
  const bytes = Buffer.concat([
    messageOf("A", Buffer.from("first")),
    messageOf("B", Buffer.from("x")),
    Buffer.from("rest"),
  ]);
  const read = reader.message();
  for (const byte of bytes) one.write(Buffer.from([byte]));
  expect(await read).toEqual({ type: "A", body: Buffer.from("first") });
  expect(await reader.message()).toEqual({ type: "B", body: Buffer.from("x") });
  reader.release();
  let rest = "";
  other.setEncoding("utf8").on("data", (text: string) => (rest += text));
  // It stands still until somebody reads on.
  other.resume();
  one.end();
  await once(other, "end");
  expect(rest).toBe("rest");
});

test.each([
  ["an endless length", maxMessageBytes + 5],
  ["a length below its own", 3],
  ["a negative length", -1],
])("%s ends it", async (_what, length) => {
  const [one, other] = await pair();
  const head = Buffer.alloc(5, "R");
  head.writeInt32BE(length, 1);
  one.write(head);
  await expect(new ByteReader(other).message()).rejects.toBeInstanceOf(ReadFault);
});

test("a connection that ends in the middle of a message is a fault, and none that waits for ever", async () => {
  const [one, other] = await pair();
  one.end(messageOf("R", Buffer.alloc(40)).subarray(0, 20));
  await expect(new ByteReader(other).message()).rejects.toBeInstanceOf(ReadFault);
});
