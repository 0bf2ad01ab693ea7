// `latchkey setup TOOL`: the lines that let a tool take its tokens from here, shown and then written.

import { realpathSync } from "node:fs";
import { dirname, join } from "node:path";
import { loadPart } from "../../../core/load.ts";
import type { Place } from "../../../helpers/place.ts";
import { configurationFile, type Machine } from "../../../options/paths.ts";
import { changeJournal, type JournalEntry, type JournalFile } from "../../../setup/journal.ts";
import { findProgram } from "../../../setup/programs.ts";
import { refuseSetup, type Plan, type SetupInput } from "../../../setup/tool-setup.ts";
import { setupLoaders } from "../../../setup/tools.ts";
import { isLinked, writeChange, writeLink } from "../../../setup/write.ts";
import type { CommandContext } from "../../context.ts";
import { defaultProfile } from "../../flags.ts";
import { readConfigurationFile, readProfile } from "../../profile.ts";
import { additionsText, setupName } from "../../render/tool-setup.ts";
import { planServerRow, writeConfiguration, type ProfilePlan } from "../../save-profile.ts";
import { serverRows } from "../../server-table.ts";
import { mayGoOn } from "./agreement.ts";

/** One of Latchkey's own programs: as it stands in PATH, else beside this one. */
function programOf(machine: Machine): SetupInput["program"] {
  return (name) => {
    const found = findProgram(name, machine);
    if (found !== undefined) return { path: found, isOnPath: true };
    const folder = dirname(realpathSync(process.argv[1] ?? "."));
    return { path: join(folder, `${name}.cjs`), isOnPath: false };
  };
}

/** The table of the server in the configuration file; undefined where it is there already. */
function rowFor(
  place: Place | undefined,
  profile: string,
  machine: Machine,
): ProfilePlan | undefined {
  if (place === undefined) return undefined;
  const path = configurationFile(machine);
  const row = serverRows(readConfigurationFile(path) ?? "", path).get(place);
  const name = place.replace(/:443$/, "");
  if (row === undefined) return planServerRow(name, profile, machine);
  if (row.profile === profile) return undefined;
  throw refuseSetup(
    `[server."${name}"] of ${path} names the profile ${row.profile}.`,
    `Run this with --profile ${row.profile}, or change it there.`,
  );
}

/** The row as an insertion: it was put behind what was there. */
function rowInJournal({ path, text, textBefore, table }: ProfilePlan): JournalFile {
  const after = text.slice((textBefore ?? "").length);
  const lines = table.trim().split("\n");
  return {
    path,
    isNew: textBefore === undefined,
    insertions: [{ kind: "lines", before: "", after, lines }],
  };
}

function entryOf(tool: string, plan: Plan, row: ProfilePlan | undefined): JournalEntry {
  return {
    tool,
    target: plan.target,
    place: plan.place ?? "",
    sharedAs: plan.sharedAs ?? "",
    files: plan.files.map(({ path, textBefore, insertions }) => ({
      path,
      isNew: textBefore === undefined,
      insertions,
    })),
    links: plan.links,
    row: row && rowInJournal(row),
  };
}

async function write(
  tool: string,
  plan: Plan,
  row: ProfilePlan | undefined,
  machine: Machine,
): Promise<void> {
  const entry = entryOf(tool, plan, row);
  // First, so that whatever is written can be taken out.
  await changeJournal(machine, (entries) => [...entries, entry]);
  if (row !== undefined && !(await writeConfiguration(row))) {
    throw refuseSetup(`${row.path} was changed at the same time.`, "Run this again.");
  }
  for (const link of plan.links) writeLink(link);
  for (const file of plan.files) writeChange(file, tool);
}

function profileNamed({ line, machine }: CommandContext): string {
  const named = line.flags["profile"] ?? (machine.environment["LATCHKEY_PROFILE"] || undefined);
  return typeof named === "string" ? named : defaultProfile;
}

async function planFor(
  tool: string,
  profile: string,
  { line, machine }: CommandContext,
): Promise<Plan> {
  const load = setupLoaders[tool];
  if (load === undefined) throw new TypeError(`There is no setup of ${tool}.`);
  const { planSetup } = await load();
  const roleArn = line.flags["role-arn"];
  const plan = planSetup({
    machine,
    profile,
    target: line.arguments["target"],
    roleArn: typeof roleArn === "string" ? roleArn : undefined,
    program: programOf(machine),
  });
  return { ...plan, links: plan.links.filter((link) => !isLinked(link)) };
}

/** Sets a tool up, or takes that back. */
export async function setUpTool(tool: string, context: CommandContext): Promise<number> {
  const { line, machine } = context;
  const [given] = Object.keys(line.options);
  if (given !== undefined) {
    throw refuseSetup(
      `latchkey setup ${tool} takes its options from a profile.`,
      "Make one with these flags: latchkey setup --profile NAME",
    );
  }
  if (line.flags["undo"] === true) {
    const { undoSetup } = await loadPart(() => import("./undo.ts"));
    return undoSetup(tool, line.arguments["target"], context);
  }
  const profile = profileNamed(context);
  // Whoever names one that is not there learns it now, and not from the tool.
  readProfile(profile, machine);
  const plan = await planFor(tool, profile, context);
  const row = rowFor(plan.place, profile, machine);
  const files = [
    ...(row === undefined ? [] : [{ path: row.path, lines: row.table }]),
    ...plan.files.map(({ path, shown }) => ({ path, lines: shown })),
  ];
  if (files.length === 0 && plan.links.length === 0) {
    context.tell(`${setupName({ tool, ...plan })} is set up already.`);
  } else {
    context.tellAsIs(additionsText(files, plan.links));
    await mayGoOn("Write this? [y/N] ", context);
    await write(tool, plan, row, machine);
    context.tell(
      `Written. To take it out again: latchkey setup ${setupName({ tool, ...plan })} --undo`,
    );
  }
  for (const note of plan.notes) context.tell(note);
  return 0;
}
