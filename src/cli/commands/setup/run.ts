// `latchkey setup`: from an issuer and a client to a profile that works, tried out.

import { isatty } from "node:tty";
import { isOidcError, OidcError, wordingOf } from "../../../core/errors.ts";
import { loadPart } from "../../../core/load.ts";
import { worded } from "../../../core/wording.ts";
import { cacheFileParts } from "../../../credential/compose.ts";
import { optionTable } from "../../../options/table.ts";
import { validateOption } from "../../../options/validate.ts";
import type { CommandContext, Opened } from "../../context.ts";
import { defaultProfile } from "../../flags.ts";
import { checkProfileName } from "../../profile.ts";
import { openQuestions, type Questions } from "../../questions.ts";
import { commandLineNames } from "../../render/errors.ts";
import { offersText, redirectText, savedText } from "../../render/setup.ts";
import { planProfile, profileContent, saveProfile } from "../../save-profile.ts";
import type { Settings } from "../../settings.ts";
import { toolFlags } from "./spec.ts";
import { tellOfSignIn } from "../../tell-sign-in.ts";

const asked = [
  { name: "issuer", question: "Issuer URL of the provider (https://…): " },
  { name: "clientId", question: "Client id: " },
] as const;

/** Asks until the answer is one that the option accepts. */
async function askFor(
  questions: Questions,
  { name, question }: (typeof asked)[number],
  context: CommandContext,
): Promise<string> {
  const row = optionTable.find((each) => each.name === name);
  if (row === undefined) throw new TypeError(`There is no option ${name}.`);
  for (;;) {
    const answer = await questions.ask(question);
    if (answer === "") continue;
    try {
      validateOption(row, answer, { allowInsecureHttp: false }, "This option");
      return answer;
    } catch (error) {
      if (!isOidcError(error)) throw error;
      context.tell(worded(wordingOf(error), commandLineNames([])));
    }
  }
}

/** The settings with what is missing of them: asked for, or said to be missing. */
async function completed(
  context: CommandContext,
  questions: Questions | undefined,
): Promise<Settings> {
  const given: Record<string, unknown> = { ...context.settings.given };
  if (context.line.flags["keychain"] === true) given["storage"] = "keychain";
  for (const each of asked) {
    // A server says both.
    if (given[each.name] || given["server"]) continue;
    if (questions === undefined) {
      throw new OidcError(
        each.name === "issuer" ? "missing_issuer" : "missing_client_id",
        "latchkey setup asks on a terminal alone.",
        { remedy: "Say it with flags: latchkey setup --issuer URL --client-id ID" },
      );
    }
    given[each.name] = await askFor(questions, each, context);
  }
  return { ...context.settings, given, named: "options" };
}

/** Whether a profile of that name may be replaced: said by a flag, or by an answer. */
async function mayReplace(
  name: string,
  settings: Settings,
  context: CommandContext,
  questions: Questions | undefined,
): Promise<boolean> {
  if (context.line.flags["replace"] === true) return true;
  const { entries } = profileContent(settings, context.machine);
  const plan = planProfile(name, entries, context.machine, questions !== undefined);
  if (plan.before !== "different" || questions === undefined) return false;
  if (await questions.confirm(`There is a profile ${name} with other values. Replace it? [y/N] `)) {
    return true;
  }
  throw new OidcError("aborted", "Nothing was changed.", {
    remedy: "For another name: latchkey setup --profile NAME",
  });
}

/** Signs in where somebody can; says so where nobody can. */
async function tryOut(opened: Opened, settings: Settings, context: CommandContext): Promise<void> {
  const { session, world } = opened;
  if (settings.kind === "interactive" && !world.canPrompt) {
    context.tell("The sign-in was not tried: nobody can be asked here.");
    return;
  }
  const before = await session.current();
  const { record } = await session.login({ signal: context.signal });
  const { offlineAccess } = opened.options;
  tellOfSignIn(context, { record, before }, { now: new Date(world.clock.now()), offlineAccess });
}

/** Where a keychain is demanded it is tried before anybody signs in, and a sign-in that is there already goes into it. */
async function prepareStorage({ options, world, key }: Opened, signal: AbortSignal): Promise<void> {
  if (options.storage !== "keychain") return;
  const sealing = await loadPart(() => import("../../../credential/open-sealed-store.ts"));
  const parts = cacheFileParts(options, world);
  await sealing.assertKeychain(parts);
  await sealing.moveSignIns({ to: "sealed", key }, parts, signal);
}

async function setUp(context: CommandContext, questions: Questions | undefined): Promise<number> {
  const { line, machine, signal, columns } = context;
  const named = line.flags["profile"] ?? (machine.environment["LATCHKEY_PROFILE"] || undefined);
  const name = typeof named === "string" ? named : defaultProfile;
  checkProfileName(name);
  const settings = await completed(context, questions);
  // Judges every option, before any of them is written.
  const opened = await context.openFor(settings, true);
  const replace = await mayReplace(name, settings, context, questions);
  await prepareStorage(opened, signal);
  context.tell(`${offersText(await opened.describeProvider(signal), columns)}\n`);
  if (settings.kind === "interactive") {
    context.tell(`${redirectText(opened.options, columns)}\n`);
    await questions?.ask("Press Enter to sign in. ");
  }
  questions?.close();
  await tryOut(opened, settings, context);
  const { entries, leftOut } = profileContent(settings, machine);
  const saved = await saveProfile(name, entries, machine, replace);
  context.tellAsIs(savedText(saved));
  for (const sentence of leftOut) context.tell(sentence);
  context.tell(`Next: latchkey token${name === defaultProfile ? "" : ` --profile ${name}`}`);
  return 0;
}

function assertForTool({ line }: CommandContext): void {
  const flag = toolFlags.find(({ name }) => line.flags[name] !== undefined);
  if (flag === undefined) return;
  throw new OidcError("invalid_option", `--${flag.name} is for setting up a tool.`, {
    remedy: "Name it: latchkey setup TOOL",
  });
}

/** Sets a tool up; without one asks for what is missing, shows what the provider offers, signs in, and writes the profile. */
export async function run(context: CommandContext): Promise<number> {
  const { tool } = context.line.arguments;
  if (tool !== undefined) {
    const { setUpTool } = await loadPart(() => import("./tool.ts"));
    return setUpTool(tool, context);
  }
  assertForTool(context);
  const canAsk = isatty(0) && isatty(2) && context.settings.interactive !== false;
  const questions = canAsk ? openQuestions(context.signal) : undefined;
  try {
    return await setUp(context, questions);
  } finally {
    questions?.close();
  }
}
