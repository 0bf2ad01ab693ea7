// Changes when the figures of the simulation are told or drawn in another way.

/** @typedef {any} Result as bench/scale.mjs puts it together */

const whole = (/** @type {number} */ value) => Math.round(value).toLocaleString("en");
const short = (/** @type {number} */ value) =>
  value >= 100 ? whole(value) : value.toFixed(value < 10 ? 1 : 0);
const seconds = (/** @type {number | null} */ milliseconds) =>
  milliseconds === null ? "" : (milliseconds / 1000).toFixed(2);

/** What grew between the two looks at a server, of each server. @param {Result} result */
function grownOf({ before, after }) {
  return after.map((/** @type {any} */ server, /** @type {number} */ at) => {
    const earlier = before[at];
    const calls = (/** @type {string} */ name) =>
      (server.commands[name]?.calls ?? 0) - (earlier.commands[name]?.calls ?? 0);
    return {
      scripts: calls("eval"),
      subscriptions: calls("subscribe"),
      cpuSeconds: server.cpuSeconds - earlier.cpuSeconds,
    };
  });
}

/** @param {Result} result */
export function figuresOf(result) {
  const { scene, provider, clients, after } = result;
  const servers = grownOf(result);
  const sum = (/** @type {string} */ name) =>
    servers.reduce((/** @type {number} */ all, /** @type {any} */ each) => all + each[name], 0);
  const scripts = sum("scripts");
  // Tokens that each sign-in had.
  const lives = provider.requests / scene.signIns;
  const total = (/** @type {string} */ name) =>
    after.reduce((/** @type {number} */ all, /** @type {any} */ each) => all + each[name], 0);
  return {
    requests: provider.requests,
    reused: provider.reused,
    requestsAnHour: scene.isCold ? null : (scene.signIns * 3600) / clients.gaps.p50,
    between: clients.gaps.p50,
    scripts,
    scriptsOfBusiest: Math.max(...servers.map((/** @type {any} */ each) => each.scripts)),
    cpuOfBusiest: Math.max(...servers.map((/** @type {any} */ each) => each.cpuSeconds)),
    lives,
    scriptsPerClient: scripts / scene.clients / lives,
    scriptsPerToken: scripts / provider.requests,
    subscriptions: sum("subscriptions"),
    microseconds: (sum("cpuSeconds") / scripts) * 1e6,
    dataPerKey: total("data") / total("keys"),
    keys: total("keys"),
    perConnection: total("ofConnections") / total("connections"),
    memory: total("memory"),
    mostMemory: total("mostMemory"),
  };
}

const nameOf = (/** @type {any} */ { signIns }) =>
  signIns === 1 ? "1 sign-in" : `${whole(signIns)} sign-ins`;
const serversOf = (/** @type {any} */ { servers }) =>
  servers === 1 ? "1 server" : `${servers} servers`;

/** @param {string[][]} rows the first one is the head, whose first column is text */
function table(rows) {
  const [head = [], ...body] = rows;
  const line = (/** @type {string[]} */ cells) => `| ${cells.join(" | ")} |`;
  const rule = head.map((_cell, at) => (at === 0 ? "---" : "--:"));
  return [line(head), line(rule), ...body.map(line)].join("\n");
}

/** @param {any} report */
export function tables(report) {
  const steady = report.results.filter((/** @type {Result} */ { scene }) => !scene.isCold);
  const cold = report.results.filter((/** @type {Result} */ { scene }) => scene.isCold);
  const [first] = steady;
  const { clients } = first.scene;
  const rowsOfSteady = steady.map((/** @type {Result} */ result) => {
    const figures = figuresOf(result);
    return [
      `${nameOf(result.scene)}, ${serversOf(result.scene)}`,
      short(figures.between),
      whole(figures.requestsAnHour),
      String(figures.reused),
      short(figures.scriptsPerClient),
      short(figures.scriptsPerToken),
      whole(figures.microseconds),
      whole(figures.scriptsOfBusiest / figures.lives / figures.between),
      seconds(result.clients.waits.calls.p99),
      String(Object.values(result.clients.failures).length),
    ];
  });
  const rowsOfCold = cold.map((/** @type {Result} */ result) => {
    const figures = figuresOf(result);
    const { waiters, calls } = result.clients.waits;
    return [
      `${whole(result.scene.clients)} clients, ${nameOf(result.scene)}, ${serversOf(result.scene)}`,
      `${whole(figures.requests)} (${figures.reused})`,
      seconds(waiters.p50),
      seconds(waiters.p90),
      seconds(waiters.p99),
      seconds(waiters.most),
      seconds(calls.most),
      short(figures.scriptsPerClient),
      whole(figures.subscriptions),
      figures.cpuOfBusiest.toFixed(1),
    ];
  });
  const rowsOfMemory = [...steady, ...cold].map((/** @type {Result} */ result) => {
    const figures = figuresOf(result);
    const { isCold } = result.scene;
    return [
      `${isCold ? "cold" : "steady"}: ${whole(result.scene.clients)} clients, ${nameOf(result.scene)}, ${serversOf(result.scene)}`,
      whole(figures.keys),
      figures.keys < 100 ? "" : whole(figures.dataPerKey),
      (figures.perConnection / 1024).toFixed(1),
      (figures.memory / 2 ** 20).toFixed(0),
      (figures.mostMemory / 2 ** 20).toFixed(0),
      result.clients.clientKibibytes.toFixed(0),
    ];
  });
  return [
    `${report.measuredOn}, ${report.machine}. Tokens of ${report.lifetimeSeconds} seconds; the provider answers after ${report.latencyMilliseconds} ms.`,
    `### ${whole(clients)} clients at their usual work`,
    table([
      [
        "",
        "s between two renewals",
        "requests to the provider an hour",
        "refresh tokens sent twice",
        "operations of Redis per client and token",
        "… per renewed token",
        "µs of Redis's processor each",
        "operations a second of the busiest server",
        "99 % of calls done in, s",
        "kinds of failures",
      ],
      ...rowsOfSteady,
    ]),
    "### All of them find the token expired at the same moment",
    table([
      [
        "",
        "requests to the provider (sent twice)",
        "wait for the lock, s: half",
        "90 %",
        "99 %",
        "all",
        "last call done, s",
        "operations of Redis per client",
        "subscriptions",
        "s of the busiest server's processor",
      ],
      ...rowsOfCold,
    ]),
    "### Memory",
    table([
      [
        "",
        "keys",
        "bytes of data each",
        "KiB of Redis per connection",
        "MiB of Redis at the end",
        "… at most",
        "KiB of a client",
      ],
      ...rowsOfMemory,
    ]),
  ].join("\n\n");
}

const width = 860;
const left = 56;
const panelHeight = 220;
const colour = "#12457a";
const quiet = "#c9ced6";

const escape = (/** @type {string} */ text) =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

/**
 * Bars on a logarithmic scale, each with its name below and its value above.
 * @param {string} title @param {{ name: string[], value: number, label: string, fill?: string }[]} bars @param {number} offset
 */
function panel(title, bars, offset) {
  const drawn = bars.map(({ value }) => Math.max(value, 1e-3));
  const low = Math.log10(Math.min(...drawn) / 2);
  const high = Math.log10(Math.max(...drawn));
  const step = (width - left - 16) / bars.length;
  const parts = bars.map(({ name, label, fill = colour }, at) => {
    const share = (Math.log10(drawn[at] ?? 1) - low) / (high - low || 1);
    const height = Math.max(2, share * 110);
    const x = left + step * (at + 0.5);
    const y = 160 - height;
    const below = name.map(
      (line, row) =>
        `<text x="${x.toFixed(1)}" y="${176 + row * 15}" text-anchor="middle" class="name">${escape(line)}</text>`,
    );
    return `<rect x="${(x - 24).toFixed(1)}" y="${y.toFixed(1)}" width="48" height="${height.toFixed(1)}" fill="${fill}"/>
<text x="${x.toFixed(1)}" y="${(y - 5).toFixed(1)}" text-anchor="middle" class="value">${escape(label)}</text>
${below.join("\n")}`;
  });
  return `<g transform="translate(0 ${offset})">
<text x="${left}" y="20" class="title">${escape(title)}</text>
<line x1="${left}" y1="160" x2="${width - 16}" y2="160" class="axis"/>
${parts.join("\n")}
</g>`;
}

/** @param {any} report */
export function plot(report) {
  const steady = report.results.filter((/** @type {Result} */ { scene }) => !scene.isCold);
  const cold = report.results.filter((/** @type {Result} */ { scene }) => scene.isCold);
  const { clients } = steady[0].scene;
  const alone = (clients * 3600) / figuresOf(steady[0]).between;
  const requests = [
    {
      name: ["each client with", "a token of its own"],
      value: alone,
      label: whole(alone),
      fill: quiet,
    },
    ...steady.map((/** @type {Result} */ result) => {
      const value = figuresOf(result).requestsAnHour ?? 0;
      return {
        name: [nameOf(result.scene), serversOf(result.scene)],
        value,
        label: whole(value),
      };
    }),
  ];
  const waits = cold.flatMap((/** @type {Result} */ { scene, clients: { waits: measured } }) =>
    measured.waiters.count === 0
      ? []
      : [
          [measured.waiters.p50, "half of them", quiet],
          [measured.waiters.p99, "99 %", colour],
        ].map(([value, which, fill]) => ({
          name: [`${whole(scene.clients)} clients`, which],
          value: value / 1000,
          label: `${seconds(value)} s`,
          fill,
        })),
  );
  const load = [...steady, ...cold.slice(-2)].map((/** @type {Result} */ result) => {
    const { cpuOfBusiest } = figuresOf(result);
    const { isCold } = result.scene;
    return {
      name: [
        nameOf(result.scene),
        serversOf(result.scene),
        isCold ? "all at once" : `${result.scene.seconds} seconds`,
      ],
      value: cpuOfBusiest,
      label: `${cpuOfBusiest.toFixed(1)} s`,
      fill: isCold ? quiet : colour,
    };
  });
  /** @type {[string, Parameters<typeof panel>[1]][]} */
  const panels = [
    [`Requests to the provider an hour, ${whole(clients)} clients`, requests],
    ["Token expired for all at once, one sign-in: how long clients wait for the lock", waits],
    [`Processor time of the busiest Redis, ${whole(clients)} clients`, load],
  ];
  const height = 76 + panels.length * panelHeight;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-labelledby="name">
<title id="name">Many clients on one Redis, and on three</title>
<style>
text { font: 13px system-ui, sans-serif; fill: #24292f; }
.head { font-size: 17px; font-weight: 600; }
.title { font-weight: 600; }
.value { font-size: 12px; }
.name, .quiet { font-size: 12px; fill: #57606a; }
.axis { stroke: #8c959f; }
</style>
<rect width="${width}" height="${height}" fill="#ffffff"/>
<text x="${left}" y="28" class="head">Many clients on one Redis, and on three</text>
<text x="${left}" y="50" class="quiet">${escape(`Logarithmic scales. ${report.machine}, ${report.measuredOn}.`)}</text>
${panels.map(([title, bars], at) => panel(title, bars, 66 + at * panelHeight)).join("\n")}
</svg>
`;
}
