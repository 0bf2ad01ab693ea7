// What setting up a tool is: which lines go into which files, and what has to be known to take them out again.

import { OidcError } from "../core/errors.ts";
import type { Machine } from "../options/paths.ts";
import type { Place } from "../helpers/place.ts";

/** How one insertion is found again. It goes into a file of Latchkey's own, so it holds nothing that was there before. */
export type Insertion =
  /** Lines: found whole, or line by line where the file was indented or sorted anew. */
  | {
      readonly kind: "lines";
      /** What stood in its place, letter by letter: mostly nothing. */
      readonly before: string;
      readonly after: string;
      /** The lines that are ours, without those around them. */
      readonly lines: readonly string[];
    }
  /** A member of a JSON file with a text as its value. */
  | {
      readonly kind: "member";
      readonly parent: string;
      readonly name: string;
      readonly value: string;
      /** What was inserted, letter by letter. */
      readonly text: string;
      readonly madeParent: boolean;
    }
  /** Whose a context of a kubeconfig is: the two lines. */
  | {
      readonly kind: "context-user";
      readonly context: string;
      readonly before: string;
      readonly after: string;
    };

/** One file that changes. */
export interface FileChange {
  readonly path: string;
  /** Undefined where there is no file. */
  readonly textBefore: string | undefined;
  readonly text: string;
  /** The lines for the person. */
  readonly shown: string;
  readonly insertions: readonly Insertion[];
  /** Whether the tool itself reads the new file, at this path, as it is meant. */
  readonly isRead?: (path: string) => boolean;
}

/** A link that a tool looks for. */
export interface LinkChange {
  readonly path: string;
  readonly target: string;
}

/** What setting up a tool comes to. */
export interface Plan {
  /** Names this setup among those of the tool, so that each can be taken back alone. */
  readonly target: string;
  /** The server that the tool will name when it asks; undefined where it names none. */
  readonly place: Place | undefined;
  /** Names its lines and links among those of the tool where other setups need the same ones. */
  readonly sharedAs?: string;
  readonly files: readonly FileChange[];
  readonly links: readonly LinkChange[];
  /** Sentences for the person, about what is left to do. */
  readonly notes: readonly string[];
}

/** What a tool is set up for. */
export interface SetupInput {
  readonly machine: Machine;
  readonly profile: string;
  /** The word behind the tool. */
  readonly target: string | undefined;
  readonly roleArn: string | undefined;
  /** The whole path of one of Latchkey's programs, and whether its folder is in PATH. */
  program(name: string): { readonly path: string; readonly isOnPath: boolean };
}

/** Plans the setup of one tool; changes nothing. @throws {OidcError} `invalid_option`. */
export type PlanSetup = (input: SetupInput) => Plan;

/** What stands in the way of a setup. */
export function refuseSetup(summary: string, remedy?: string): OidcError {
  return new OidcError("invalid_option", summary, { remedy });
}

/** The lines, for whoever has to write them by hand. */
export function byHand(lines: string): string {
  return `Put these lines into it yourself: ${lines.trim().replaceAll(/\s*\n\s*/g, " | ")}`;
}
