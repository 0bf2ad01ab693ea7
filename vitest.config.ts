// The lanes of the tests: what runs where, and how long one test may take.
import { defineConfig, type TestProjectInlineConfiguration } from "vitest/config";

type Lane = NonNullable<TestProjectInlineConfiguration["test"]>;

// Threads without isolation: loading the sources anew for each of a hundred files would take longer than their tests.
const unit: Lane = {
  name: "unit",
  include: ["src/**/*.test.ts", "test/structure/**/*.test.ts"],
  exclude: ["src/**/*.{wire,process}.test.ts"],
  pool: "threads",
  isolate: false,
  testTimeout: 5000,
  hookTimeout: 5000,
};

// Providers and servers in process, over real sockets. Without isolation a worker loads the provider once.
const wire: Lane = {
  name: "wire",
  include: [
    "src/**/*.wire.test.ts",
    "test/{conformance,errors,flow,interleavings,support}/**/*.test.ts",
  ],
  pool: "forks",
  isolate: false,
  testTimeout: 60_000,
  hookTimeout: 60_000,
};

// Operating-system processes, the built command line, the browser, the disk.
const processes: Lane = {
  name: "process",
  include: ["src/**/*.process.test.ts", "test/{docs,e2e,faults,package}/**/*.test.ts"],
  pool: "forks",
  isolate: false,
  testTimeout: 60_000,
  hookTimeout: 60_000,
};

// The same tests as in the lanes above, with every row and round of their tables.
const thorough: Lane = {
  ...processes,
  name: "thorough",
  include: [
    "src/lock/protocol-processes.process.test.ts",
    "src/store/processes.process.test.ts",
    "test/conformance/providers.test.ts",
    "test/e2e/{kill-points,other-tokens,processes}.test.ts",
  ],
  testTimeout: 120_000,
  env: { LATCHKEY_TEST_LANE: "long" },
  sequence: { groupOrder: 1 },
};

// On another Node: that the command line and the lock work there, too.
const processesOnAnotherNode: Lane = {
  ...processes,
  include: [
    "src/{cli,lock}/**/*.process.test.ts",
    "test/e2e/{command-line,exec,many-processes,processes}.test.ts",
  ],
};

// Side by side: what takes one processor, or waits.
const long: Lane = {
  name: "long",
  include: ["test/long/**/*.test.ts"],
  exclude: ["test/long/crowds/**"],
  pool: "forks",
  testTimeout: 600_000,
  hookTimeout: 120_000,
  sequence: { groupOrder: 1 },
};

// One after the other, and nothing beside them: they take the whole machine.
const crowds: Lane = {
  ...long,
  name: "crowds",
  include: ["test/long/crowds/**/*.test.ts"],
  exclude: [],
  fileParallelism: false,
  sequence: { groupOrder: 2 },
};

const interop: Lane = {
  name: "interop",
  include: ["test/interop/**/*.test.ts"],
  pool: "forks",
  fileParallelism: false,
  testTimeout: 600_000,
  hookTimeout: 120_000,
};

/** What each mode runs; without a mode it is what `npm test` does. */
const lanes: Readonly<Record<string, readonly Lane[]>> = {
  unit: [unit],
  test: [unit, wire, processes],
  interop: [interop],
  long: [thorough, long, crowds],
  nodes: [unit, wire, processesOnAnotherNode],
};

export default defineConfig(({ mode }) => ({
  test: {
    projects: (lanes[mode] ?? []).map((lane) => ({ test: lane })),
    maxWorkers: 2,
    dangerouslyIgnoreUnhandledErrors: false,
  },
}));
