import { defineConfig } from "vitest/config";

// Tests run from source, without a build: the condition picks `src` of every workspace package.
const conditions = ["@ambit/source", "node", "import", "module", "default"];

export default defineConfig({
  // Node 22 has no `await using` of its own.
  oxc: { target: "es2022" },
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: {
    include: ["packages/*/test/**/*.test.ts", "apps/*/test/**/*.test.ts", "bench/*/test/**/*.test.ts"],
    setupFiles: ["./tools/fail-on-console.ts"],
    testTimeout: 30_000,
    dangerouslyIgnoreUnhandledErrors: false,
    typecheck: { enabled: false },
  },
});
