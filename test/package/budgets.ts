// What the package may cost whoever uses it, in one place. Counted in files and bytes, because a time is no test's. A
// figure only goes up for a reason, and no message is shortened for one.

const kibibyte = 1024;

/** In bytes, as installed. */
export const maxBytes = {
  /** The one file that a start with a cached token reads; nothing of Node beyond its start-up snapshot. */
  warmCommand: 14.5 * kibibyte,
  /** The one file behind `import "latchkey"`. */
  importing: 74 * kibibyte,
  /** The two files behind `import "latchkey/server"`; more since servers share answers. */
  importingServer: 114 * kibibyte,
  /** All that a program has loaded when it has refreshed a token; more since renewals take turns, and a proxy dials through it. */
  refreshByLibrary: 335 * kibibyte,
  /** All that `latchkey token` has loaded when it has. */
  refreshByCommand: 403 * kibibyte,
  /** The tarball; more since it says what each provider's own words mean, has figures of many clients, a proxy for HTTP and PostgreSQL, and the setup of ten tools. */
  packed: 640 * kibibyte,
  /** `node_modules` of a program that has nothing else. */
  installed: 2.25 * kibibyte * kibibyte,
} as const;

/** Packages that are installed with it. What is heavy is an optional peer, behind an entry of its own. */
export const maxDependencies = 0;

/** The files that `latchkey token` loads for a refresh, without the hash of their content. */
export const filesOfRefresh: string =
  "command-grammar latchkey layout library main refresh rolldown-runtime session";
