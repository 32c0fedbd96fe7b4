// Why: a layering that nothing checks erodes with the first hurried import (DESIGN section 4). An adapter that reaches into the decision point, or a
// core file that reaches upwards, still compiles and still passes every test.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";

/** Adapters need the framework that the application has, so whatever they import besides core is a peer. */
const ADAPTERS = ["ai-sdk", "langchain", "mcp"];
/** What each package may import of Ambit, besides what its package.json declares. A package that is not here has no place yet. */
const MAY_IMPORT = {
  core: "",
  pdp: "core",
  "ai-sdk": "core",
  langchain: "core",
  mcp: "core",
  gateway: "core mcp",
  conformance: "core pdp",
  cli: "core pdp ai-sdk langchain mcp gateway",
};
/** Inside core, strictly downward: a file imports from its own layer and from those before it. */
const CORE_LAYERS = ["errors.ts", "data", "envelope", "token", "identity", "pdp", "pdp-client", "state", "audit", "graph", "pep", "index.ts"];

const IMPORT = /^(?:import|export)\b(?:[^;"'=()]*?\bfrom)?\s*["']([^"']+)["']|\bimport\(\s*["']([^"']+)["']/gm;
const root = process.argv[2] ?? ".";
const problems = [];

for (const name of readdirSync(join(root, "packages"))) {
  const [folder, source] = [join(root, "packages", name), join(root, "packages", name, "src")];
  const { dependencies = {}, peerDependencies = {}, imports: subpaths = {} } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const declared = Object.keys(ADAPTERS.includes(name) ? peerDependencies : { ...dependencies, ...peerDependencies });
  if (MAY_IMPORT[name] === undefined) problems.push(`${folder}: \`${name}\` is not in the table of tools/check-layers.mjs`);
  const files = existsSync(source) ? readdirSync(source, { recursive: true }).filter((file) => file.endsWith(".ts")) : [];
  const imports = new Map(files.map((file) => [join(source, file), []]));

  for (const [file, found] of imports) {
    const text = readFileSync(file, "utf8");
    for (const { index, 1: statically, 2: lazily } of text.matchAll(IMPORT)) {
      const specifier = statically ?? lazily;
      const at = `${file}:${text.slice(0, index).split("\n").length}`;
      // A subpath import stands for each of the files that it may choose.
      const chosen = Object.values(subpaths[specifier]?.["@ambit/source"] ?? {}).map((path) => join(folder, path));
      const targets = specifier.startsWith(".") ? [join(dirname(file), specifier)] : chosen;
      for (const target of targets) {
        if (!imports.has(target)) problems.push(`${at}: \`${specifier}\` is not a source file of this package`);
        const [from, to] = [file, target].map((path) => CORE_LAYERS.indexOf(relative(source, path).split(sep)[0]));
        if (name === "core" && (from === -1 || to > from || to === -1)) problems.push(`${at}: \`${specifier}\` is not below ${relative(source, file)}`);
      }
      found.push(...targets.map((target) => ({ target, at })));
      if (targets.length > 0 || specifier.startsWith("node:")) continue;
      const [scope, rest] = specifier.split("/");
      const allowed = scope === "@ambit" ? MAY_IMPORT[name]?.split(" ").includes(rest) : declared.includes(scope.startsWith("@") ? `${scope}/${rest}` : scope);
      if (!allowed) problems.push(`${at}: packages/${name} must not import \`${specifier}\``);
    }
  }

  const state = new Map();
  const visit = (file, path) => {
    state.set(file, "open");
    for (const { target, at } of imports.get(file) ?? []) {
      if (state.get(target) === "open")
        problems.push(`${at}: a cycle, ${[...path.slice(path.indexOf(target)), target].map((step) => relative(source, step)).join(" -> ")}`);
      else if (!state.has(target)) visit(target, [...path, target]);
    }
    state.set(file, "done");
  };
  for (const file of imports.keys()) if (!state.has(file)) visit(file, [file]);
}

console.log(problems.length === 0 ? "layers: in order" : problems.join("\n"));
process.exitCode = problems.length === 0 ? 0 : 1;
