// kubectl and everything that reads a kubeconfig: a user with an exec plug-in, for the context in use.

import { existsSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import { contextUser, sectionNamed } from "./kubeconfig-text.ts";
import { appended, insertedAt, replacedAt, type Inserted } from "./lines.ts";
import { kubeconfigFiles } from "./places.ts";
import { outputOfTool } from "./read-by-tool.ts";
import { byHand, refuseSetup, type Insertion, type Plan, type SetupInput } from "./tool-setup.ts";
import { readConfiguration } from "./user-configuration.ts";

type Tree = Readonly<Record<string, unknown>>;
type Named = Readonly<Record<string, Tree>>;

/** What a kubeconfig says, by its names. */
interface Kubeconfig {
  readonly current: unknown;
  readonly clusters: Named;
  readonly contexts: Named;
  readonly users: Named;
}

const nothing: Kubeconfig = { current: "", clusters: {}, contexts: {}, users: {} };

function named(tree: Tree, list: string, member: string): Named {
  const items = tree[list];
  if (!Array.isArray(items)) return {};
  return Object.fromEntries(
    (items as readonly Tree[]).map((item) => [String(item["name"]), item[member] as Tree]),
  );
}

/** What kubectl reads in a file, with what is secret masked. */
function readByKubectl(path: string, { machine }: SetupInput): Kubeconfig {
  const words = ["config", "view", "--output=json"];
  const text = outputOfTool("kubectl", words, machine, { KUBECONFIG: path });
  if (text === undefined) {
    throw refuseSetup(`kubectl cannot read ${path}.`, "See what it says: kubectl config view");
  }
  const tree = JSON.parse(text) as Tree;
  return {
    current: tree["current-context"] ?? "",
    clusters: named(tree, "clusters", "cluster"),
    contexts: named(tree, "contexts", "context"),
    users: named(tree, "users", "user"),
  };
}

/** What matters of our user: other versions of kubectl show other members. */
function essence(user: Tree | undefined): Tree {
  const { apiVersion, args, command, interactiveMode } = (user?.["exec"] ?? {}) as Tree;
  return { apiVersion, args, command, interactiveMode };
}

/** Whether two are the same, but for what a kubectl adds to our user. */
function isSame(one: Kubeconfig, other: Kubeconfig, user: string): boolean {
  const plain = (each: Kubeconfig): Kubeconfig => ({
    ...each,
    users: { ...each.users, [user]: essence(each.users[user]) },
  });
  return isDeepStrictEqual(plain(one), plain(other));
}

/** In the order and form in which kubectl itself writes it, so that it stays as it is when kubectl does. */
function userLines(name: string, command: string, profile: string, indent: string): string[] {
  const written = /^\/[\w./-]+$/.test(command) ? command : JSON.stringify(command);
  return [
    `- name: ${name}`,
    "  user:",
    "    exec:",
    "      apiVersion: client.authentication.k8s.io/v1",
    "      args:",
    `      - --profile=${profile}`,
    `      command: ${written}`,
    "      env: null",
    "      interactiveMode: IfAvailable",
    "      provideClusterInfo: false",
  ].map((line) => indent + line);
}

function withUser(text: string, lines: (indent: string) => string[]): Inserted | undefined {
  const section = sectionNamed(text.split("\n"), "users");
  switch (section.kind) {
    case "unknown":
      return undefined;
    case "absent": {
      const start = text.trim() === "" ? ["apiVersion: v1", "kind: Config"] : [];
      return withOwnLines(appended(text, [...start, "users:", ...lines("")]), lines(""));
    }
    case "empty":
      return withOwnLines(replacedAt(text, section.line, ["users:", ...lines("")]), lines(""));
    default:
      return insertedAt(text, section.items.at(-1)?.end ?? 0, lines(" ".repeat(section.indent)));
  }
}

function withOwnLines({ text, insertion }: Inserted, lines: readonly string[]): Inserted {
  return { text, insertion: { ...insertion, lines } };
}

/** The file that holds the context, else the one that kubectl would write to. */
function chosenFile(input: SetupInput, context: string | undefined): string {
  const files = kubeconfigFiles(input.machine);
  const present = files.filter((path) => existsSync(path));
  const holds = (path: string): boolean =>
    context !== undefined && Object.hasOwn(readByKubectl(path, input).contexts, context);
  return present.find(holds) ?? present[0] ?? files.at(-1) ?? "";
}

function chosenContext({ target, machine }: SetupInput): string | undefined {
  const current = outputOfTool("kubectl", ["config", "current-context"], machine)?.trim();
  return target ?? (current || undefined);
}

/** The user's lines, where they are not there yet. */
function planUser(
  text: string,
  known: Tree | undefined,
  {
    name,
    command,
    profile,
    path,
  }: Readonly<Record<"name" | "command" | "profile" | "path", string>>,
): Inserted | undefined {
  const lines = (indent: string): string[] => userLines(name, command, profile, indent);
  if (known !== undefined) {
    const { command: its, args } = essence(known);
    if (its === command && isDeepStrictEqual(args, [`--profile=${profile}`])) return undefined;
    throw refuseSetup(
      `The kubeconfig has another user ${name}.`,
      `Delete it, and run this again: kubectl config delete-user ${name}`,
    );
  }
  const edited = withUser(text, lines);
  if (edited !== undefined) return edited;
  throw refuseSetup(
    `${path} is written in a way that cannot be changed safely.`,
    byHand(lines("").join("\n")),
  );
}

/** The line that says whose the context is, with our user in it. */
function planContext(
  text: string,
  context: string,
  user: string,
  path: string,
): { readonly text: string; readonly insertion: Extract<Insertion, { kind: "context-user" }> } {
  const place = contextUser(text, context);
  if (place === undefined) {
    throw refuseSetup(
      `The context in ${path} is written in a way that cannot be changed safely.`,
      `Give it its user, and run this again: kubectl config set-context NAME --user=${user}`,
    );
  }
  const before = place.text.replace(/\r$/, "");
  const after = before.replace(/(user:\s*).*$/, `$1${user}`);
  return {
    text: replacedAt(text, place.line, [after]).text,
    insertion: { kind: "context-user", context, before, after },
  };
}

/** Plans it. @throws {OidcError} `invalid_option`. */
export function planSetup(input: SetupInput): Plan {
  const { profile } = input;
  const chosen = chosenContext(input);
  const { path, text: textBefore } = readConfiguration(chosenFile(input, chosen), "kubectl");
  const read = textBefore === undefined ? nothing : readByKubectl(path, input);
  const context = chosen !== undefined && Object.hasOwn(read.contexts, chosen) ? chosen : undefined;
  if (input.target !== undefined && context === undefined) {
    throw refuseSetup(
      "The kubeconfig has no such context.",
      "These are there: kubectl config get-contexts",
    );
  }
  const user = profile === "default" ? "latchkey" : `latchkey-${profile}`;
  const command = input.program("kubectl-latchkey").path;
  const start = textBefore ?? "";
  const added = planUser(start, read.users[user], { name: user, command, profile, path });
  const isUsed = context === undefined || read.contexts[context]?.["user"] === user;
  const given = isUsed ? undefined : planContext(added?.text ?? start, context, user, path);
  const notes =
    context === undefined
      ? [`No context has this user yet: kubectl config set-context NAME --user=${user}`]
      : [];
  // Contexts of one file may have the same user.
  const sharedAs = `${path} ${user}`;
  const target = context ?? user;
  const plan: Plan = { target, place: undefined, sharedAs, files: [], links: [], notes };
  if (added === undefined && given === undefined) return plan;
  const exec: Tree = {
    apiVersion: "client.authentication.k8s.io/v1",
    args: [`--profile=${profile}`],
    command,
    interactiveMode: "IfAvailable",
  };
  const wanted: Kubeconfig = {
    ...read,
    users: { ...read.users, [user]: { exec } },
    contexts:
      context === undefined
        ? read.contexts
        : { ...read.contexts, [context]: { ...read.contexts[context], user } },
  };
  const shown = [
    ...(added === undefined ? [] : userLines(user, command, profile, "")),
    ...(given === undefined
      ? []
      : [
          `# The context ${String(context)}, in the place of ${given.insertion.before.trim()}:`,
          given.insertion.after,
        ]),
  ];
  const insertions: Insertion[] = [];
  if (added !== undefined) insertions.push(added.insertion);
  if (given !== undefined) insertions.push(given.insertion);
  const isRead = (written: string): boolean => isSame(readByKubectl(written, input), wanted, user);
  const text = given?.text ?? added?.text ?? start;
  return {
    ...plan,
    files: [{ path, textBefore, text, shown: shown.join("\n"), insertions, isRead }],
  };
}
