// The token of `latchkey exec --file`: a file of this run, kept fresh and removed with it.

import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { isOidcError } from "../../../core/errors.ts";
import type { AccessToken, GetTokenOptions } from "../../../core/types.ts";
import { ensurePrivateFolder } from "../../../files/atomic-write.ts";
import { hasEnded } from "../../../files/processes.ts";
import { replaceUserFile } from "../../../files/user-file.ts";
import { stateFolder } from "../../../options/paths.ts";
import type { CommandContext, Opened } from "../../context.ts";
import { keepFresh } from "../../kept-token.ts";
import { errorParagraph } from "../../render/errors.ts";

/** Folders of runs that were killed before they could remove theirs. */
function removeLeftovers(folder: string): void {
  for (const name of readdirSync(folder)) {
    const [, processId] = /^(\d+)-[A-Za-z0-9]{6}$/.exec(name) ?? [];
    if (processId !== undefined && hasEnded(Number(processId))) {
      rmSync(join(folder, name), { recursive: true, force: true });
    }
  }
}

/** Writes the first token, and goes on until the end. What fails later is told, and the program runs on. */
export async function keepTokenFile(
  context: CommandContext,
  { session, world }: Opened,
  request: GetTokenOptions,
): Promise<{ readonly value: string; readonly end: () => Promise<void> }> {
  const { line, machine, signal } = context;
  const tell = (error: Parameters<typeof errorParagraph>[0]): void =>
    context.tell(errorParagraph(error, line.configuration));
  const first = await session.getToken({ ...request, signal });
  const folder = join(stateFolder(machine), "exec");
  await ensurePrivateFolder(folder);
  removeLeftovers(folder);
  const own = mkdtempSync(join(folder, `${String(process.pid)}-`));
  const value = join(own, "token");
  const take = ({ token }: AccessToken): void => {
    replaceUserFile(value, token);
  };
  const stop = new AbortController();
  try {
    take(first);
  } catch (error) {
    rmSync(own, { recursive: true, force: true });
    throw error;
  }
  const kept = keepFresh({
    getToken: (each) => session.getToken(each),
    request: { ...request, forceRefresh: false, interactive: false },
    clock: world.clock,
    signal: stop.signal,
    take,
    onFailure: tell,
  }).catch((error: unknown) => {
    if (!stop.signal.aborted && isOidcError(error)) tell(error);
  });
  return {
    value,
    end: async () => {
      stop.abort();
      await kept;
      rmSync(own, { recursive: true, force: true });
    },
  };
}
