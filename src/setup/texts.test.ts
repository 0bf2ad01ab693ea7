// Lines that are put into texts, and taken out again: to the letter, whatever else was changed meanwhile.

import { describe, expect, test } from "vitest";
import { withMember, withoutMember } from "./json-members.ts";
import { contextUser, sectionNamed } from "./kubeconfig-text.ts";
import { appended, insertedAt, replacedAt, withoutLines } from "./lines.ts";
import { takeBackAll } from "./take-back.ts";
import type { Insertion } from "./tool-setup.ts";

const block = ['[credential "https://git.example.com"]', "\thelper = latchkey"];

describe("lines", () => {
  const texts = ["", "a", "a\n", "a\n\n\n", "a\r\nb\r\n", "\n", "# only a comment"];

  test.each(texts)("put behind %j and taken out: the same text", (text) => {
    const { text: next, insertion } = appended(text, block);
    expect(next).toContain(block[1]);
    expect(next.startsWith(text)).toBe(true);
    expect(withoutLines(next, insertion)).toEqual({ outcome: "out", text });
  });

  test.each(texts)("put into %j and taken out: the same text", (text) => {
    for (let index = 0; index < text.split("\n").length; index += 1) {
      const { text: next, insertion } = insertedAt(text, index, block);
      expect(withoutLines(next, insertion)).toEqual({ outcome: "out", text });
    }
  });

  test("put in the place of a line, which comes back", () => {
    const { text, insertion } = replacedAt("a\nusers: []\nb\n", 1, ["users:", "- name: x"]);
    expect(text).toBe("a\nusers:\n- name: x\nb\n");
    expect(withoutLines(text, insertion)).toEqual({ outcome: "out", text: "a\nusers: []\nb\n" });
  });

  test("what was written around them meanwhile stays, each line for itself", () => {
    const { text, insertion } = appended("a", block);
    expect(withoutLines(`new\n${text}more\n`, insertion)).toEqual({
      outcome: "out",
      text: "new\na\nmore\n",
    });
  });

  test("several are taken out from the last to the first", () => {
    const one = appended("a", ["one = 1"]);
    const two = appended(one.text, ["two = 2"]);
    const taken = takeBackAll(two.text, [one.insertion, two.insertion]);
    expect(taken).toEqual({ text: "a", changed: [], gone: 0 });
  });

  test("commented out by somebody they are gone, and the comment stays", () => {
    const { text, insertion } = appended("a\n", ["one = 1"]);
    expect(withoutLines(text.replace("one", "# one"), insertion)).toEqual({ outcome: "gone" });
  });

  test("indented anew, they are found line by line", () => {
    const { text, insertion } = appended("a\n", block);
    const indented = text.replaceAll(/^/gm, "    ");
    expect(withoutLines(indented, insertion)).toEqual({ outcome: "out", text: "    a\n    " });
  });

  test("changed by somebody they are left, and gone they are gone", () => {
    const { text, insertion } = appended("a\n", block);
    const changed = text.replace("helper = latchkey", "helper = latchkey\n\tuseHttpPath = true");
    expect(withoutLines(changed, insertion).outcome).toBe("out");
    const inside = text.replace("\thelper", "\tuseHttpPath = true\n\thelper");
    expect(withoutLines(inside, insertion)).toEqual({ outcome: "changed" });
    expect(withoutLines("a\n", insertion)).toEqual({ outcome: "gone" });
    // Twice there, nobody knows which are ours.
    expect(withoutLines(text + insertion.after, insertion)).toEqual({ outcome: "changed" });
  });
});

describe("JSON", () => {
  const host = "registry.example.com:5000";
  const texts = [
    "",
    "{}",
    "{\n}\n",
    '{"auths":{"a":{"auth":"c2VjcmV0"}}}',
    '{\n\t"auths": {\n\t\t"a": { "auth": "x}\\"," }\n\t},\n\t"credsStore": "pass"\n}',
    '{\r\n  "credHelpers": {\r\n    "b": "other"\r\n  }\r\n}\r\n',
    '{"credHelpers":{}}',
    '{ "credHelpers" : { "a" : "b" } , "z" : [ 1 , "]" , { "credHelpers" : { } } ] }',
  ];

  test.each(texts)("a member put into %j and taken out: the same text", (text) => {
    const edited = withMember(text, "credHelpers", host, "latchkey");
    if (edited.outcome !== "in") throw new Error(edited.outcome);
    const before = (text === "" ? {} : JSON.parse(text)) as Record<string, object>;
    expect(JSON.parse(edited.text)).toEqual({
      ...before,
      credHelpers: { ...before["credHelpers"], [host]: "latchkey" },
    });
    expect(withoutMember(edited.text, edited.insertion)).toEqual({ outcome: "out", text });
    // Written anew by docker, and with a registry more.
    const anew = JSON.parse(edited.text) as { credHelpers: Record<string, string> };
    anew.credHelpers["z.example.com"] = "pass";
    const taken = withoutMember(JSON.stringify(anew, undefined, "\t"), edited.insertion);
    if (taken.outcome !== "out") throw new Error(taken.outcome);
    expect(JSON.parse(taken.text)).toEqual({
      ...before,
      credHelpers: { ...before["credHelpers"], "z.example.com": "pass" },
    });
  });

  test("the parent goes with its last member where it was made for it", () => {
    const edited = withMember('{"a":1}', "credHelpers", host, "latchkey");
    if (edited.outcome !== "in") throw new Error(edited.outcome);
    const anew = JSON.stringify(JSON.parse(edited.text), undefined, 4);
    const taken = withoutMember(anew, edited.insertion);
    expect(taken).toEqual({ outcome: "out", text: '{\n    "a": 1\n}' });
    const theirs = withMember('{"credHelpers":{}}', "credHelpers", host, "latchkey");
    if (theirs.outcome !== "in") throw new Error(theirs.outcome);
    const left = withoutMember(JSON.stringify(JSON.parse(theirs.text)), theirs.insertion);
    expect(left).toEqual({ outcome: "out", text: '{"credHelpers":{}}' });
  });

  test("another helper, and what is not an object, are left alone", () => {
    const other = JSON.stringify({ credHelpers: { [host]: "pass" } });
    expect(withMember(other, "credHelpers", host, "latchkey").outcome).toBe("other");
    const ours = JSON.stringify({ credHelpers: { [host]: "latchkey" } });
    expect(withMember(ours, "credHelpers", host, "latchkey").outcome).toBe("same");
    for (const text of ["[]", "{", '{"credHelpers":[]}', '{"a":1}}', "// a\n{}"]) {
      expect(withMember(text, "credHelpers", host, "latchkey").outcome).toBe("unreadable");
    }
    const insertion = {
      kind: "member",
      parent: "credHelpers",
      name: host,
      value: "latchkey",
      text: "",
      madeParent: true,
    } as const;
    expect(withoutMember(other, insertion)).toEqual({ outcome: "changed" });
    expect(withoutMember("{", insertion)).toEqual({ outcome: "changed" });
    expect(withoutMember("{}", insertion)).toEqual({ outcome: "gone" });
  });
});

const kubeconfig = `apiVersion: v1
contexts:
# mine
- context:
    cluster: c
    # whose
    user: "me"
  name: x
- name: other
  context: { cluster: c, user: me }
users:
  - name: me # not: - name: you
    user:
      token: "name: x"

current-context: x
`;

describe("a kubeconfig", () => {
  test("its lists are found as people and kubectl write them", () => {
    const lines = kubeconfig.split("\n");
    expect(sectionNamed(lines, "users")).toEqual({
      kind: "items",
      line: 10,
      indent: 2,
      items: [{ name: "me", start: 11, end: 14 }],
    });
    expect(sectionNamed(["users: [] # none"], "users")).toEqual({ kind: "empty", line: 0 });
    expect(sectionNamed(["users: null"], "users")).toEqual({ kind: "empty", line: 0 });
    expect(sectionNamed(["kind: Config"], "users")).toEqual({ kind: "absent" });
  });

  test.each([
    ["flow style", 'users: [{ name: "a" }]'],
    ["JSON", '{ "users": [] }'],
    ["twice the same name", "users:\n- name: a\nusers:\n- name: b"],
    ["an anchor", "users: &all\n- name: a"],
    ["no list", "users:\n  name: a"],
  ])("what is written otherwise is not touched: %s", (_what, text) => {
    expect(sectionNamed(text.split("\n"), "users")).toEqual({ kind: "unknown" });
  });

  test("the line that says whose a context is", () => {
    expect(contextUser(kubeconfig, "x")).toEqual({ line: 6, text: '    user: "me"' });
    expect(contextUser(kubeconfig, "other")).toBeUndefined();
    expect(contextUser(kubeconfig, "none")).toBeUndefined();
  });

  test("written anew by kubectl it is found, and given another user it is left", () => {
    const insertion: Insertion = {
      kind: "context-user",
      context: "x",
      before: '    user: "me"',
      after: "    user: latchkey",
    };
    const ours = kubeconfig.replace('    user: "me"', "    user: latchkey");
    expect(takeBackAll(ours, [insertion])).toEqual({ text: kubeconfig, changed: [], gone: 0 });
    const anew = "contexts:\n  - context:\n      cluster: d\n      user: latchkey\n    name: x\n";
    expect(takeBackAll(anew, [insertion]).text).toBe(anew.replace("latchkey", '"me"'));
    const theirs = kubeconfig.replace('"me"', "somebody");
    expect(takeBackAll(theirs, [insertion])).toEqual({ text: theirs, changed: [], gone: 1 });
  });
});
