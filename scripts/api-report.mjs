// What the package exports, as a page: each public entry with the signature of each export and its first sentence, and
// the types that these name. A change of it is to be seen when it is reviewed.

import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { compileDeclarations, statementsOf } from "./declarations.mjs";

/**
 * What one file declares, imports and hands on. `origin` is where a name comes from: a file, and its name there.
 * @typedef {{
 *   declared: Map<string, { said: string, code: string }[]>,
 *   imported: Map<string, { path: string, name: string }>,
 *   handedOn: Map<string, { path: string, name: string }>,
 * }} Declarations
 * @typedef {{ path: string, name: string }} Origin
 */

const root = fileURLToPath(new URL("..", import.meta.url));

const declaration =
  /^(?:export )?(?:declare )?(?:abstract )?(?:class|interface|type|const|let|var|function|enum|namespace) (\w+)/;
const reference = /^(import|export) (?:type )?\{([^}]*)\}(?: from "([^"]+)")?;$/s;

/** @param {string} list */
function namesOf(list) {
  return list
    .split(",")
    .map((each) => each.trim().replace(/^type /, ""))
    .filter((each) => each !== "")
    .map((each) => {
      const [name = each, local = name] = each.split(" as ");
      return { name, local };
    });
}

/** @param {string} folder of the declarations */
function makeReader(folder) {
  /** @type {Map<string, Declarations>} */
  const files = new Map();
  /** @param {string} path below the folder @returns {Declarations} */
  return function read(path) {
    const known = files.get(path);
    if (known !== undefined) return known;
    /** @type {Declarations} */
    const file = { declared: new Map(), imported: new Map(), handedOn: new Map() };
    files.set(path, file);
    for (const { said, code } of statementsOf(readFileSync(join(folder, path), "utf8"))) {
      const [, kind, list, from] = reference.exec(code) ?? [];
      const [, name] = declaration.exec(code) ?? [];
      if (list !== undefined) {
        const source = from?.startsWith(".")
          ? normalize(join(dirname(path), from)).replace(/\.ts$/, ".d.ts")
          : undefined;
        for (const each of namesOf(list)) {
          if (kind === "import" && source === undefined) continue;
          const origin = { path: source ?? path, name: each.name };
          (kind === "import" ? file.imported : file.handedOn).set(each.local, origin);
        }
      } else if (name !== undefined) {
        file.declared.set(name, [...(file.declared.get(name) ?? []), { said, code }]);
      } else if (!/^(?:import|export) /.test(code)) {
        throw new Error(`${path}: a statement that nobody expected: ${code.slice(0, 80)}`);
      } else if (/^export (?!\{\};$)/.test(code)) {
        throw new Error(`${path}: an export without a name: ${code.slice(0, 80)}`);
      }
    }
    return file;
  };
}

/** @param {(path: string) => Declarations} read @param {Origin} from @returns {Origin} where it is declared */
function originOf(read, from) {
  const file = read(from.path);
  if (file.declared.has(from.name)) return from;
  const next = file.handedOn.get(from.name) ?? file.imported.get(from.name);
  if (next === undefined) throw new Error(`${from.path} declares no ${from.name}`);
  return originOf(read, next);
}

/** The page's part for one declaration. @param {(path: string) => Declarations} read @param {string} shown @param {Origin} origin */
function part(read, shown, origin) {
  const statements = read(origin.path).declared.get(origin.name) ?? [];
  // Where an interface completes a class, the class says what it is.
  const said = statements.map((each) => each.said).findLast((each) => each !== "") ?? "";
  const code = statements.map((each) => each.code.replace(/^export (?:declare )?/, ""));
  return `### ${shown}\n\n${said === "" ? "" : `${said}\n\n`}\`\`\`ts\n${code.join("\n")}\n\`\`\`\n`;
}

/** @param {Origin} origin */
const idOf = ({ path, name }) => `${path} ${name}`;

/** The page. */
export function apiReport() {
  const folder = mkdtempSync(join(tmpdir(), "latchkey-declarations-"));
  try {
    compileDeclarations(["--outDir", folder]);
    return page(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** @param {string} folder */
function page(folder) {
  const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const read = makeReader(folder);
  /** @type {Map<string, Origin>} */
  const exported = new Map();
  const parts = Object.entries(manifest.exports)
    .filter(([, entry]) => typeof entry === "object")
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, { types }]) => {
      const path = types.replace(/^\.\/dist\//, "");
      if (!existsSync(join(folder, path))) throw new Error(`${name} has no declarations`);
      const { handedOn, declared } = read(path);
      const own = [...declared].filter(([, [each]]) => each?.code.startsWith("export "));
      const names = [...handedOn.keys(), ...own.map(([each]) => each)].toSorted();
      const shown = names.map((each) => {
        const origin = originOf(read, { path, name: each });
        exported.set(idOf(origin), origin);
        return part(read, each, origin);
      });
      return `## \`${name.replace(/^\./, manifest.name)}\`\n\n${shown.join("\n")}`;
    });

  /** @type {Map<string, Origin>} */
  const named = new Map();
  const left = [...exported.values()];
  for (let origin = left.pop(); origin !== undefined; origin = left.pop()) {
    const { declared, imported } = read(origin.path);
    const code = (declared.get(origin.name) ?? []).map((each) => each.code).join("\n");
    for (const word of new Set(code.match(/\w+/g))) {
      const from = declared.has(word) ? { path: origin.path, name: word } : imported.get(word);
      if (from === undefined) continue;
      const found = originOf(read, from);
      const [first] = read(found.path).declared.get(found.name) ?? [];
      // A member may be called as a function is.
      const isType = !/^(?:export )?declare (?:function|const)/.test(first?.code ?? "");
      if (!isType && !code.includes(`typeof ${word}`)) continue;
      if (exported.has(idOf(found)) || named.has(idOf(found))) continue;
      named.set(idOf(found), found);
      left.push(found);
    }
  }
  const others = [...named.values()]
    .toSorted((one, other) => (`${one.name} ${one.path}` < `${other.name} ${other.path}` ? -1 : 1))
    .map((origin) => part(read, origin.name, origin));
  return `# API

Made from the declarations by \`npm run generate\`: every public entry of \`package.json\`, each export with its
signature, and the types that these name. The declarations themselves say more; an editor shows it.

${parts.join("\n")}
## Types that these name

They cannot be imported.

${others.join("\n")}`;
}
