// Changes when the figures are drawn in another way. Writes the SVG by hand: bars in groups, one group for each number
// of processes.
import { bareNode } from "./clients.mjs";
import { rowsOf } from "./report.mjs";

/** @typedef {import("./summary.mjs").Row} Row */
/** @typedef {import("./summary.mjs").Spread} Spread */

/**
 * @typedef {object} Panel
 * @property {string} title
 * @property {readonly string[]} clients
 * @property {(row: Row) => Spread | undefined} values
 * @property {(value: number) => string} label
 * @property {boolean} isCount its labels show the range, the others the median
 */

const width = 860;
const panelHeight = 230;
const left = 56;
const right = 16;
const top = 92;
const barsTop = 34;
const barsBottom = 190;

/** Told apart without colours too: light and dark alternate. @type {Record<string, string>} */
const colours = {
  "latchkey token": "#12457a",
  "latchkey library": "#6ea8d9",
  "msal-node + extensions": "#b45309",
  "openid-client + file": "#e7b45c",
  [bareNode]: "#c9ced6",
};

const escape = (/** @type {string} */ text) =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

/** @param {number} x @param {number} y @param {string} words @param {string} [style] */
const text = (x, y, words, style = "") =>
  `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" ${style}>${escape(words)}</text>`;

/** Room for the greatest value; a logarithmic scale from `least`, so that 1 and 200 can both be read. @param {number} least @param {number} most */
function logarithmic(least, most) {
  const [low, high] = [Math.log10(least), Math.log10(most)];
  return (/** @type {number} */ value) =>
    value <= 0 ? 0 : Math.max(0.02, (Math.log10(value) - low) / (high - low));
}

/** @param {Panel} panel @param {readonly Row[]} rows @param {number} offset */
function drawPanel(panel, rows, offset) {
  const counts = [...new Set(rows.map(({ processes }) => processes))];
  const shown = rows.flatMap((row) => {
    const values = panel.clients.includes(row.client) ? panel.values(row) : undefined;
    return values === undefined ? [] : [{ row, values }];
  });
  const positive = shown.flatMap(({ values }) => [values.least, values.most]).filter((n) => n > 0);
  const most = Math.max(1, ...positive);
  const scale = logarithmic(Math.min(0.5, ...positive) * 0.7, most);
  const groupWidth = (width - left - right) / counts.length;
  const barWidth = Math.min(30, (groupWidth - 28) / panel.clients.length);
  const y = (/** @type {number} */ value) =>
    barsBottom - scale(value) * (barsBottom - barsTop - 18);
  const parts = [
    text(left, 16, panel.title, 'class="title"'),
    `<line x1="${left}" y1="${barsBottom}" x2="${width - right}" y2="${barsBottom}" class="axis"/>`,
  ];
  for (const [group, processes] of counts.entries()) {
    const centre = left + groupWidth * (group + 0.5);
    const start = centre - (barWidth * panel.clients.length) / 2;
    const words = processes === 1 ? "1 process" : `${processes} processes`;
    parts.push(text(centre, barsBottom + 18, words, 'text-anchor="middle"'));
    for (const { row, values } of shown.filter((each) => each.row.processes === processes)) {
      const x = start + panel.clients.indexOf(row.client) * barWidth;
      const barTop = y(values.median);
      const middle = x + barWidth / 2;
      parts.push(
        `<rect x="${(x + 2).toFixed(1)}" y="${barTop.toFixed(1)}" width="${(barWidth - 4).toFixed(1)}" height="${(barsBottom - barTop).toFixed(1)}" fill="${colours[row.client]}"><title>${escape(`${row.client}, ${words}: ${panel.label(values.median)} (${panel.label(values.least)} to ${panel.label(values.most)})`)}</title></rect>`,
      );
      let labelTop = barTop;
      if (values.most > values.least) {
        labelTop = y(values.most);
        parts.push(
          `<line x1="${middle.toFixed(1)}" y1="${y(values.least).toFixed(1)}" x2="${middle.toFixed(1)}" y2="${labelTop.toFixed(1)}" class="range"/>`,
        );
      }
      const isRange = panel.isCount && values.most > values.least;
      const label = isRange ? `${values.least}–${values.most}` : panel.label(values.median);
      parts.push(text(middle, labelTop - 4, label, 'text-anchor="middle" class="value"'));
    }
  }
  return `<g transform="translate(0 ${offset})">${parts.join("\n")}</g>`;
}

/** @param {import("./report.mjs").Report} report */
export function plot(report) {
  const expired = rowsOf(report, "expired");
  const cached = rowsOf(report, "nothing cached");
  const whole = (/** @type {number} */ value) => String(value);
  const { clients } = report;
  const cannot = Object.keys(report.cannotSignIn).map((name) => `; ${name} cannot`);
  /** @type {readonly [Panel, readonly Row[]][]} */
  const panels = [
    [
      {
        title: "Expired token: token requests at the provider (1 is enough)",
        clients,
        values: ({ outcome }) => outcome?.tokenRequests,
        label: whole,
        isCount: true,
      },
      expired,
    ],
    [
      {
        title: "Expired token: processes left without a token that works (0 is right)",
        clients,
        values: ({ outcome }) => outcome?.withoutGoodToken,
        label: whole,
        isCount: true,
      },
      expired,
    ],
    [
      {
        title: "Expired token: seconds until the last process was done",
        clients: [...clients, bareNode],
        values: ({ wallSeconds }) => wallSeconds,
        label: (value) => value.toFixed(value < 10 ? 2 : 1),
        isCount: false,
      },
      expired,
    ],
    [
      {
        title: `Nothing cached: browser windows opened (1 is enough${cannot.join("")})`,
        clients: clients.filter((name) => report.cannotSignIn[name] === undefined),
        values: ({ outcome }) => outcome?.windows,
        label: whole,
        isCount: true,
      },
      cached,
    ],
  ];
  const drawn = panels.filter(([, rows]) => rows.length > 0);
  const height = top + panelHeight * drawn.length + 12;
  const names = [...clients, bareNode];
  let x = left;
  const legend = names.map((name) => {
    const entry = `<rect x="${x.toFixed(1)}" y="48" width="12" height="12" fill="${colours[name]}"/>${text(x + 18, 58.5, name)}`;
    // SVG cannot measure its own text; this is wide enough for the widest system font seen.
    x += 38 + name.length * 7;
    return entry;
  });
  const { machine, node, measuredOn } = report;
  const caption = `Bars: median of the rounds; lines: best to worst; logarithmic scales. ${machine.cores} cores, Node ${node}, ${measuredOn}.`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-labelledby="name">
<title id="name">Many processes that want the same token at once</title>
<style>
text { font: 13px system-ui, sans-serif; fill: #24292f; }
.head { font-size: 17px; font-weight: 600; }
.title { font-weight: 600; }
.value { font-size: 11px; }
.quiet { font-size: 12px; fill: #57606a; }
.axis { stroke: #8c959f; }
.range { stroke: #24292f; stroke-width: 1.5; }
</style>
<rect width="${width}" height="${height}" fill="#ffffff"/>
${text(left, 28, "Many processes that want the same token at once", 'class="head"')}
${legend.join("\n")}
${text(left, 78, caption, 'class="quiet"')}
${drawn.map(([panel, rows], index) => drawPanel(panel, rows, top + 14 + index * panelHeight)).join("\n")}
</svg>
`;
}
