// Changes when people want to read the figures in another way: Markdown tables, for the terminal and the document.
import { bareNode } from "./clients.mjs";
import { summarise } from "./summary.mjs";

/** @typedef {import("./summary.mjs").Row} Row */
/** @typedef {import("./summary.mjs").Spread} Spread */

/**
 * @typedef {object} Report
 * @property {string} measuredOn a date
 * @property {{ cores: number, processor: string, memoryGibibytes: number, system: string }} machine
 * @property {string} node
 * @property {Record<string, string>} versions
 * @property {readonly string[]} clients
 * @property {Record<string, string>} cannotSignIn
 * @property {readonly import("./scenarios.mjs").Sample[]} samples
 * @property {readonly { client: string, residentMebibytes: number[], proportionalMebibytes: number[] }[]} memory
 */

/** The rows of one scenario. @param {Report} report @param {"expired" | "nothing cached"} scenario */
export function rowsOf(report, scenario) {
  const samples = report.samples.filter((sample) => sample.scenario === scenario);
  return summarise(samples, [...report.clients, bareNode], bareNode);
}

/** A number of things, with its range where rounds differ. @param {Spread} values */
function count({ least, median, most }) {
  return least === most ? String(median) : `${median} (${least}–${most})`;
}

/** @param {number} milliseconds */
const whole = (milliseconds) => String(Math.round(milliseconds));

/** @param {Spread} seconds */
const duration = ({ median, most }) => `${median.toFixed(2)} (${most.toFixed(2)})`;

/** @param {readonly string[]} head @param {readonly (readonly string[])[]} rows */
function table(head, rows) {
  const lines = [head, head.map((_, index) => (index === 1 ? "---" : "--:")), ...rows];
  return lines.map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

/** @param {Row} row */
function waits({ client, waitMilliseconds: { p10, median, p90, most }, overBareMilliseconds }) {
  const over = client === bareNode ? "" : whole(overBareMilliseconds);
  return [`${whole(p10)} · ${whole(median)} · ${whole(p90)} · ${whole(most)}`, over];
}

/** @param {Report} report */
function expiredOutcomes(report) {
  return table(
    [
      "processes",
      "client",
      "token requests",
      "requests in all",
      "refused",
      "processes without a token",
      "… or with one that is dead",
      "sign-in alive afterwards",
    ],
    rowsOf(report, "expired").flatMap(({ processes, client, rounds, outcome }) =>
      outcome === undefined
        ? []
        : [
            [
              String(processes),
              client,
              count(outcome.tokenRequests),
              count(outcome.allRequests),
              count(outcome.refusals),
              count(outcome.withoutToken),
              count(outcome.withoutGoodToken),
              `${outcome.alive} of ${rounds}`,
            ],
          ],
    ),
  );
}

/** @param {Report} report */
function expiredTimes(report) {
  return table(
    [
      "processes",
      "client",
      "last one done, s: median (worst)",
      "each one done, ms: p10 · median · p90 · worst",
      "median beyond bare Node, ms",
      "processor time of each, ms",
    ],
    rowsOf(report, "expired").map((row) => [
      String(row.processes),
      row.client,
      duration(row.wallSeconds),
      ...waits(row),
      count(row.processorMilliseconds),
    ]),
  );
}

/** @param {Report} report */
function nothingCached(report) {
  const rows = rowsOf(report, "nothing cached");
  const counts = [...new Set(rows.map(({ processes }) => processes))];
  const measured = (/** @type {Row} */ { client, processes, wallSeconds, outcome }) =>
    outcome === undefined
      ? []
      : [
          String(processes),
          client,
          count(outcome.windows),
          count(outcome.tokenRequests),
          count(outcome.withoutToken),
          duration(wallSeconds),
        ];
  return table(
    [
      "processes",
      "client",
      "browser windows",
      "token requests",
      "processes without a token",
      "last one done, s: median (worst)",
    ],
    counts.flatMap((processes) =>
      report.clients.flatMap((client) => {
        const row = rows.find((each) => each.processes === processes && each.client === client);
        if (row !== undefined) return [measured(row)];
        const reason = report.cannotSignIn[client];
        return reason === undefined
          ? []
          : [[String(processes), client, `cannot: ${reason}`, "", "", ""]];
      }),
    ),
  );
}

/** @param {Report} report */
function memory(report) {
  const middle = (/** @type {readonly number[]} */ numbers) =>
    numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)]?.toFixed(1) ?? "";
  const greatest = (/** @type {readonly number[]} */ numbers) => Math.max(...numbers).toFixed(1);
  const each = (/** @type {readonly number[]} */ numbers) =>
    `${middle(numbers)} · ${greatest(numbers)}`;
  return table(
    ["processes", "client", "resident, MiB: median · most", "its share (PSS), MiB: median · most"],
    report.memory.map(({ client, residentMebibytes, proportionalMebibytes }) => [
      String(residentMebibytes.length),
      client,
      each(residentMebibytes),
      each(proportionalMebibytes),
    ]),
  );
}

/** Why processes had no token, in all rounds together. @param {Report} report */
function reasons(report) {
  const lines = report.clients.flatMap((client) => {
    /** @type {Record<string, number>} */
    const sums = {};
    for (const sample of report.samples.filter((each) => each.client === client)) {
      for (const [reason, times] of Object.entries(sample.outcome?.reasons ?? {})) {
        sums[reason] = (sums[reason] ?? 0) + times;
      }
    }
    const parts = Object.entries(sums)
      .toSorted((a, b) => b[1] - a[1])
      .map(([reason, times]) => `${reason} ${times}`);
    return parts.length === 0 ? [] : [`- ${client}: ${parts.join(", ")}`];
  });
  return lines.length === 0 ? "Every process had a token." : lines.join("\n");
}

/** How much of the machine others took: what the most bare starts needed, and how long they took. @param {Report} report */
function quietness(report) {
  const row = rowsOf(report, "expired").findLast(({ client }) => client === bareNode);
  if (row === undefined) return "";
  const { processes, processorMilliseconds, wallSeconds } = row;
  const work = (processes * processorMilliseconds.median) / 1000 / report.machine.cores;
  return `How quiet the machine was: ${processes} × ${bareNode} is ${work.toFixed(1)} s of work for these cores, and took ${wallSeconds.median.toFixed(1)} s.`;
}

/** Everything between the two marks of the document. @param {Report} report */
export function markdown(report) {
  const { machine, node, versions, measuredOn } = report;
  const named = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  const rounds = (/** @type {"expired" | "nothing cached"} */ scenario) => {
    const samples = report.samples.filter((each) => each.scenario === scenario);
    const { size } = new Set(samples.map(({ round }) => round));
    return size === 1 ? "1 round" : `${size} rounds`;
  };
  return [
    `${measuredOn}, ${machine.cores} cores (${machine.processor}), ${machine.memoryGibibytes} GiB, ${machine.system}, Node ${node}.`,
    `${named.join(", ")}.`,
    quietness(report),
    "",
    `### An expired access token, nobody present: ${rounds("expired")}`,
    "",
    expiredOutcomes(report),
    "",
    expiredTimes(report),
    "",
    "Why processes had no token, in all rounds:",
    "",
    reasons(report),
    "",
    `### Nothing cached, a person present: ${rounds("nothing cached")}`,
    "",
    nothingCached(report),
    "",
    "### Memory of a process that waits for its token",
    "",
    memory(report),
  ].join("\n");
}
