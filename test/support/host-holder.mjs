// Holds a network namespace open and makes one loopback socket in it for its parent. Changes when a host of a test
// needs other sockets.
// host-holder.mjs PORT, started inside the namespace by two-hosts.ts, with a channel to its parent.
import { createServer } from "node:net";

const port = Number(process.argv[2]);
if (process.send === undefined || !(port > 0)) {
  process.stderr.write("usage: host-holder.mjs PORT, with an IPC channel\n");
  process.exit(2);
}

const server = createServer();
// Two processes that listen on one socket share its connections, so this one lets go once the parent has it.
process.on("message", () => server.close());
// The namespace ends with its last process, and the parent with its tests.
process.on("disconnect", () => process.exit(0));
server.listen(port, "127.0.0.1", () => process.send?.("socket", server));
