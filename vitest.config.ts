// Changes when tests move to other folders or need other limits. Modes: none (npm test), long, interop.
import { configDefaults, defineConfig } from "vitest/config";

const otherModes = ["test/long/**", "test/interop/**"];

export default defineConfig(({ mode }) => {
  const isOtherMode = mode === "long" || mode === "interop";
  return {
    test: {
      include: isOtherMode
        ? [`test/${mode}/**/*.test.ts`]
        : ["src/**/*.test.ts", "test/**/*.test.ts"],
      exclude: isOtherMode ? configDefaults.exclude : [...configDefaults.exclude, ...otherModes],
      pool: "forks",
      maxWorkers: isOtherMode ? 1 : 2,
      testTimeout: isOtherMode ? 600_000 : 20_000,
      hookTimeout: isOtherMode ? 120_000 : 20_000,
      dangerouslyIgnoreUnhandledErrors: false,
    },
  };
});
