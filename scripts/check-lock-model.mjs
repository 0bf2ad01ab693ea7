// Checks the model of the lock protocol with Spin: the model must pass in every run, and with one guard taken away it must
// fail for the right reason. Changes when there is another run or another guard.
// check-lock-model.mjs [--model FILE] [--depth STEPS] [RUN …]: named runs alone, without the look for unreached lines.
// The runs are those of docs/lock/lock.pml, or of docs/lock/take.pml or docs/lock/lease.pml where that is the model.
import { spawn, spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

/**
 * @typedef {object} Run
 * @property {string} name
 * @property {"safety" | "liveness"} kind
 * @property {readonly string[]} defines
 * @property {string} [misses] the property that has to fail: the run is of a model with a guard taken away
 *
 * @typedef {object} Outcome
 * @property {Run} run
 * @property {string} states
 * @property {string} depth
 * @property {number} seconds
 * @property {string} [failed] the property that failed
 * @property {string} [problem] why this says nothing: the search was not complete, or a tool failed
 * @property {Map<number, boolean>} lines lines with statements, and whether one of them was reached
 */

const everyCallEnds = "no waiter left waiting";
const deadlock = "no waiter left waiting (deadlock)";

/** What the true model is checked for, with the -D of each. README.md says what the names mean. @type {Record<string, string>} */
const situations = {
  "refused-on-repeat": "",
  "forgiven-on-repeat": "FORGIVING",
  "one-may-ask": "PROMPTERS=1",
  "all-may-ask": "PROMPTERS=7",
  "nothing-cached": "PROMPTERS=7 NOTHING_CACHED",
  "sign-in-may-have-ended": "PROMPTERS=1 ENDED",
  "lost-answers": "FAULTS=2 DEATHS=1",
  aborts: "PROMPTERS=1 ABORTS",
  "second-round": "EXPIRES",
  "second-round-forgiven": "EXPIRES FORGIVING",
  "late-requests": "EXPIRES LATE_REQUESTS",
  "late-requests-forgiven": "EXPIRES LATE_REQUESTS FORGIVING",
  logout: "PROMPTERS=1 LOGOUT DEATHS=1",
};

/** Which guard is taken away, in which situation, and what has to be missed. @type {readonly [string, string, string][]} */
const mutations = [
  ["NO_REREAD_UNDER_LOCK", "", "no request while a token is there"],
  ["FRESHNESS_NOT_ASKED_AGAIN", "", "no request while a token is there"],
  ["NO_INTENT", "", "no rotated token is lost"],
  ["INTENT_AFTER_REQUEST", "", "no rotated token is lost"],
  ["INTENT_MEANS_LOST", "FORGIVING", "refresh_lost only when it is"],
  ["TOKEN_BEFORE_DURABLE", "", "no token is seen before it is stored"],
  ["FREE_BEFORE_DURABLE", "", "a loss is told as a loss"],
  ["NO_COMPARE", "LOGOUT", "what was logged out stays so"],
  ["NO_FILE_LOCK", "LOGOUT", "what was logged out stays so"],
  ["WITHDRAWN_AFTER_LOSS", "FAULTS=2", "a loss is told as a loss"],
  ["REFUSED_TOKEN_STAYS", "", "one request, and one more for each that was lost"],
  ["REASON_FORGOTTEN", "", "a loss is told as a loss"],
  ["FAILED_NOT_SHARED", "PROMPTERS=7 NOTHING_CACHED", "who is told of a failure does not try too"],
  ["NO_BUDGET", "PROMPTERS=7 NOTHING_CACHED", "no more prompts than the budget allows"],
  ["COUNTED_AFTER_OPENING", "PROMPTERS=7 NOTHING_CACHED", "no more prompts than the budget allows"],
  ["EOF_MEANS_OWNERSHIP", "", "one holder at a time"],
  ["WAITER_IGNORES_EOF", "", deadlock],
  ["LOCK_SURVIVES_DEATH", "", everyCallEnds],
  ["NEVER_TAKES_AGAIN", "", everyCallEnds],
];

/** The runs of docs/lock/take.pml. @type {readonly Run[]} */
const runsOfTaking = [
  { name: "three-takers", kind: "safety", defines: [] },
  { name: "two-takers-often", kind: "safety", defines: ["PROCESSES=2", "TURNS=3"] },
  ...["NO_SECOND_LIST", "LINKED_BEFORE_IT_LISTENS", "HIGHEST_IS_REMOVED"].map((name) => ({
    name,
    kind: /** @type {const} */ ("safety"),
    defines: [name],
    misses: "one holder at a time",
  })),
];

const laterHolder = "no earlier holder writes over a later one";

/** The runs of docs/lock/lease.pml: name, defines, what has to be missed. @type {readonly Run[]} */
const runsOfLease = /** @type {const} */ ([
  ["three-refresh", ""],
  ["three-sign-in", "SIGN_INS=7"],
  ["one-signs-in", "SIGN_INS=4"],
  ["locks-are-lost", "PROCESSES=2 FORGETS=1"],
  ["locks-are-lost-and-one-signs-in", "PROCESSES=2 FORGETS=1 SIGN_INS=2"],
  ["NO_FENCE", "PROCESSES=2 SIGN_INS=3", laterHolder],
  ["NUMBER_WITHOUT_CLOCK", "PROCESSES=2 SIGN_INS=3 FORGETS=1", laterHolder],
  ["NO_LOOK", "PROCESSES=2", "no token is sent twice unless its answer was not stored"],
  ["NUMBERED_INTENT", "PROCESSES=2", "an answer takes the place of the token that it replaced"],
  ["RENEWED_AFTER_FREED", "PROCESSES=2", "a lock that was freed is not taken back"],
]).map(([name, defines, misses]) => ({
  name,
  kind: /** @type {const} */ ("safety"),
  defines: [...(misses === undefined ? [] : [name]), ...defines.split(" ").filter(Boolean)],
  misses,
}));

/** The runs of docs/lock/lock.pml. @type {readonly Run[]} */
const runsOfProtocol = [
  ...Object.entries(situations).flatMap(([name, defines]) =>
    /** @type {const} */ (["safety", "liveness"]).map((kind) => ({
      name,
      kind,
      defines: defines.split(" ").filter(Boolean),
    })),
  ),
  ...mutations.map(([name, defines, misses]) => ({
    name,
    kind: /** @type {const} */ (misses === everyCallEnds ? "liveness" : "safety"),
    defines: [name, ...defines.split(" ").filter(Boolean)],
    misses,
  })),
];

const { values, positionals } = parseArgs({
  options: { model: { type: "string" }, depth: { type: "string", default: "100000" } },
  allowPositionals: true,
});
const model = resolve(
  values.model ?? fileURLToPath(new URL("../docs/lock/lock.pml", import.meta.url)),
);
const modelLines = readFileSync(model, "utf8").split("\n");
/** @type {Readonly<Record<string, readonly Run[]>>} */
const runsByModel = { "take.pml": runsOfTaking, "lease.pml": runsOfLease };
const allRuns = runsByModel[basename(model)] ?? runsOfProtocol;
const runs = allRuns.filter(({ name }) => positionals.length === 0 || positionals.includes(name));

/** @param {string} program @param {readonly string[]} parameters @param {string} cwd */
function execute(program, parameters, cwd) {
  return /** @type {Promise<{ output: string, status: number | null }>} */ (
    new Promise((done, fail) => {
      const child = spawn(program, parameters, { cwd, stdio: ["ignore", "pipe", "pipe"] });
      let output = "";
      child.stdout.on("data", (chunk) => (output += chunk));
      child.stderr.on("data", (chunk) => (output += chunk));
      child.once("error", fail);
      child.once("close", (status) => done({ output, status }));
    })
  );
}

/** Why the search says nothing, undefined where it was exhaustive. @param {string} output */
function whyIncomplete(output) {
  const bad = output.match(
    /max search depth too small|depth.limit|out of memory|MEMLIM bound|Bit statespace|hash-compact|exceed/i,
  );
  if (bad !== null) return `the search was not exhaustive: ${bad[0]}`;
  if (!output.includes("Full statespace search for:")) return "no exhaustive search was made";
  if (/errors: 0/.test(output) && /search not completed/i.test(output)) {
    return "the search was not completed";
  }
  return undefined;
}

/** The property that failed, from what the verifier says. @param {string} output @param {Run} run @param {string} folder */
async function nameFailure(output, run, folder) {
  if (/pan:\d+: acceptance cycle/.test(output)) return everyCallEnds;
  if (/pan:\d+: invalid end state/.test(output)) return deadlock;
  const replay = await execute("spin", ["-t", ...definesOf(run), "lock.pml"], folder);
  const line = replay.output.match(/:(\d+), Error: assertion violated/)?.[1];
  return modelLines[Number(line) - 1]?.match(/\/\* Safety: (.*?) \*\//)?.[1] ?? `line ${line}`;
}

/** Which lines have statements, and which of them were reached. @param {string} table @param {string} output */
function readLines(table, output) {
  const unreached = new Set();
  let process = "";
  for (const line of output.split("\n")) {
    process = line.match(/^unreached in (?:proctype )?(\S+)/)?.[1] ?? process;
    const state = line.match(/^\t\S+:\d+, state (\d+), /)?.[1];
    if (state !== undefined) unreached.add(`${process} ${state}`);
  }
  /** @type {Map<number, boolean>} */
  const lines = new Map();
  for (const line of table.split("\n")) {
    process = line.match(/^(?:proctype|init|claim) ?(\S*)/)?.[1] ?? process;
    const statement = line.match(/^\s*state\s+(\d+) -.*\.pml:(\d+) => (.*)$/);
    if (statement === null || statement[3] === "(dead[me])") continue;
    const number = Number(statement[2]);
    const isReached = !unreached.has(`${process} ${statement[1]}`);
    lines.set(number, isReached || lines.get(number) === true);
  }
  return lines;
}

/** @param {Run} run */
function definesOf(run) {
  return run.defines.map((define) => `-D${define}`);
}

/** @param {Run} run @param {string} folder @returns {Promise<Outcome>} */
async function check(run, folder) {
  mkdirSync(folder);
  // Spin looks for the trail of a failure beside the model.
  copyFileSync(model, join(folder, "lock.pml"));
  const started = Date.now();
  const isSafety = run.kind === "safety";
  /** @type {Outcome} */
  const outcome = { run, states: "-", depth: "-", seconds: 0, lines: new Map() };
  for (const [program, ...parameters] of [
    // -o3: no merging of statements, which would leave some out of the list of what was reached.
    ["spin", "-a", ...(isSafety ? ["-o3"] : []), ...definesOf(run), "lock.pml"],
    // NOREDUCE: every interleaving, so that nothing hangs on the reduction being right. No hash compaction, no bit state.
    // prettier-ignore
    ["gcc", run.misses === undefined ? "-O2" : "-O0", "-w", "-DNOREDUCE", "-DNFAIR=3", "-DMEMLIM=6000",
      ...(isSafety ? ["-DSAFETY", "-DNOCLAIM"] : []), "-o", "pan", "pan.c"],
  ]) {
    const { output, status } = await execute(program, parameters, folder);
    if (status !== 0) return { ...outcome, problem: `${program} failed: ${output.trim()}` };
  }
  // -b: a path that is longer than the limit is an error. Liveness is judged with weak fairness, assertions apart.
  const { output } = await execute(
    join(folder, "pan"),
    [`-m${values.depth}`, "-b", ...(isSafety ? [] : ["-a", "-f", "-A"])],
    folder,
  );
  outcome.seconds = (Date.now() - started) / 1000;
  outcome.states = output.match(/(\S+) states, stored/)?.[1] ?? "-";
  outcome.depth = output.match(/depth reached (\d+)/)?.[1] ?? "-";
  const problem = whyIncomplete(output);
  if (problem !== undefined) return { ...outcome, problem };
  if (!/errors: 0/.test(output)) {
    return { ...outcome, failed: await nameFailure(output, run, folder) };
  }
  if (isSafety && run.misses === undefined) {
    outcome.lines = readLines((await execute(join(folder, "pan"), ["-d"], folder)).output, output);
  }
  return outcome;
}

/** @param {Outcome} outcome */
function isAsExpected({ run, failed, problem }) {
  return problem === undefined && failed === run.misses;
}

/** @param {Outcome} outcome */
function verdictOf(outcome) {
  const { run, failed, problem } = outcome;
  if (problem !== undefined) return `NO RESULT: ${problem}`;
  if (run.misses === undefined) return failed === undefined ? "holds" : `FAILS: ${failed}`;
  if (failed === undefined) return "NOT NOTICED";
  return isAsExpected(outcome) ? "fails, as it must" : `FAILS OTHERWISE: ${failed}`;
}

/** @param {Outcome} outcome */
function rowOf(outcome) {
  const { run, states, depth, seconds } = outcome;
  const property = run.misses ?? (run.kind === "safety" ? "every assertion" : everyCallEnds);
  return [
    run.name.padEnd(26),
    property.padEnd(49),
    states.padStart(9),
    depth.padStart(5),
    seconds.toFixed(1).padStart(7),
    ` ${verdictOf(outcome)}`,
  ].join(" ");
}

/** Statements that no run of the true model reaches: what stands there proves nothing. @param {readonly Outcome[]} outcomes */
function unreachedLines(outcomes) {
  /** @type {Map<number, boolean>} */
  const lines = new Map();
  for (const outcome of outcomes) {
    for (const [line, isReached] of outcome.lines) {
      lines.set(line, isReached || lines.get(line) === true);
    }
  }
  // An assertion that no run so much as compiles is unreached too.
  modelLines.forEach((text, index) => {
    if (/^\s*assert\(/.test(text) && !lines.has(index + 1)) lines.set(index + 1, false);
  });
  return [...lines].filter(([, isReached]) => !isReached).map(([line]) => line);
}

async function checkAll() {
  const folder = mkdtempSync(join(tmpdir(), "latchkey-lock-model-"));
  try {
    console.log(`${"model".padEnd(26)} ${"property".padEnd(49)}    states depth seconds  verdict`);
    /** @type {Outcome[]} */
    const outcomes = [];
    const waiting = [...runs.entries()];
    const work = async () => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        const [number, run] = next;
        const place = join(folder, String(number));
        const outcome = await check(run, place);
        outcomes.push(outcome);
        console.log(rowOf(outcome));
        rmSync(place, { recursive: true, force: true });
      }
    };
    await Promise.all([work(), work()]);
    const wrong = outcomes.filter((outcome) => !isAsExpected(outcome)).length;
    const isWhole = positionals.length === 0;
    const unreached = isWhole && wrong === 0 ? unreachedLines(outcomes) : [];
    for (const line of unreached) {
      console.log(`never reached: line ${line}: ${modelLines[line - 1]?.trim()}`);
    }
    console.log(
      `${outcomes.length} runs, ${wrong} not as expected, ${isWhole ? `${unreached.length} lines never reached` : "reached lines not looked at"}`,
    );
    return outcomes.length > 0 && wrong === 0 && unreached.length === 0;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const missing = ["spin", "gcc"].filter(
  (name) => spawnSync(name, ["--version"]).error !== undefined,
);
if (missing.length > 0) {
  console.log(
    `${missing.join(" and ")} not found. On Debian: apt-get install ${missing.join(" ")}`,
  );
  process.exitCode = 2;
} else {
  process.exitCode = (await checkAll()) ? 0 : 1;
}
