// What a server's files are called.

/** The name of a file for a server: its host, and its port where that is not the usual one. */
export function fileNameOf({ hostname, port }: URL): string {
  const name = port === "" ? hostname : `${hostname}_${port}`;
  return name.replaceAll(/[^\w.-]/g, "_").slice(0, 60);
}
