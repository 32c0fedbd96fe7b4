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
    projects: [
      { extends: true, test: { name: "newest", include: ["{packages,apps,bench}/*/test/**/*.test.ts"] } },
      // The source of the adapter is the same, and what it imports of the framework is what is installed there.
      {
        extends: true,
        resolve: { alias: [{ find: /^@langchain\/core\/(.*)$/u, replacement: `${import.meta.dirname}/peers/langchain-0/node_modules/@langchain/core/$1.js` }] },
        test: { name: "langchain-0", include: ["peers/langchain-0/test/**/*.test.ts"] },
      },
      { extends: true, test: { name: "ai-code-mode", include: ["peers/ai-code-mode/test/**/*.test.ts"] } },
    ],
    setupFiles: ["./tools/fail-on-console.ts"],
    testTimeout: 30_000,
    // Stores and servers are made ready beside other files.
    hookTimeout: 30_000,
    // Vitest would leave one of two processors idle.
    maxWorkers: 2,
    dangerouslyIgnoreUnhandledErrors: false,
    typecheck: { enabled: false },
  },
});
