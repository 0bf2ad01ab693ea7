// Programs that take credentials for container registries from `docker-credential-NAME`: docker, podman, skopeo, buildah,
// oras, helm. See https://github.com/docker/docker-credential-helpers

import { placeOf, placeOfUrl, type Place } from "./place.ts";
import { HelperFailure, patientTool, type HandedToken, type Tool, type ToolCall } from "./tool.ts";

/** The words by which they all know that there is nothing for a server, so that they go on without. */
const notFound = "credentials not found in native keychain";

/** A server as they name it: bare, or as a URL (`https://index.docker.io/v1/`). */
function placeNamed(server: string): Place | undefined {
  return server.includes("://") ? placeOfUrl(server) : placeOf(server);
}

async function get(call: ToolCall): Promise<number> {
  const server = (await call.input()).trim();
  const place = placeNamed(server);
  let handed: HandedToken | undefined;
  try {
    handed = place && (await call.token({ place }));
  } catch (error) {
    if (!(error instanceof HelperFailure)) throw error;
    // Some show what was printed, and others what was told.
    call.tell(error.message);
    call.print(`${error.message}\n`);
    return 1;
  }
  if (handed === undefined) {
    call.print(`${notFound}\n`);
    return 1;
  }
  const { token, username = "oauth2" } = handed;
  call.print(`${JSON.stringify({ ServerURL: server, Username: username, Secret: token })}\n`);
  return 0;
}

async function run(call: ToolCall): Promise<number> {
  switch (call.words[0]) {
    case "get":
      return get(call);
    case "list":
      call.print("{}\n");
      return 0;
    case "erase":
      await call.input();
      return 0;
    case "store": {
      await call.input();
      const words = "Latchkey hands out tokens of its own, and keeps no password. [invalid_option]";
      call.tell(words);
      call.print(`${words}\n`);
      return 1;
    }
    default:
      throw new HelperFailure(
        "This is not an operation of a credential helper. Known: get, store, erase, list. [invalid_option]",
        2,
      );
  }
}

/** They never ask again while they work, and a push is long. */
export const tool: Tool = { ...patientTool, minValiditySeconds: 300, run };
