// Makes TypeScript of a `.proto`: the interfaces of its messages, their codecs, and its service for `@grpc/grpc-js`.
// Knows what ours use: proto3 with unary methods and fields that are strings, booleans, int32, messages of the same
// file, lists of them, and maps of strings. Whatever else stands there is an error.

import { readFileSync } from "node:fs";

/** @typedef {{ comment: string, type: string, name: string, number: number, label: string | undefined }} Field */
/** @typedef {{ comment: string, name: string, fields: Field[] }} Message */
/** @typedef {{ comment: string, name: string, request: string, response: string }} Method */

const typeOfScalar = { string: "string", bool: "boolean", int32: "number" };

/** @param {string} name */
const camel = (name) => name.replaceAll(/_([a-z])/g, (_, letter) => letter.toUpperCase());
/** @param {string} name */
const lowerFirst = (name) => name.charAt(0).toLowerCase() + name.slice(1);

/** @param {string} source @param {string} path */
function parse(source, path) {
  /** @type {Message[]} */
  const messages = [];
  /** @type {Method[]} */
  const methods = [];
  let packageName = "";
  let service = { name: "", comment: "" };
  /** @type {Message | "service" | undefined} */
  let open;
  let comment = "";
  for (const [index, raw] of source.split("\n").entries()) {
    const line = raw.trim();
    const note = /^\/\/ (.*)$/.exec(line)?.[1];
    if (note !== undefined) {
      comment = comment === "" ? note : `${comment} ${note}`;
      continue;
    }
    const found = (/** @type {RegExp} */ pattern) => pattern.exec(line)?.slice(1);
    const packageLine = found(/^package ([\w.]+);$/);
    const serviceLine = found(/^service (\w+) \{$/);
    const messageLine = found(/^message (\w+) \{(\})?$/);
    const method = found(/^rpc (\w+)\((\w+)\) returns \((\w+)\);$/);
    const map = found(/^map<string, string> (\w+) = (\d+);$/);
    const field = found(/^(repeated )?(\w+) (\w+) = (\d+);$/);
    if (packageLine !== undefined) [packageName = ""] = packageLine;
    else if (serviceLine !== undefined) {
      service = { name: serviceLine[0] ?? "", comment };
      open = "service";
    } else if (messageLine !== undefined) {
      const message = { comment, name: messageLine[0] ?? "", fields: [] };
      messages.push(message);
      open = messageLine[1] === undefined ? message : undefined;
    } else if (method !== undefined && open === "service") {
      const [name = "", request = "", response = ""] = method;
      methods.push({ comment, name, request, response });
    } else if (map !== undefined && typeof open === "object") {
      const [name = "", number = ""] = map;
      open.fields.push({ comment, type: "string", name, number: Number(number), label: "map" });
    } else if (field !== undefined && typeof open === "object") {
      const [repeated, type = "", name = "", number = ""] = field;
      const label = repeated === undefined ? undefined : "repeated";
      open.fields.push({ comment, type, name, number: Number(number), label });
    } else if (line === "}") open = undefined;
    else if (!/^($|syntax = "proto3";$|reserved \d+;$)/.test(line)) {
      throw new Error(`${path}:${String(index + 1)} is not understood: ${line}`);
    }
    comment = "";
  }
  return { packageName, service, messages, methods };
}

/** Messages after those that they hold. @param {readonly Message[]} messages */
function inOrder(messages) {
  /** @type {Message[]} */
  const ordered = [];
  /** @param {Message} message */
  const add = (message) => {
    if (ordered.includes(message)) return;
    for (const { type } of message.fields) {
      const held = messages.find(({ name }) => name === type);
      if (held !== undefined) add(held);
    }
    ordered.push(message);
  };
  for (const message of messages) add(message);
  return ordered;
}

/** @param {string} comment @param {string} indent */
function documented(comment, indent) {
  if (comment === "") return "";
  const line = `${indent}/** ${comment} */\n`;
  return line.length <= 101 ? line : `${indent}/**\n${indent} * ${comment}\n${indent} */\n`;
}

/** The source of the codecs of a `.proto`. @param {string} root @param {string} path relative to the root */
export function protobufSource(root, path) {
  const { packageName, service, messages, methods } = parse(
    readFileSync(`${root}/${path}`, "utf8"),
    path,
  );
  /** @param {Field} field */
  const typeOf = ({ type, label, name }) => {
    const isMessage = messages.some((message) => message.name === type);
    if (!isMessage && !(type in typeOfScalar)) throw new Error(`${path}: ${name} is a ${type}`);
    const single = isMessage ? type : typeOfScalar[type];
    if (label === "map") return "Readonly<Record<string, string>>";
    if (label === "repeated") return `readonly ${single}[]`;
    return isMessage ? `${single} | undefined` : single;
  };
  const parts = inOrder(messages).map((message) => {
    const members = message.fields.map(
      (field) =>
        `${documented(field.comment, "  ")}  readonly ${camel(field.name)}: ${typeOf(field)};\n`,
    );
    const rows = message.fields.map(({ name, type, number, label }) => {
      const held = type in typeOfScalar ? `"${type}"` : `${lowerFirst(type)}Codec`;
      const more = label === undefined ? "" : `, label: "${label}"`;
      return `  { number: ${String(number)}, name: "${camel(name)}", type: ${held}${more} },\n`;
    });
    const about = message.comment || `\`${packageName}.${message.name}\`.`;
    const shape =
      members.length === 0
        ? `export type ${message.name} = object;\n`
        : `export interface ${message.name} {\n${members.join("")}}\n`;
    const table = rows.length === 0 ? "[]" : `[\n${rows.join("")}]`;
    return `${documented(about, "")}${shape}\nconst ${lowerFirst(message.name)}Codec: MessageCodec<${message.name}> = messageCodec(${table});\n`;
  });
  const rows = methods.map(
    ({ comment, name, request, response }) =>
      `${documented(comment, "  ")}  ${lowerFirst(name)}: unaryMethod(\n    "/${packageName}.${service.name}/${name}",\n    ${lowerFirst(request)}Codec,\n    ${lowerFirst(response)}Codec,\n  ),\n`,
  );
  const types = methods.map(
    ({ name, request, response }) =>
      `  readonly ${lowerFirst(name)}: UnaryMethod<${request}, ${response}>;\n`,
  );
  const about = service.comment || `\`${packageName}.${service.name}\`, for \`@grpc/grpc-js\`.`;
  return `// The messages of ${packageName}.${service.name}. Made from ${path} by \`npm run generate\`: change that instead.

import { messageCodec, unaryMethod, type MessageCodec, type UnaryMethod } from "./protobuf.ts";

${parts.join("\n")}
${documented(about, "")}export const ${lowerFirst(service.name)}: {\n${types.join("")}} = {\n${rows.join("")}};
`;
}
