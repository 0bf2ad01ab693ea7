import { describe, expect, test } from "vitest";
import { isOidcError } from "../core/errors.ts";
import { flagOf } from "../options/row.ts";
import { optionTable } from "../options/table.ts";
import { knownFlags, parseArguments } from "./arguments.ts";
import { grammar } from "./command-grammar.ts";
import { createGrammar, runnable, type GrammarCommand } from "./grammar.ts";
import { overviewExamples } from "./render/help-words.ts";
import type { CommandSpec } from "./spec.ts";

function refusal(...argumentList: string[]): string {
  try {
    parseArguments(argumentList);
  } catch (error) {
    if (!isOidcError(error) || error.code !== "invalid_option") throw error;
    return error.message;
  }
  throw new Error(`${argumentList.join(" ")} was accepted`);
}

/** A command with what it cannot do without, and flags. */
function commandLine(command: GrammarCommand, typed: readonly string[]): string[] {
  const needed = command.arguments
    .filter(({ isOptional }) => isOptional !== true)
    .map(({ values }) => values?.[0] ?? "x");
  const program = command.spec.takesProgram === true ? ["--", "true"] : [];
  return [...command.path.split(" "), ...needed, ...typed, ...program];
}

const commands = runnable(grammar);

test("takes a flag with its value in the next argument or after =", () => {
  const apart = parseArguments(["token", "--issuer", "https://a.example", "--callback-port", "0"]);
  const joined = parseArguments(["token", "--issuer=https://a.example", "--callback-port=0"]);
  expect(apart.options).toEqual({ issuer: "https://a.example", callbackPort: 0 });
  expect(joined).toEqual(apart);
});

test("takes the command wherever it stands", () => {
  expect(parseArguments(["--profile", "work", "token", "--json"])).toMatchObject({
    command: "token",
    flags: { profile: "work", json: true },
  });
});

test("every option that text can set has its flag on every command", () => {
  for (const row of optionTable.filter(({ text }) => text === "all" || text === "flag")) {
    const typed = row.kind === "boolean" ? [`--${flagOf(row)}`] : [`--${flagOf(row)}`, "1"];
    for (const command of commands) {
      expect(Object.keys(parseArguments(commandLine(command, typed)).options)).toEqual([row.name]);
    }
  }
});

test("every switch of an option has a --no- form", () => {
  for (const row of optionTable.filter(({ kind }) => kind === "boolean")) {
    expect(parseArguments(["login", `--no-${flagOf(row)}`]).options).toEqual({ [row.name]: false });
    expect(parseArguments(["login", `--${flagOf(row)}=false`]).options).toEqual({
      [row.name]: false,
    });
    expect(parseArguments(["login", `--${flagOf(row)}`]).options).toEqual({ [row.name]: true });
  }
});

test("reads lists by spaces, and the last of a repeated flag counts", () => {
  expect(parseArguments(["login", "--scopes", "a b  c"]).options).toEqual({
    scopes: ["a", "b", "c"],
  });
  expect(parseArguments(["login", "--callback-port=1 2"]).options).toEqual({
    callbackPort: [1, 2],
  });
  expect(parseArguments(["login", "--issuer=a", "--issuer=b"]).options).toEqual({ issuer: "b" });
});

test("names an unknown flag and the nearest known one", () => {
  expect(refusal("token", "--isuer", "https://a.example")).toContain(
    "--isuer. Did you mean --issuer?",
  );
  expect(refusal("token", "--no-open-brwser")).toContain("Did you mean --no-open-browser?");
  expect(refusal("token", "--no-issuer")).toContain("There is no flag --no-issuer.");
  expect(refusal("token", "-issuer", "x")).toContain(
    "There is no flag -issuer. Did you mean --issuer?",
  );
  expect(refusal("token", "--zzzzzzzzzzzzzzzzzzzzzzzzz")).toContain("See: latchkey --help");
});

test("names an unknown command and the nearest known one", () => {
  expect(refusal("tokn")).toContain("There is no command tokn. Did you mean token?");
  expect(refusal("help", "tokn")).toContain("There is no command tokn. Did you mean token?");
});

test("names an argument that nothing takes", () => {
  expect(refusal("token", "https://a.example")).toContain(
    "latchkey token takes no argument https://a.example.",
  );
  expect(refusal("token", "--", "--json")).toContain("Only latchkey exec takes a program");
});

test("a list whose values stand without quotes is told of them, not of the order of flags", () => {
  for (const [flag, values] of [
    ["--scopes", ["openid", "profile", "email"]],
    ["--callback-port", ["8765", "8766"]],
    ["--resource", ["https://a.example", "https://b.example"]],
    ["--acr-values", ["one", "two"]],
  ] as const) {
    const message = refusal("login", "--client-id", "a", flag, ...values, "--no-open-browser");
    expect(message).toContain(`takes no argument ${values[1]}. `);
    expect(message).toContain(`Several values of one flag stand in quotes: ${flag} "A B".`);
  }
  expect(refusal("login", "--scopes", "openid", "--client-id", "a", "b")).toContain(
    "takes no argument b. A flag stands before its value",
  );
  expect(refusal("exec", "--scopes", "openid", "email", "--", "true")).toContain("stand in quotes");
});

test("exec without -- says so, whatever flags the program has", () => {
  for (const typed of [
    ["curl", "-H", "Accept: text/plain", "https://a.example"],
    ["curl", "--header", "x"],
    ["curl", "--version"],
    ["--profile", "work", "ls", "-la"],
    ["./report.sh"],
  ]) {
    expect(refusal("exec", ...typed)).toContain("needs a program behind --: latchkey exec -- ");
  }
  expect(refusal("exec", "--isuer", "x", "ls")).toContain("Did you mean --issuer?");
  expect(refusal("exec", "--client-secret", "hunter2")).not.toContain("hunter2");
});

test("there is no flag for the client secret, and its value is not repeated [O07]", () => {
  for (const typed of [
    ["token", "--client-secret", "hunter2"],
    ["token", "--client-secret=hunter2"],
    ["--client-secret", "hunter2", "token"],
    ["--client-secret", "hunter2"],
    ["--client-secret", "hunter2", "--help"],
  ]) {
    const message = refusal(...typed);
    expect(message).not.toContain("hunter2");
    expect(message).toContain("LATCHKEY_CLIENT_SECRET");
    expect(message).toContain("--client-secret-file");
  }
  expect(knownFlags()).not.toContain("--client-secret");
});

test("an unknown flag's value is not repeated either [O07]", () => {
  expect(refusal("token", "--pasword=hunter2")).not.toContain("hunter2");
  expect(refusal("token", "--callback-port=hunter2")).not.toContain("hunter2");
  expect(refusal("token", "--min-validity-seconds=hunter2")).not.toContain("hunter2");
});

test("a forgotten value is said, and an empty or dashed one can be given with =", () => {
  expect(refusal("token", "--issuer", "--flow", "device")).toContain(
    "--issuer needs a value: --issuer=VALUE.",
  );
  expect(refusal("token", "--client-id")).toContain("--client-id needs a value");
  expect(refusal("token", "--profile=")).toContain("not empty");
  expect(parseArguments(["token", "--client-id=-x-"]).options).toEqual({ clientId: "-x-" });
  expect(parseArguments(["token", "--client-secret-file", "-"]).flags).toEqual({
    "client-secret-file": "-",
  });
});

test("a switch takes no value", () => {
  expect(refusal("token", "--json=yes")).toContain("--json takes no value.");
  expect(refusal("token", "--no-interactive=1")).toContain("--no-interactive takes no value.");
});

test("a command's own flag is refused elsewhere, with the command that has it", () => {
  const own = new Set(commands.flatMap(({ flags }) => flags));
  expect(own.size).toBeGreaterThan(10);
  for (const flag of own) {
    const others = commands.filter(
      ({ path, flags }) => path !== "help" && flags.every(({ name }) => name !== flag.name),
    );
    const read = grammar.flags.get(flag.name);
    const { kind } = read?.kind === "command" ? read.flag : flag;
    for (const command of others) {
      const values = {
        wholeSeconds: ["1"],
        variable: ["A"],
        words: ["curl"],
        profile: ["work"],
        file: ["-"],
        text: ["x"],
        switch: [],
        negatable: [],
      };
      const typed = [`--${flag.name}`, ...values[kind]];
      expect(refusal(...commandLine(command, typed))).toContain(
        `latchkey ${command.path} has no flag --${flag.name}`,
      );
    }
  }
  expect(refusal("login", "--no-interactive")).toContain("has no flag --no-interactive");
});

test("completion takes one of three shells, and nothing else", () => {
  expect(parseArguments(["completion", "zsh"])).toMatchObject({
    command: "completion",
    arguments: { shell: "zsh" },
  });
  expect(refusal("completion")).toContain("needs the name of a shell");
  expect(refusal("completion", "tcsh")).toContain(
    "no completion for tcsh. Known: latchkey completion bash|zsh|fish.",
  );
  expect(refusal("completion", "bash", "zsh")).toContain("takes no argument zsh");
  expect(parseArguments(["completion", "--help"])).toMatchObject({
    command: "help",
    topic: "completion",
  });
});

test("--json and --header exclude each other", () => {
  expect(refusal("token", "--json", "--header")).toContain("Choose one.");
});

test("help wins over faults beside it; nothing at all asks for help by itself", () => {
  expect(parseArguments(["token", "--bogus", "--help"])).toMatchObject({
    command: "help",
    topic: "token",
  });
  expect(parseArguments(["help", "login"])).toMatchObject({ command: "help", topic: "login" });
  expect(parseArguments(["-h"])).toMatchObject({ command: "help", topic: undefined });
  expect(parseArguments(["--version"]).command).toBe("version");
  expect(parseArguments([]).command).toBeUndefined();
  expect(refusal("--profile", "work")).toContain("The command is missing.");
});

test("names from the prototype chain are no flags and no commands", () => {
  expect(refusal("token", "--__proto__=x")).toContain("There is no flag --__proto__");
  expect(refusal("token", "--constructor")).toContain("There is no flag --constructor");
  expect(refusal("toString")).toContain("There is no command toString");
});

test("control characters in an argument do not reach the terminal [O06]", () => {
  expect(refusal("token", "--\u001b[31mred")).not.toContain("\u001b");
  expect(refusal("\u001b]8;;https://evil.example\u0007x")).not.toContain("\u001b");
});

describe("a grammar with subcommands and arguments", () => {
  const text = { summary: "", description: "", examples: [] };
  const made: readonly CommandSpec[] = [
    {
      ...text,
      name: "trust",
      place: 1,
      settings: "profile",
      flags: [{ name: "json", kind: "switch", summary: "" }],
      subcommands: [
        { ...text, name: "list" },
        {
          ...text,
          name: "accept",
          flags: [{ name: "always", kind: "switch", summary: "" }],
          arguments: [{ name: "host", what: "the name of a host" }],
        },
      ],
    },
    {
      ...text,
      name: "plug",
      place: 2,
      settings: "none",
      subcommands: [
        {
          ...text,
          name: "docker",
          arguments: [
            { name: "action", what: "an action", values: ["get", "store"], missing: "action" },
            { name: "file", what: "a file", isOptional: true, completes: "file" },
          ],
        },
        { ...text, name: "run", takesProgram: true },
      ],
    },
  ];
  const madeUp = createGrammar(made);
  const parse = (...typed: string[]) => parseArguments(typed, madeUp);
  const refused = (...typed: string[]): string => {
    try {
      parse(...typed);
    } catch (error) {
      if (isOidcError(error)) return error.message;
      throw error;
    }
    throw new Error(`${typed.join(" ")} was accepted`);
  };

  test("takes the subcommand and what stands in its places, flags in between", () => {
    expect(parse("trust", "--json", "list")).toMatchObject({
      command: "trust",
      subcommand: "list",
      flags: { json: true },
      arguments: {},
    });
    expect(parse("--issuer", "https://a", "trust", "accept", "--always", "host")).toMatchObject({
      command: "trust",
      subcommand: "accept",
      options: { issuer: "https://a" },
      flags: { always: true },
      arguments: { host: "host" },
    });
    expect(parse("plug", "docker", "get").arguments).toEqual({ action: "get" });
    expect(parse("plug", "docker", "get", "x").arguments).toEqual({ action: "get", file: "x" });
    expect(parse("plug", "run", "--", "ls", "--json")).toMatchObject({
      subcommand: "run",
      program: ["ls", "--json"],
    });
  });

  test("says which subcommands there are, and which one may have been meant", () => {
    expect(refused("trust")).toBe("latchkey trust needs one of: list, accept.");
    expect(refused("trust", "acept")).toBe(
      "There is no command trust acept. Did you mean trust accept?",
    );
    expect(refused("help", "trust", "lst")).toContain("Did you mean trust list?");
  });

  test("says what is missing, what is not known, and what is too much", () => {
    expect(refused("trust", "accept")).toBe(
      "latchkey trust accept needs the name of a host: latchkey trust accept HOST [FLAGS].",
    );
    expect(refused("plug", "docker", "erase")).toBe(
      "There is no action erase. Known: latchkey plug docker get|store [FILE].",
    );
    expect(refused("trust", "list", "host")).toContain(
      "latchkey trust list takes no argument host.",
    );
    expect(refused("plug", "run")).toContain("latchkey plug run needs a program behind --");
    expect(refused("plug", "run", "ls", "-la")).toContain("needs a program behind --");
    expect(refused("trust", "list", "--", "ls")).toBe(
      "Only latchkey plug run takes a program behind --.",
    );
  });

  test("a flag belongs to its subcommand, one of the command to all of them", () => {
    expect(refused("trust", "list", "--always")).toBe(
      "latchkey trust list has no flag --always; it belongs to latchkey trust accept.",
    );
    expect(refused("plug", "run", "--json", "--", "ls")).toContain(
      "it belongs to latchkey trust list, latchkey trust accept.",
    );
  });

  test("help is for the subcommand that is named, else for the command", () => {
    expect(parse("help", "trust", "list")).toMatchObject({ command: "help", topic: "trust list" });
    expect(parse("trust", "accept", "--help").topic).toBe("trust accept");
    expect(parse("trust", "-h").topic).toBe("trust");
  });

  test("two flags of one name with different meanings are refused when the grammar is made", () => {
    const [trust, plug] = made;
    if (trust === undefined || plug === undefined) throw new Error("no specs");
    const twice = (name: string): CommandSpec => ({
      ...plug,
      flags: [{ name, kind: "file", summary: "" }],
    });
    expect(() => createGrammar([trust, twice("json")])).toThrow("Two flags are called --json.");
    expect(() => createGrammar([twice("issuer")])).toThrow("Two flags are called --issuer.");
    const shared = { name: "json", kind: "file", summary: "", sharesName: true } as const;
    expect(createGrammar([trust, { ...plug, flags: [shared] }]).ambiguous).toEqual([
      "trust",
      "plug",
    ]);
    expect(() => createGrammar([twice("profile")])).toThrow("Two flags are called --profile.");
  });
});

test("every example in a spec, and the overview's, is understood", () => {
  const lines = [
    ...overviewExamples,
    ...grammar.commands.flatMap((command) =>
      [command, ...command.subcommands].flatMap(({ spec }) => spec.examples),
    ),
  ];
  expect(lines.length).toBeGreaterThan(15);
  const understood = lines.map((line) => {
    const [, typed = ""] = /\blatchkey ([^|)#]*)/.exec(line) ?? [];
    return [line, parseArguments(typed.trim().split(" ")).command !== undefined];
  });
  expect(understood).toEqual(lines.map((line) => [line, true]));
});
