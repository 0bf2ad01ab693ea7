// A network of host names for tests: every host beyond this machine is reached through it, and it tells which were.
import { once } from "node:events";
import { createServer } from "node:http";
import { connect, type AddressInfo, type Socket } from "node:net";

export interface NamedNetwork {
  /** For `HTTPS_PROXY`. */
  readonly proxy: string;
  /** `host:port` of each connection that was wanted, whether or not anybody is there. */
  readonly wanted: string[];
  close(): Promise<void>;
}

/**
 * Leads `host:443` to the port of a server in this process. Hosts that are not in the list are nobody's. It speaks
 * CONNECT, as a company's proxy does, so that names need no resolver; loopback addresses are never asked of it.
 */
export async function startNamedNetwork(
  hosts: Readonly<Record<string, number>>,
): Promise<NamedNetwork> {
  const wanted: string[] = [];
  const open = new Set<Socket>();
  const server = createServer((_request, response) => response.writeHead(405).end());
  server.on("connect", (request, client: Socket, head: Buffer) => {
    const name = request.url ?? "";
    wanted.push(name);
    open.add(client);
    client.on("error", () => {});
    client.once("close", () => open.delete(client));
    const port = hosts[name.replace(/:443$/, "")];
    if (port === undefined) {
      client.end("HTTP/1.1 502 Nobody There\r\n\r\n");
      return;
    }
    const target = connect(port, "127.0.0.1", () => {
      client.write("HTTP/1.1 200 Connected\r\n\r\n");
      target.write(head);
      target.pipe(client);
      client.pipe(target);
    });
    target.on("error", () => client.destroy());
    target.once("close", () => client.destroy());
    client.once("close", () => target.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    proxy: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    wanted,
    close: async () => {
      const closed = once(server, "close");
      server.close();
      for (const socket of open) socket.destroy();
      await closed;
    },
  };
}
