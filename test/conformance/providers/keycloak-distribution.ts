// Changes when another version of Keycloak is tested, or it is downloaded and kept in another way.
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { createReadStream, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { promisify } from "node:util";
import { installedOnce } from "../../support/installed-once.ts";

const run = promisify(execFile);

const version = "26.7.3";
const artifact = `org.keycloak:keycloak-quarkus-dist:${version}:zip`;
const digest = "27a6535553c3cdcd083872ba40629efafb3475e3b758e0c6f691395561dd0f1f";

async function digestOf(path: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path), hash);
  return hash.digest("hex");
}

/**
 * The unpacked distribution, built for an in-memory database, in the tests' cache, from
 * Maven Central; its archive must have the digest above.
 */
export async function keycloakDistribution(): Promise<string> {
  // The digest is in the name: another archive is another folder.
  const folder = `keycloak-${version}-${digest.slice(0, 12)}`;
  return installedOnce(folder, async (work) => {
    const copy = ["dependency:copy", `-Dartifact=${artifact}`, `-DoutputDirectory=${work}`];
    await run("mvn", ["--quiet", "--batch-mode", ...copy], { cwd: work });
    const archive = join(work, `keycloak-quarkus-dist-${version}.zip`);
    const found = await digestOf(archive);
    if (found !== digest) {
      throw new Error(`${artifact} has the SHA-256 digest ${found} instead of ${digest}`);
    }
    await run("unzip", ["-q", archive, "-d", work]);
    rmSync(archive);
    const home = join(work, `keycloak-${version}`);
    for (const name of readdirSync(home)) renameSync(join(home, name), join(work, name));
    // Done once: at every start it takes as long as the start itself.
    await run(join(work, "bin", "kc.sh"), ["build", "--db=dev-mem", "--cache=local"]);
  });
}
