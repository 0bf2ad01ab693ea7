// Changes when dist/ is made in another way: declarations by tsc, code and licences by rolldown.
import { chmodSync, readFileSync, readdirSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { basename, dirname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";
import { minify } from "rolldown/utils";
import { compileDeclarations } from "./declarations.mjs";
import { writeHelperNames } from "./helper-names.mjs";
import { packageFolder, writeLicences } from "./licences.mjs";

/** @typedef {import("rolldown").OutputChunk} OutputChunk */
/** @typedef {import("rolldown").Plugin} Plugin */

const root = fileURLToPath(new URL("..", import.meta.url));
const output = join(root, "dist");
const commandLine = join(output, "cli");
/** What the warm command hands over to, each a file of its own next to it. */
const handedOver = ["main", "complete"];
const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));

/** What is installed with the package, or beside it: never bundled. */
const installedPackages = ["dependencies", "optionalDependencies", "peerDependencies"].flatMap(
  (kind) => Object.keys(manifest[kind] ?? {}),
);

/**
 * The public entries, as package.json names them: `dist/x.d.ts` is made from `src/x.ts`.
 * @type {readonly { source: string, name: string, types: string, bundled: string, main: string }[]}
 */
const entries = Object.values(manifest.exports)
  .filter((entry) => typeof entry === "object")
  .map(({ types, module, default: main }) => {
    const name = relative("dist", types)
      .replace(/\.d\.ts$/, "")
      .replaceAll(sep, "/");
    return { name, types, main, bundled: module, source: join(root, "src", `${name}.ts`) };
  });

/** @param {string} specifier */
const isBuiltin = (specifier) =>
  specifier.startsWith("node:") || builtinModules.includes(specifier);

/** @param {string} specifier */
const isInstalled = (specifier) =>
  installedPackages.some((name) => specifier === name || specifier.startsWith(`${name}/`));

/** The declarations that the entries' own declarations lead to. @param {readonly string[]} from */
function reachableDeclarations(from) {
  /** @type {Set<string>} */
  const reached = new Set();
  /** @param {string} path */
  const visit = (path) => {
    if (reached.has(path)) return;
    reached.add(path);
    for (const [, specifier = ""] of readFileSync(path, "utf8").matchAll(
      /(?:from\s+|import\()"(\.[^"]+)\.ts"/g,
    )) {
      visit(join(dirname(path), `${specifier}.d.ts`));
    }
  };
  for (const entry of from) visit(entry);
  return reached;
}

/** @param {string} folder */
function removeEmptyFolders(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) removeEmptyFolders(join(folder, entry.name));
  }
  if (readdirSync(folder).length === 0) rmdirSync(folder);
}

/** The declarations of the entries, with their comments: an editor shows them. */
function writeDeclarations() {
  compileDeclarations();
  const reachable = reachableDeclarations(entries.map(({ types }) => join(root, types)));
  for (const name of readdirSync(output, { recursive: true, encoding: "utf8" })) {
    const path = join(output, name);
    if (path.endsWith(".d.ts") && !reachable.has(path)) rmSync(path);
  }
  removeEmptyFolders(output);
}

/**
 * What the warm command hands over to is loaded when it does, and by `require`: an `import()` would first start Node's
 * loader of ES modules, which on Node 20 took as long as half of a renewal.
 * @type {Plugin}
 */
const othersStayApart = {
  name: "others-stay-apart",
  resolveId(source) {
    const name = handedOver.find((each) => source === `./${each}.ts`);
    return name === undefined ? undefined : { id: `./${name}.cjs`, external: true };
  },
  renderChunk(code, { fileName }) {
    return handedOver.reduce((before, name) => {
      const imported = `import("./${name}.cjs")`;
      if (!before.includes(imported)) throw new Error(`${fileName} does not import ${name}`);
      return before.replace(imported, `Promise.resolve().then(() => require("./${name}.cjs"))`);
    }, code);
  },
};

/** Fails when a chunk would look for something that is not there once it is installed. @param {readonly OutputChunk[]} chunks @param {(specifier: string) => boolean} isAllowed */
function assertImports(chunks, isAllowed) {
  for (const { fileName, imports, dynamicImports } of chunks) {
    const unknown = [...imports, ...dynamicImports].filter((specifier) => !isAllowed(specifier));
    if (unknown.length > 0) throw new Error(`${fileName} imports ${unknown.join(", ")}`);
  }
}

/** @param {import("rolldown").RolldownOutput} result */
const chunksOf = (result) => result.output.filter((file) => file.type === "chunk");

/** One CommonJS file, because that starts fastest. */
async function bundleWarmCommand() {
  const bundle = await rolldown({
    input: join(root, "src", "cli", "latchkey.ts"),
    platform: "node",
    external: isBuiltin,
    plugins: [othersStayApart],
  });
  const path = join(commandLine, "latchkey.cjs");
  const result = await bundle.write({
    file: path,
    format: "cjs",
    banner: "#!/usr/bin/env node",
    // The start of Node is nearly all of its time, and reading this file the rest: half the bytes, one part in a hundred.
    minify: { compress: true, mangle: true, codegen: true },
    sourcemap: false,
    codeSplitting: false,
  });
  await bundle.close();
  const chunks = chunksOf(result);
  const others = handedOver.map((name) => `./${name}.cjs`);
  assertImports(chunks, (each) => each.startsWith("node:") || others.includes(each));
  chmodSync(path, 0o755);
  return chunks;
}

/** What people read during a sign-in, by the name of its chunk. */
const shownWords = {
  terminal:
    /[\\/]src[\\/]interaction[\\/](terminal|terminal-texts|line-input|paste|command-words)\.ts$/,
  pages: /[\\/]src[\\/]interaction[\\/]pages[\\/]/,
};

/**
 * What is loaded together stands in one file, by the name of its chunk: each further file costs a lookup, a few system
 * calls and a compilation. A part named here takes with it what it needs at once.
 */
const loadedTogether = {
  // What every call loads that asks more than the cache of a moment ago: a session with its store and its lock.
  session: /[\\/]src[\\/](core[\\/]|files[\\/]|credential[\\/](compose|open-file-store)\.ts$)/,
  // A request for tokens with a refresh token: a file of its own, as the many that wait for one another's refresh do
  // without it. What a sign-in needs of it, it takes from here.
  refresh: /[\\/]src[\\/](flow[\\/](refresh|provider-input)|http[\\/]client)\.ts$/,
  layout: /[\\/]src[\\/]interaction[\\/](layout|live-line)\.ts$/,
  "command-grammar": /[\\/]src[\\/]cli[\\/](command-grammar|output)\.ts$/,
  // With the program itself, which starts where it is loaded: only its own commands may need any of it.
  command:
    /[\\/]src[\\/]cli[\\/](main|commands[\\/]token[\\/]run|tell-sign-in|token-text|cached-token)\.ts$/,
};

/** Packages of others that are part of the bundle: each a chunk of its own. */
const bundledPackages = ["smol-toml", "uqr"];

/**
 * What only reads words and writes words (the command line, others' code that is read where others publish it) counts
 * by its size. What holds people's credentials stays as it was written. Options as text are the command line's alone.
 * @type {Plugin}
 */
const wordsAreSmall = {
  name: "words-are-small",
  async renderChunk(code, { fileName, moduleIds }) {
    const isWords = (/** @type {string} */ id) =>
      /[\\/]src[\\/](cli[\\/]|interaction[\\/](layout|live-line|foreground)\b|options[\\/]parse-text\b)/.test(
        id,
      ) ||
      Object.values(shownWords).some((pattern) => pattern.test(id)) ||
      packageFolder(id) !== undefined;
    if (!moduleIds.every((id) => isWords(id))) return undefined;
    const { code: small, errors } = await minify(fileName, code, { module: false });
    if (errors.length > 0) throw new Error(`${fileName} cannot be minified`);
    return small;
  },
};

/** The entries of programs that are no client: they share no chunk with it, so that nothing of it is loaded there. */
const apart = entries.filter(({ name }) => name === "server");
const sharing = entries.filter((entry) => !apart.includes(entry));

/** How both bundles are written. CommonJS: see {@link bundleModules}. @type {import("rolldown").OutputOptions} */
const written = {
  dir: output,
  format: "cjs",
  exports: "named",
  entryFileNames: "[name].cjs",
  // Not minified but for words: what holds people's credentials can be read where it is installed.
  minify: false,
  comments: { legal: true, annotation: false, jsdoc: false },
  sourcemap: false,
};

/** The chunk of everything that `import "latchkey"` loads at once. */
const atOnce = "library";

/**
 * Somebody waits for what is loaded: an export that never changes is a value and not a getter, which were the fifth part
 * of a chunk, and each chunk is ASCII alone, because Node reads nothing else without decoding it.
 * @type {Plugin}
 */
const quickToLoad = {
  name: "quick-to-load",
  renderChunk(code, { name, fileName, imports }) {
    const others = imports.filter((specifier) => !isBuiltin(specifier));
    if (name === atOnce && others.length > 0) {
      throw new Error(`${fileName} loads ${others.join(", ")}`);
    }
    const withValues = code.replaceAll(
      /^Object\.defineProperty\(exports, "(\w+)", \{\s+enumerable: true,\s+get: function \(\) \{\s+return (\w+);\s+\}\s+\}\);$/gm,
      (getter, exported, local) => {
        const isFixed = new RegExp(`^(const|class|function|async function) ${local}\\b`, "m");
        // A class is `var X = class X`, which nothing assigns to again.
        const isClass = new RegExp(`^var ${local} = class\\b`, "m");
        if (isFixed.test(code) || isClass.test(code)) return `exports.${exported} = ${local};`;
        if (name === atOnce) throw new Error(`${fileName} exports ${local}, which may change`);
        return getter;
      },
    );
    // What is not ASCII stands in texts and patterns alone, where an escape means the same.
    return withValues.replaceAll(
      /[\u0080-\uffff]/g,
      (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
    );
  },
};

/** The command whose function a file is: all of those are called `run.ts`. @param {string | null} file */
function commandOf(file) {
  return /[\\/]commands[\\/]([\w-]+)[\\/]run\.ts$/.exec(file ?? "")?.[1];
}

/**
 * The library and the whole command line as modules that share their chunks: each part is in the package once, an
 * entry loads a few files instead of dozens, and what is imported lazily stays a file of its own.
 */
async function bundleModules() {
  const bundle = await rolldown({
    input: {
      ...Object.fromEntries(sharing.map(({ name, source }) => [name, source])),
      ...Object.fromEntries(
        handedOver.map((name) => [`cli/${name}`, join(root, "src", "cli", `${name}.ts`)]),
      ),
    },
    platform: "node",
    external: (specifier) => isBuiltin(specifier) || isInstalled(specifier),
    plugins: [wordsAreSmall, quickToLoad],
    // No names of source files, which are not in the package: they were the hundredth part of it.
    experimental: { attachDebugInfo: "none" },
  });
  const result = await bundle.write({
    // CommonJS: a file that could not be read once (EMFILE) is read again by the next call, while Node 20 keeps the
    // failure of an ES module until the process ends.
    ...written,
    // With a hash of the content: a program that runs while the package is upgraded never loads a part of another version.
    chunkFileNames: ({ facadeModuleId }) =>
      `chunks/${commandOf(facadeModuleId) ?? "[name]"}-[hash].cjs`,
    // What an importing program loads, with all that it needs at once, in one file: each further one costs it a third of
    // a millisecond.
    codeSplitting: {
      groups: [
        { name: atOnce, test: /[\\/]src[\\/]index\.ts$/ },
        ...Object.entries(loadedTogether).map(([name, test]) => ({ name, test })),
        ...Object.entries(shownWords).map(([name, test]) => ({ name, test })),
        ...bundledPackages.map((name) => ({ name, test: `node_modules/${name}/` })),
      ],
    },
  });
  await bundle.close();
  const chunks = chunksOf(result);
  assertWhole(chunks);
  assertProgramApart(chunks);
  return chunks;
}

/** Fails where anything but the command line's own program would load, and so start, that program. @param {readonly OutputChunk[]} chunks */
function assertProgramApart(chunks) {
  const program = "cli/main.cjs";
  const byName = new Map(chunks.map((chunk) => [chunk.fileName, chunk]));
  for (const { fileName: entry } of chunks.filter((chunk) => chunk.isEntry)) {
    if (entry === program) continue;
    const reached = new Set([entry]);
    for (const fileName of reached) {
      const chunk = byName.get(fileName);
      for (const each of [...(chunk?.imports ?? []), ...(chunk?.dynamicImports ?? [])]) {
        if (byName.has(each)) reached.add(each);
      }
    }
    if (reached.has(program)) throw new Error(`${entry} would start ${program}`);
  }
}

/** The entries that stand apart, with their own copy of what they need. */
async function bundleApart() {
  const bundle = await rolldown({
    input: Object.fromEntries(apart.map(({ name, source }) => [name, source])),
    platform: "node",
    external: (specifier) => isBuiltin(specifier) || isInstalled(specifier),
    experimental: { attachDebugInfo: "none" },
  });
  const result = await bundle.write({
    ...written,
    chunkFileNames: "chunks/apart-[name]-[hash].cjs",
    codeSplitting: { groups: [{ name: "server", test: /[\\/]src[\\/]server\.ts$/ }] },
  });
  await bundle.close();
  const chunks = chunksOf(result);
  assertWhole(chunks);
  return chunks;
}

/** Fails where a bundle needs a file that is not in it. @param {readonly OutputChunk[]} chunks */
function assertWhole(chunks) {
  const files = new Set(chunks.map(({ fileName }) => basename(fileName)));
  assertImports(
    chunks,
    (specifier) =>
      specifier.startsWith("node:") || isInstalled(specifier) || files.has(basename(specifier)),
  );
}

/** What an entry's file says to get another. @param {string} from @param {string} to both below dist */
function specifierOf(from, to) {
  const path = relative(dirname(from), to).replaceAll(sep, "/");
  return JSON.stringify(path.startsWith(".") ? path : `./${path}`);
}

/**
 * The entries of ES modules: names of what the library exports, all of it from the one copy of its code.
 *
 * To import a CommonJS file by name, Node first loads a lexer that looks for the names, and that takes longer than the
 * rest; the names are known here, so Node's own entry asks for the file by `require`. A program that is bundled gets
 * the other entry, because a bundler follows no `require` that was made.
 * @param {readonly OutputChunk[]} chunks
 */
function writeEntries(chunks) {
  const library = chunks.find(({ name }) => name === atOnce);
  for (const { name, main, bundled } of entries) {
    const facade = chunks.find((chunk) => chunk.isEntry && chunk.name === name);
    // The code of the entry `index` is in the chunk that everything shares; any other entry's is its own file.
    const code = name === "index" ? library : facade;
    if (facade === undefined || code === undefined) throw new Error(`there is no entry ${name}`);
    const missing = facade.exports.filter((each) => !code.exports.includes(each));
    if (missing.length > 0) throw new Error(`${code.fileName} does not export ${missing.join()}`);
    const names = facade.exports.toSorted().join(", ");
    const path = join(output, code.fileName);
    writeFileSync(
      join(root, bundled),
      `export { ${names} } from ${specifierOf(join(root, bundled), path)};\n`,
    );
    writeFileSync(
      join(root, main),
      `import { createRequire } from "node:module";\nexport const { ${names} } = createRequire(import.meta.url)(${specifierOf(join(root, main), path)});\n`,
    );
    if (code !== facade) rmSync(join(output, facade.fileName));
  }
}

rmSync(output, { recursive: true, force: true });
writeDeclarations();
const warm = await bundleWarmCommand();
// No program of the package, so that it takes the place of no other keyring: `latchkey setup pip` links to it.
writeHelperNames(root, { ...manifest.bin, keyring: "dist/cli/keyring.cjs" });
const modules = [...(await bundleModules()), ...(await bundleApart())];
writeEntries(modules);
writeLicences(output, [...warm, ...modules]);
