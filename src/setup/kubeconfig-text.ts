// The lists of a kubeconfig as lines, in the form in which people and kubectl write them. What is written otherwise is
// left alone: kubectl itself reads every change before it stands.

/** An item of a list: its first line and the one behind its last. */
export interface Item {
  readonly name: string | undefined;
  readonly start: number;
  readonly end: number;
}

/** A list at the top of the file. */
export type Section =
  | { readonly kind: "absent" | "unknown" }
  /** `users: []` and the like. */
  | { readonly kind: "empty"; readonly line: number }
  | {
      readonly kind: "items";
      readonly line: number;
      readonly indent: number;
      readonly items: readonly Item[];
    };

function indentOf(line: string): number {
  return line.length - line.trimStart().length;
}

function isBlank(line: string): boolean {
  return /^\s*(?:#.*)?$/.test(line);
}

/** A text without its quotes; undefined for anything that is not a plain one. */
export function scalarIn(value: string): string | undefined {
  const plain = value.trim().replace(/\s+#.*$/, "");
  const [, quoted] = /^"([^"\\]*)"$/.exec(plain) ?? /^'([^']*)'$/.exec(plain) ?? [];
  if (quoted !== undefined) return quoted;
  return /^[\w.@/:+-]+$/.test(plain) ? plain : undefined;
}

/** The member of an item at its own level: the number of its line and its value. */
export function memberOf(
  lines: readonly string[],
  { start, end }: Item,
  indent: number,
  name: string,
): { readonly line: number; readonly value: string } | undefined {
  for (let line = start; line < end; line += 1) {
    const text = (lines[line] ?? "").replace(/^(\s*)-( )/, "$1 $2");
    const [, key, value = ""] = /^\s*([\w-]+):(?:\s+(.*))?$/.exec(text) ?? [];
    if (key === name && indentOf(text) === indent) return { line, value };
  }
  return undefined;
}

function itemsOf(lines: readonly string[], line: number): Section {
  const behind = lines.findIndex((each, index) => index > line && /^[^\s#-]|^---/.test(each));
  const end = behind === -1 ? lines.length : behind;
  const first = lines.findIndex((each, index) => index > line && !isBlank(each));
  if (first === -1 || first >= end) return { kind: "empty", line };
  const indent = indentOf(lines[first] ?? "");
  const starts: number[] = [];
  for (let at = first; at < end; at += 1) {
    const text = lines[at] ?? "";
    if (isBlank(text)) continue;
    if (indentOf(text) === indent && /^\s*- \S/.test(text)) starts.push(at);
    else if (indentOf(text) <= indent) return { kind: "unknown" };
  }
  if (starts[0] !== first) return { kind: "unknown" };
  let lastEnd = end;
  while (lastEnd > first && isBlank(lines[lastEnd - 1] ?? "")) lastEnd -= 1;
  const items = starts.map((start, index) => {
    const item = { name: undefined, start, end: starts[index + 1] ?? lastEnd };
    const value = memberOf(lines, item, indent + 2, "name")?.value;
    return { ...item, name: value === undefined ? undefined : scalarIn(value) };
  });
  return { kind: "items", line, indent, items };
}

/** Finds the list of that name. */
export function sectionNamed(lines: readonly string[], name: string): Section {
  const places = lines.flatMap((each, index) => (each.startsWith(`${name}:`) ? [index] : []));
  const [line, other] = places;
  if (line === undefined) {
    // A file in JSON, or with quotes round its names.
    return lines.some((each) => each.includes(name)) ? { kind: "unknown" } : { kind: "absent" };
  }
  if (other !== undefined) return { kind: "unknown" };
  const rest = (lines[line] ?? "")
    .slice(name.length + 1)
    .replace(/\s+#.*$/, "")
    .trim();
  if (rest === "") return itemsOf(lines, line);
  return /^(?:\[\s*\]|null|~)$/.test(rest) ? { kind: "empty", line } : { kind: "unknown" };
}

/** The line that says whose a context is. */
export function contextUser(
  text: string,
  context: string,
): { readonly line: number; readonly text: string } | undefined {
  const lines = text.split("\n");
  const section = sectionNamed(lines, "contexts");
  if (section.kind !== "items") return undefined;
  const item = section.items.find(({ name }) => name === context);
  const inner = item && memberOf(lines, item, section.indent + 2, "context");
  if (item === undefined || inner === undefined || inner.value.trim() !== "") return undefined;
  const member = { name: undefined, start: inner.line + 1, end: item.end };
  const depth = indentOf(lines[member.start] ?? "");
  const user = depth <= section.indent + 2 ? undefined : memberOf(lines, member, depth, "user");
  return user && { line: user.line, text: lines[user.line] ?? "" };
}
