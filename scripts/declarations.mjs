// Compiles the declarations of the library, and reads them: which statements a file has, and what they say.

import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

/** Writes the declarations of src, one file for each. @param {readonly string[]} flags */
export function compileDeclarations(flags = []) {
  const compiler = createRequire(import.meta.url).resolve("typescript/package.json");
  const { status, error } = spawnSync(
    process.execPath,
    [
      join(dirname(compiler), "bin", "tsc"),
      "-p",
      "tsconfig.build.json",
      "--emitDeclarationOnly",
      ...flags,
    ],
    { cwd: root, stdio: ["ignore", "inherit", "inherit"] },
  );
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error("tsc found errors");
}

/** The next piece of a text: a comment, a quoted text, or what stands between them. */
const piece =
  /\/\*[\s\S]*?\*\/|\/\/[^\n]*|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`|[\s\S]/g;

const hasBody =
  /^(?:export )?(?:default )?(?:declare )?(?:abstract )?(?:class|interface|namespace|enum)\b/;

/** The first sentence of a documentation comment, without its stars. @param {string} comment */
function firstSentence(comment) {
  const text = comment
    .replaceAll(/^\/\*\*|\*\/$/g, "")
    .replaceAll(/^\s*\* ?/gm, "")
    .replaceAll(/\{@link ([^}|]+)\}/g, "`$1`")
    .split(/\n\s*\n|\n\s*@/)[0]
    .replaceAll(/\s+/g, " ")
    .trim();
  return /^.*?[.:](?= [A-Z`]|$)/.exec(text)?.[0].replace(/:$/, ".") ?? text;
}

/**
 * The statements of a declaration file as tsc writes it: the first sentence of what is said of each, and its code without
 * comments.
 * @param {string} text
 * @returns {readonly { readonly said: string, readonly code: string }[]}
 */
export function statementsOf(text) {
  const statements = [];
  let said = "";
  let code = "";
  let depth = 0;
  for (const [part] of text.matchAll(piece)) {
    if (part.startsWith("/*") || part.startsWith("//")) {
      if (code.trim() === "" && part.startsWith("/**")) said = firstSentence(part);
      continue;
    }
    code += part;
    if ("{([".includes(part)) depth += 1;
    if ("})]".includes(part)) depth -= 1;
    if (depth !== 0) continue;
    if (part === ";" || (part === "}" && hasBody.test(code.trim()))) {
      const lines = code.split("\n").map((line) => line.trimEnd());
      const kept = lines
        .filter((line) => line.trim() !== "" && line.trim() !== "#private;")
        .map((line) => line.replaceAll(/ {4}/g, "  "));
      statements.push({ said, code: kept.join("\n").trim() });
      said = "";
      code = "";
    }
  }
  if (code.trim() !== "") throw new Error(`a declaration has no end: ${code.trim().slice(0, 80)}`);
  return statements;
}
