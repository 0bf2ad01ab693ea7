// Holds a private network open and makes sockets in it for its parent. Changes when tests want other sockets there.
// network-holder.mjs ADDRESS, started inside the namespace by private-network.ts, with a channel to its parent.
import { createServer } from "node:net";

const [address] = process.argv.slice(2);
if (process.send === undefined || address === undefined) {
  process.stderr.write("usage: network-holder.mjs ADDRESS, with an IPC channel\n");
  process.exit(2);
}

/** @type {import("node:net").Server | undefined} */
let server;

process.on("message", (message) => {
  // Two processes that listen on one socket share its connections, so this one lets go once the parent has it.
  if (message === "taken") server?.close();
  if (message !== "listen") return;
  server = createServer();
  server.listen(0, address, () => process.send?.("socket", server));
});
// The namespace ends with its last process, and the parent with its tests.
process.on("disconnect", () => process.exit(0));
process.send("ready");
