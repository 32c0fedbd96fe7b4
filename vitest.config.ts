import { defineConfig } from "vitest/config";

// Tests run from source, without a build: the condition picks `src` of every workspace package. Node adds its own: with `import` among these it would reach what is loaded by
// `require`, too.
const conditions = ["@ambit/source", "node"];

export default defineConfig({
  // Node 22 has no `await using` of its own.
  oxc: { target: "es2022" },
  resolve: { conditions: [...conditions, "import", "module", "default"] },
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: {
    include: ["packages/*/test/**/*.test.ts", "apps/*/test/**/*.test.ts", "bench/*/test/**/*.test.ts"],
    setupFiles: ["./tools/fail-on-console.ts"],
    testTimeout: 30_000,
    dangerouslyIgnoreUnhandledErrors: false,
    typecheck: { enabled: false },
  },
});
