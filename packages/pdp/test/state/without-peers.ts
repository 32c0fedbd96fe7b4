import { registerHooks } from "node:module";

// As where neither is installed: a name that nobody has is looked for in their place.
registerHooks({ resolve: (specifier, context, next) => next(["pg", "redis"].includes(specifier) ? `ambit-test-no-${specifier}` : specifier, context) });

/** Prints what comes of opening a decision point with each kind of state. */
const [{ createPdp }, { CONFIG }] = await Promise.all([import("@ambit/pdp"), import("../support/fixture.ts")]);
const states = [
  "memory",
  { kind: "sqlite", path: process.argv[2] ?? "" },
  { kind: "postgres", url: "postgres://127.0.0.1:1/x" },
  { kind: "redis", url: "redis://127.0.0.1:1" },
] as const;
for (const state of states) {
  const told = await createPdp({ ...CONFIG, state }).then(
    async (pdp) => {
      await pdp.close();
      return "open";
    },
    (error: { readonly code?: string; readonly message: string }) => `${error.code ?? "no code"}: ${error.message}`,
  );
  process.stdout.write(`${told}\n`);
}
