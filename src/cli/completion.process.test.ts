// Completion in the shells themselves, by the scripts that `latchkey completion` prints and the command line as it is
// built. What is offered for which words stands in completion.test.ts.

import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { needs } from "../../test/support/debian-packages.ts";
import { formatPinFile } from "../trust/pin-file.ts";
import { completionScripts } from "./render/completion-scripts.ts";
import { buildCommandLine, type BuiltCommandLine } from "./testing.ts";

let built: BuiltCommandLine;
beforeAll(async () => {
  built = await buildCommandLine();
});
afterAll(() => built.remove());

const profiles = `
[profile.work]
issuer = "https://id.example.com"
  [profile."a.b"]   # quoted
[profile.home]
[profile.$(touch owned)]
[profile."\`touch owned\`"]
[other.table]
`;

/** A home folder with profiles, a file, the program on the path, and the script of one shell. */
function place(shell: "bash" | "zsh" | "fish", env: Readonly<Record<string, string>> = {}) {
  const home = mkdtempSync(join(tmpdir(), "latchkey-completion-"));
  onTestFinished(() => rmSync(home, { recursive: true, force: true }));
  mkdirSync(join(home, ".config", "latchkey"), { recursive: true });
  writeFileSync(join(home, ".config", "latchkey", "config.toml"), profiles);
  writeFileSync(join(home, "roots of mine.pem"), "");
  mkdirSync(join(home, "bin"));
  const program = join(home, "bin", "latchkey");
  // Notes the arguments with which it is started.
  writeFileSync(
    program,
    `#!/bin/sh\nprintf '%s\\n' "$@" >> '${home}/started'\nexec '${process.execPath}' '${built.warm}' "$@"\n`,
  );
  chmodSync(program, 0o755);
  const script = join(home, "completion");
  writeFileSync(script, completionScripts[shell] ?? "");
  const run = (command: string, parameters: readonly string[], input = ""): string[] =>
    execFileSync(command, parameters, {
      cwd: home,
      encoding: "utf8",
      input,
      timeout: 15_000,
      stdio: ["pipe", "pipe", "pipe"],
      env: {
        PATH: `${join(home, "bin")}:${process.env["PATH"] ?? ""}`,
        HOME: home,
        TERM: "dumb",
        LC_ALL: "C.UTF-8",
        ...env,
      },
    })
      .split("\n")
      .filter((line) => line !== "");
  return { home, script, run };
}

type Complete = ((line: string) => string[]) & { readonly home: string };

/** What all three shells answer alike: the line that was typed, and what is offered for its last word. */
function completesAlike(complete: (env?: Readonly<Record<string, string>>) => Complete): void {
  test("commands, and the commands of help", () => {
    const words = complete();
    expect(words("latchkey to")).toEqual(["token"]);
    expect(words("latchkey help who")).toEqual(["whoami"]);
    expect(words("latchkey --profile token lo").toSorted()).toEqual(["login", "logout"]);
    expect(words("latchkey completion z")).toEqual(["zsh"]);
  });

  test("flags of the command alone", () => {
    const words = complete();
    expect(words("latchkey token --cl").toSorted()).toEqual([
      "--client-id",
      "--client-secret-file",
    ]);
    expect(words("latchkey token --header")).toEqual(["--header"]);
    expect(words("latchkey login --header")).toEqual([]);
    expect(words("latchkey logout --rev")).toEqual(["--revoke"]);
    expect(words("latchkey login --no-open")).toEqual(["--no-open-browser"]);
  });

  test("the values of flags", () => {
    const words = complete();
    expect(words("latchkey login --flow ").toSorted()).toEqual(["auth_code", "auto", "device"]);
    expect(words("latchkey login --prompt sel")).toEqual(["select_account"]);
    expect(words("latchkey login --client-id ")).toEqual([]);
  });

  test("the servers whose word was accepted", () => {
    const words = complete();
    mkdirSync(join(words.home, ".local", "state", "latchkey"), { recursive: true, mode: 0o700 });
    const pin = { issuer: "https://id.example.com", clientId: "x", pinnedAt: 0 } as const;
    const accepted = { audience: undefined, scopes: undefined, acceptedBy: "person" } as const;
    writeFileSync(
      join(words.home, ".local", "state", "latchkey", "servers.json"),
      formatPinFile([
        { ...pin, ...accepted, server: "https://data.example.com" },
        { ...pin, ...accepted, server: "https://$(touch owned)" },
      ]),
      { mode: 0o600 },
    );
    expect(words("latchkey trust forget ")).toEqual(["data.example.com"]);
    expect(words("latchkey trust accept da")).toEqual(["data.example.com"]);
  });

  test("the names of profiles, and nothing that the shell could take for more", () => {
    const words = complete();
    expect(words("latchkey token --profile ").toSorted()).toEqual(["a.b", "home", "work"]);
    expect(words("latchkey token --profile w")).toEqual(["work"]);
    const elsewhere = complete({ XDG_CONFIG_HOME: "/nonexistent folder" });
    expect(elsewhere("latchkey token --profile ")).toEqual([]);
  });

  test("an address does not hide the command behind it", () => {
    const words = complete();
    expect(words("latchkey --issuer https://id.example.com:8443/a tok")).toEqual(["token"]);
  });

  test("what was typed is run by nobody, stands in no argument list, and does not come back [O07]", () => {
    const words = complete();
    const hostile = "'$(touch${IFS}owned)`touch${IFS}owned`";
    for (const line of [
      `latchkey token --client-secret hunter2 ${hostile}' `,
      "latchkey token --profile hunter2",
      "latchkey exec -- curl --hunter2 -H",
    ]) {
      expect(words(line).join("\n")).not.toContain("hunter2");
    }
    expect(existsSync(join(words.home, "owned"))).toBe(false);
    const started = readFileSync(join(words.home, "started"), "utf8");
    expect(started).not.toContain("hunter2");
    expect(new Set(started.split("\n"))).toHaveLength(3);
  });
}

describe("bash", () => {
  const bash = (env?: Readonly<Record<string, string>>): Complete => {
    const { home, script, run } = place("bash", env);
    // What readline does: it splits the line at blanks and at =, and calls the function.
    const harness =
      'source "$1"; compopt() { printf "<%s %s>\\n" "$@"; }; shift; COMP_WORDS=("$@"); ' +
      "COMP_CWORD=$(($# - 1)); _latchkey latchkey; " +
      '[ "${#COMPREPLY[@]}" -eq 0 ] || printf "%s\\n" "${COMPREPLY[@]}"';
    const complete = (line: string): string[] => {
      const words = line.split(" ").flatMap((word) => word.split(/([=:]+)/).filter((part) => part));
      if (line.endsWith(" ")) words.push("");
      return run("bash", ["--norc", "-u", "-c", harness, "bash", script, ...words]);
    };
    return Object.assign(complete, { home });
  };
  completesAlike(bash);

  test("values after =, files, and the program of exec", () => {
    const words = bash();
    expect(words("latchkey login --flow=dev")).toEqual(["device"]);
    expect(words("latchkey login --flow=").toSorted()).toEqual(["auth_code", "auto", "device"]);
    expect(words("latchkey login --ca-cert-path roo")).toEqual(["<-o default>"]);
    expect(words("latchkey exec -- bas")).toContain("bash");
    expect(words("latchkey exec -- cat roo")).toEqual(["<-o default>"]);
    expect(words("latchkey login --flow=device --prompt=non")).toEqual(["none"]);
  });

  test("the way that is documented announces it", () => {
    const { script, run } = place("bash");
    expect(
      run("bash", ["--norc", "-c", 'source <(cat "$1"); complete -p latchkey', "bash", script]),
    ).toEqual(["complete -F _latchkey latchkey"]);
  });
});

describe.skipIf(!needs("fish").available)("fish", () => {
  const fish = (env?: Readonly<Record<string, string>>): Complete => {
    const { home, script, run } = place("fish", env);
    const complete = (line: string): string[] =>
      run("fish", ["--no-config", "-c", "source $argv[1]; complete -C $argv[2]", script, line]).map(
        (offered) => offered.split("\t", 1)[0] ?? "",
      );
    return Object.assign(complete, { home });
  };
  completesAlike(fish);

  test("values after =, files, and the program of exec", () => {
    const words = fish();
    expect(words("latchkey login --flow=dev")).toEqual(["--flow=device"]);
    expect(words("latchkey login --ca-cert-path roo")).toEqual(["roots of mine.pem"]);
    expect(words("latchkey exec -- bas")).toContain("bash");
    expect(words("latchkey exec -- cat roo")).toContain("roots of mine.pem");
  });
});

describe.skipIf(!needs("zsh").available)("zsh", () => {
  const zsh = (env?: Readonly<Record<string, string>>): Complete => {
    const { home, script, run } = place("zsh", env);
    // An interactive zsh in a pseudo-terminal; a replaced compadd tells what would be offered.
    const inner = [
      "PROMPT=; RPROMPT=; unsetopt prompt_sp; autoload -Uz compinit; compinit -u -D",
      `source ${script}`,
      "bindkey '^I' complete-word",
      "zstyle ':completion:*' format ''",
      "compadd() {",
      "  local -a __hits; local __name",
      '  if [[ ${@[1,(i)(-|--)]} == *-(O|A|D)\\ * ]]; then builtin compadd "$@"; return $?; fi',
      '  builtin compadd -O __hits "$@"',
      '  for __name in $__hits; do print -r -- "<OFFER>$__name" >> $HOME/offered; done',
      '  builtin compadd "$@"',
      "}",
      "finish() { print FINISHED; }; zle -N finish; bindkey '^G' finish",
      "print -r READY",
    ].join("\n");
    const outer = [
      "zmodload zsh/zpty",
      ": > $HOME/offered",
      "zpty latchkey zsh -f -i",
      'zpty -w latchkey "source $HOME/inner"',
      "zpty -r -m latchkey ignored '*READY*'",
      "zpty -w -n latchkey \"$1\"$'\\t\\a'",
      "zpty -r -m latchkey ignored '*FINISHED*'",
      "zpty -d latchkey",
      "cat $HOME/offered",
    ].join("\n");
    const complete = (line: string): string[] => {
      run("sh", ["-c", 'printf %s "$1" > "$HOME/inner"', "sh", inner]);
      return run("zsh", ["-f", "-c", outer, "zsh", line]).map((offered) =>
        offered.replace("<OFFER>", "").replaceAll("\\", ""),
      );
    };
    return Object.assign(complete, { home });
  };
  completesAlike(zsh);

  test("values after =, files, and the program of exec", () => {
    const words = zsh();
    expect(words("latchkey login --flow=dev")).toEqual(["device"]);
    expect(words("latchkey login --ca-cert-path roo")).toContain("roots of mine.pem");
    expect(words("latchkey exec -- bas")).toContain("bash");
    expect(words("latchkey exec -- cat roo")).toContain("roots of mine.pem");
  });
});
