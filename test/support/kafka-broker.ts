// A Kafka broker of a test's own, by Maven. Changes when another version of it is tested.

import { execFile, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createConnection } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { promisify } from "node:util";
import { freePort } from "./free-port.ts";
import { installedOnce } from "./installed-once.ts";

const run = promisify(execFile);

/** Told by the broker's own file, which names its parts. */
export const kafkaVersion = "4.1.1";
const parts = [
  ["org.apache.kafka", "kafka_2.13", kafkaVersion],
  ["org.bitbucket.b_c", "jose4j", "0.9.6"],
  ["org.slf4j", "slf4j-simple", "1.7.36"],
];

/** The folder of its archives. */
async function archives(): Promise<string> {
  return installedOnce(`kafka-${kafkaVersion}`, async (work) => {
    const dependencies = parts.map(
      ([group, artifact, version]) =>
        `<dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${version}</version></dependency>`,
    );
    writeFileSync(
      join(work, "pom.xml"),
      `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>tests</groupId><artifactId>kafka</artifactId><version>1</version>
<dependencies>${dependencies.join("")}</dependencies></project>\n`,
    );
    const copy = ["dependency:copy-dependencies", "-DoutputDirectory=.", "-DincludeScope=runtime"];
    await run("mvn", ["--quiet", "--batch-mode", ...copy], { cwd: work });
  });
}

export interface KafkaBroker {
  readonly address: string;
  close(): Promise<void>;
}

/**
 * Starts a broker that takes tokens (RFC 7628) of one issuer for one audience, by the keys of the issuer at this moment.
 * A connection ends with its token, unless the client brings another one before.
 */
export async function startKafkaBroker(
  issuer: string,
  keys: string,
  audience: string,
): Promise<KafkaBroker> {
  const home = await archives();
  const folder = mkdtempSync(join(tmpdir(), "latchkey-kafka-"));
  const [port, inside, controller] = [await freePort(), await freePort(), await freePort()];
  const jwks = join(folder, "jwks.json");
  writeFileSync(jwks, keys);
  const settings = join(folder, "server.properties");
  const own = "listener.name.sasl_plaintext.oauthbearer";
  writeFileSync(
    settings,
    `process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:${controller}
listeners=SASL_PLAINTEXT://127.0.0.1:${port},INSIDE://127.0.0.1:${inside},CONTROLLER://127.0.0.1:${controller}
advertised.listeners=SASL_PLAINTEXT://127.0.0.1:${port},INSIDE://127.0.0.1:${inside}
listener.security.protocol.map=CONTROLLER:PLAINTEXT,INSIDE:PLAINTEXT,SASL_PLAINTEXT:SASL_PLAINTEXT
controller.listener.names=CONTROLLER
inter.broker.listener.name=INSIDE
sasl.enabled.mechanisms=OAUTHBEARER
${own}.sasl.jaas.config=org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="broker";
${own}.sasl.server.callback.handler.class=org.apache.kafka.common.security.oauthbearer.OAuthBearerValidatorCallbackHandler
${own}.connections.max.reauth.ms=3600000
sasl.oauthbearer.jwks.endpoint.url=file://${jwks}
sasl.oauthbearer.expected.audience=${audience}
sasl.oauthbearer.expected.issuer=${issuer}
log.dirs=${join(folder, "data")}
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
group.initial.rebalance.delay.ms=0
`,
  );
  const allowed = "-Dorg.apache.kafka.sasl.oauthbearer.allowed";
  const java = [
    "-Xmx512m",
    "-cp",
    `${home}/*`,
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=error",
    `${allowed}.urls=file://${jwks}`,
    `${allowed}.files=${jwks}`,
  ];
  const format = ["format", "-t", "4L6g3nShT-eMCtK--X86sw", "-c", settings];
  const formatted = spawnSync("java", [...java, "kafka.tools.StorageTool", ...format], {
    encoding: "utf8",
  });
  if (formatted.status !== 0) throw new Error(formatted.stderr);
  const broker = spawn("java", [...java, "kafka.Kafka", settings], { stdio: "ignore" });
  while (!(await listens(port))) {
    if (broker.exitCode !== null) throw new Error(`Kafka ended (${String(broker.exitCode)})`);
    await pause(100);
  }
  return {
    address: `127.0.0.1:${port}`,
    close: async () => {
      if (broker.exitCode === null) {
        broker.kill("SIGKILL");
        await once(broker, "exit");
      }
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function listens(port: number): Promise<boolean> {
  const socket = createConnection({ port, host: "127.0.0.1" });
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
