// Changes when another moment in the life of a sign-in is measured.
import { readFileSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";
import { bareNode, makeDesk } from "./clients.mjs";
import { startTogether } from "./start-together.mjs";

/** @typedef {import("./clients.mjs").Client} Client */
/** @typedef {import("./clients.mjs").Desk} Desk */

/**
 * @typedef {object} World
 * @property {string} node
 * @property {string} latchkey the installed package
 * @property {readonly Client[]} clients
 * @property {{ issuer: string, clientIds: Record<string, string> }} provider
 * @property {(method: string, parameter?: unknown) => Promise<any>} ask
 */

/**
 * @typedef {object} Sample one client, one number of processes, one round
 * @property {"expired" | "nothing cached"} scenario
 * @property {string} client
 * @property {number} processes
 * @property {number} round
 * @property {number} wallMilliseconds until the last process ended
 * @property {readonly number[]} waits milliseconds of each process
 * @property {number} processorMilliseconds that a process computed, on average
 * @property {Outcome} [outcome] of all but the bare node
 */

/**
 * @typedef {object} Outcome
 * @property {number} tokenRequests
 * @property {number} allRequests with those for metadata and keys
 * @property {number} invalidGrants
 * @property {number} otherRefusals
 * @property {number} withToken processes that printed a token
 * @property {number} withGoodToken … that the provider still took when all had ended
 * @property {number} needPerson processes that gave up because a person has to sign in
 * @property {number} windows browser windows that were opened
 * @property {boolean} isAlive a further process could still renew the sign-in
 * @property {Record<string, number>} reasons of the processes without a token
 */

const limitMilliseconds = 180_000;
const hour = 3600;

/** @template Item @param {readonly Item[]} items */
function shuffled(items) {
  return items
    .map((item) => ({ item, at: Math.random() }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ item }) => item);
}

/** What a process said last, without what differs from one to the next. @param {import("./start-together.mjs").Ended} ended */
function reasonOf({ status, stderr }) {
  if (status === undefined) return "did not end";
  const line = stderr.trim().split("\n").at(-1) ?? "";
  return (
    /\[([a-z_]+(?:: [a-z_]+)?)\]$/.exec(line)?.[1] ?? (line.split(":")[0] || `status ${status}`)
  );
}

/** @param {readonly import("./start-together.mjs").Ended[]} ended */
function timesOf(ended) {
  const waits = ended.map(({ milliseconds }) => Math.round(milliseconds));
  const processor = ended.reduce((sum, each) => sum + each.processorMilliseconds, 0);
  return {
    wallMilliseconds: Math.max(...waits),
    waits,
    processorMilliseconds: Math.round(processor / ended.length),
  };
}

/** @param {World} world @param {string} token */
async function isTaken(world, token) {
  const answer = await fetch(`${world.provider.issuer}/me`, {
    headers: { authorization: `Bearer ${token}` },
  });
  await answer.body?.cancel();
  return answer.ok;
}

/** @param {World} world @param {Client} client @param {Desk} desk @param {import("./clients.mjs").Mode} mode */
async function runOne(world, client, desk, mode) {
  const { environment } = desk;
  const words = client.words(mode, desk);
  const [ended] = await startTogether(1, { words, environment, limitMilliseconds });
  if (ended === undefined) throw new Error("no process");
  return ended;
}

/** @param {World} world @param {Client} client @param {Desk} desk @param {import("./clients.mjs").Mode} mode @param {number} count */
async function runMany(world, client, desk, mode, count) {
  await world.ask("reset");
  const windowsBefore = desk.windows();
  const { environment } = desk;
  const words = client.words(mode, desk);
  const ended = await startTogether(count, { words, environment, limitMilliseconds });
  const { token, total, invalidGrant, otherRefusals } = await world.ask("counts");
  const tokens = ended
    .filter(({ status }) => status === 0)
    .map(({ stdout }) => stdout.trim())
    .filter((text) => text !== "");
  const verdicts = new Map();
  for (const text of new Set(tokens)) verdicts.set(text, await isTaken(world, text));
  /** @type {Record<string, number>} */
  const reasons = {};
  for (const each of ended.filter(({ status }) => status !== 0)) {
    const reason = reasonOf(each);
    if (reasons[reason] === undefined) {
      process.stderr.write(
        `${client.name}, ${count} processes: ${each.stderr.trim().slice(-300)}\n`,
      );
    }
    reasons[reason] = (reasons[reason] ?? 0) + 1;
  }
  const windows = desk.windows() - windowsBefore;
  const after = await runOne(world, client, desk, "renew");
  return {
    ...timesOf(ended),
    outcome: {
      tokenRequests: token,
      allRequests: total,
      invalidGrants: invalidGrant,
      otherRefusals,
      withToken: tokens.length,
      withGoodToken: tokens.filter((text) => verdicts.get(text)).length,
      needPerson: ended.filter(({ status }) => status === 3).length,
      windows,
      isAlive: after.status === 0 && (await isTaken(world, after.stdout.trim())),
      reasons,
    },
  };
}

/** @param {World} world @param {number} count */
async function runBare(world, count) {
  const environment = { PATH: process.env["PATH"] ?? "" };
  const words = [world.node, ...bareNode.split(" ").slice(1)];
  const ended = await startTogether(count, { words, environment, limitMilliseconds });
  if (ended.some(({ status }) => status !== 0)) throw new Error(`${bareNode} failed`);
  return timesOf(ended);
}

/** Desks at which everybody has signed in, with access tokens that have expired since. @param {World} world */
async function expiredDesks(world) {
  const desks = new Map(
    world.clients.map((client) => [client, makeDesk(client, world.latchkey, world.provider)]),
  );
  await world.ask("lifetime", 1);
  for (const [client, desk] of desks) {
    const { status, stderr } = await runOne(world, client, desk, "sign-in");
    if (status !== 0) throw new Error(`${client.name} did not sign in:\n${stderr}`);
  }
  // The clock is the event: a token lives for one second.
  await wait(1200);
  await world.ask("lifetime", hour);
  return desks;
}

/**
 * Every client with an expired access token and a rotating refresh token, nobody present.
 * @param {World} world @param {number} count @param {number} round @returns {Promise<Sample[]>}
 */
export async function expired(world, count, round) {
  const desks = await expiredDesks(world);
  /** @type {Sample[]} */
  const samples = [];
  try {
    for (const client of shuffled([undefined, ...world.clients])) {
      const desk = client === undefined ? undefined : desks.get(client);
      const result =
        client === undefined || desk === undefined
          ? await runBare(world, count)
          : await runMany(world, client, desk, "token", count);
      const name = client?.name ?? bareNode;
      samples.push({ scenario: "expired", client: name, processes: count, round, ...result });
    }
  } finally {
    for (const desk of desks.values()) desk.remove();
  }
  return samples;
}

/**
 * Every client that can sign a person in, with nothing cached and a person present.
 * @param {World} world @param {number} count @param {number} round @returns {Promise<Sample[]>}
 */
export async function nothingCached(world, count, round) {
  await world.ask("lifetime", hour);
  /** @type {Sample[]} */
  const samples = [];
  for (const client of shuffled(world.clients)) {
    if (client.cannotSignIn !== undefined) continue;
    const desk = makeDesk(client, world.latchkey, world.provider);
    try {
      const result = await runMany(world, client, desk, "sign-in", count);
      const { name } = client;
      samples.push({
        scenario: "nothing cached",
        client: name,
        processes: count,
        round,
        ...result,
      });
    } finally {
      desk.remove();
    }
  }
  return samples;
}

/** @param {number} processId @param {string} file @param {RegExp} pattern */
function readNumber(processId, file, pattern) {
  const found = pattern.exec(readFileSync(`/proc/${processId}/${file}`, "utf8"))?.[1];
  if (found === undefined) throw new Error(`/proc/…/${file} has another form`);
  return Number(found);
}

/** Clock ticks that the processes have used. @param {readonly number[]} processIds */
const ticks = (processIds) =>
  processIds
    .map((id) => readFileSync(`/proc/${id}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [])
    .reduce((sum, fields) => sum + Number(fields[11]) + Number(fields[12]), 0);

/**
 * Memory of a process that waits for its token, in MiB: the provider holds its answer back until nobody computes any more.
 * @param {World} world @param {number} count
 */
export async function memoryWhileWaiting(world, count) {
  const desks = await expiredDesks(world);
  /** @type {{ client: string, residentMebibytes: number[], proportionalMebibytes: number[] }[]} */
  const found = [];
  try {
    for (const [client, desk] of desks) {
      await world.ask("reset");
      await world.ask("hold");
      const { environment } = desk;
      const command = { words: client.words("token", desk), environment, limitMilliseconds };
      await startTogether(count, command, async (processIds) => {
        let before = -1;
        /** @type {readonly number[]} */
        let ids = [];
        for (;;) {
          const { token } = await world.ask("counts");
          ids = processIds();
          const now = ticks(ids);
          // A look every now and then is not work: a hundredth of a second for each.
          if (token > 0 && before >= 0 && now - before <= count && ids.length === count) break;
          before = now;
          await wait(700);
        }
        found.push({
          client: client.name,
          residentMebibytes: ids.map((id) => readNumber(id, "status", /VmRSS:\s+(\d+) kB/) / 1024),
          proportionalMebibytes: ids.map(
            (id) => readNumber(id, "smaps_rollup", /^Pss:\s+(\d+) kB/m) / 1024,
          ),
        });
        await world.ask("release");
      });
    }
  } finally {
    for (const desk of desks.values()) desk.remove();
  }
  return found;
}
