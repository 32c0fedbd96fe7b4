import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

// `@ambit/core/token` runs where there is no Node. What that takes is that nothing it imports, by the conditions of such a place, asks for Node.

type Targets = string | { readonly [condition: string]: Targets };

const PACKAGE = new URL("../../", import.meta.url);
const { imports } = JSON.parse(readFileSync(new URL("package.json", PACKAGE), "utf8")) as { readonly imports: { readonly [name: string]: Targets } };

/** Statements of import and export that stay when the types are gone, and imports made later. */
const IMPORT = /^(?:import|export)\b(?!\s+type\b)(?:[^;"'=()]*?\bfrom)?\s*["']([^"']+)["']|\bimport\(\s*["']([^"']+)["']/gm;
const COMMENT = /\/\*[^]*?\*\/|(?<=^|\s)\/\/.*$/gm;
/** Names that a Node process has and a browser has not. Types count: a declaration must not ask for those of Node either. */
const NODE_NAME = /\b(?:Buffer|NodeJS|__dirname|__filename|setImmediate|process(?=\??\.[a-z])|require(?=\())\b/g;

/** What an importer with these conditions gets: the first one that it has, as Node resolves `imports`. */
function target(targets: Targets, conditions: readonly string[]): string | undefined {
  if (typeof targets === "string") return targets;
  for (const [condition, inner] of Object.entries(targets)) {
    const found = conditions.includes(condition) ? target(inner, conditions) : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}

/**
 * A program for a process of its own: what of ours asks for Node is refused, `imports` are resolved as elsewhere, and the names that only Node has
 * are taken away. What follows prints what it found.
 */
const OUTSIDE_OF_NODE = `
  import { registerHooks } from "node:module";
  const print = console.log;
  registerHooks({
    resolve: (specifier, context, next) => {
      if (specifier.startsWith("node:")) throw new Error(context.parentURL + " imports " + specifier);
      return next(specifier, { ...context, conditions: context.conditions.filter((condition) => condition !== "node") });
    },
  });
  for (const name of ["Buffer", "process", "global", "setImmediate", "clearImmediate"]) delete globalThis[name];
  const token = await import("@ambit/core/token");
`;

/** A chain of two, a call with it, the same proof again, and a chain that somebody changed. */
const DRAFT = `
  for (const algorithm of ["Ed25519", "ES256"]) {
    const [issuer, agent, helper] = [await token.generateKey(algorithm), await token.generateKey(algorithm), await token.generateKey(algorithm)];
    const [now, seconds] = [Date.now(), Math.floor(Date.now() / 1000)];
    const tools = { search: { query: { constraint_type: "wildcard" } } };
    const root = await token.issueRoot({ issuer: "https://auth.example", holder: agent.public, tools, expiresAt: seconds + 60, maxDepth: 2, now }, issuer);
    const { tokens, leaf } = await token.deriveToken(root, { holder: helper.public, now }, agent);
    const anchor = token.trustAnchor({ issuer: "https://auth.example", jwk: issuer.public.jwk });
    const verifier = token.createVerifier({ anchors: () => [anchor], audiences: ["here"], replay: token.memoryReplay(Date.now) });
    const pop = await token.signPop({ leaf, tool: "search", args: { query: "ä" }, now }, helper);
    const ask = () => verifier.verifyCall({ chain: tokens, pop }, { tool: "search", args: { query: "ä" } });
    const changed = [tokens[0], tokens[1].slice(0, -4) + "AAAA"];
    const answers = [await verifier.verifyChain(tokens), await ask(), await ask(), await verifier.verifyChain(changed)];
    print(answers.map((answer) => (answer.verified ? "verified" : answer.refusal.code)).join(" "));
  }
`;

/** An order of its own, a chain of two envelopes under it, one that is wider than its parent, and the chain read by another order. */
const ENVELOPES = `
  const order = (vocabulary) => {
    const parents = { review: null, "review.risk": "review" };
    return { vocabulary: token.createVocabulary(vocabulary), purposes: { parentOf: (purpose) => parents[purpose], digest: token.digestOf(parents) } };
  };
  const [ours, others] = [order({ case_ids: "subset" }), order({ case_ids: "equal" })];
  const [now, [issuer, agent, helper]] = [Date.now(), await Promise.all([1, 2, 3].map(() => token.generateKey()))];
  const wire = { delegator_id: "user_1", tenant_id: "acme", session_id: "s_1", task_id: "t_1", purpose: "review", agent_id: "agent", allowed_tools: ["search"] };
  const members = { ...wire, resource_constraints: { case_ids: ["a", "b"] }, expires_at: new Date(now + 60_000).toISOString() };
  const envelope = token.parseEnvelope(members, ours.vocabulary);
  const root = await token.issueEnvelope({ envelope, issuer: "https://auth.example", holder: agent.public, audience: ["here"], now }, issuer, ours);
  const child = (case_ids) => ({ holder: helper.public, exact: true, now, narrowing: { purpose: "review.risk", agentId: "helper", resourceConstraints: { case_ids } } });
  const { chain } = await token.deriveEnvelope(root, child(["a"]), agent, ours);
  const wider = await token.deriveEnvelope(root, child(["a", "c"]), agent, ours).catch((error) => error);
  const anchor = { ...token.trustAnchor({ issuer: "https://auth.example", jwk: issuer.public.jwk }), kind: "ambit", tenants: new Set(["acme"]) };
  const verifier = token.createVerifier({ anchors: () => [anchor], audiences: ["here"], replay: "deferred" });
  const verified = await verifier.verifyChain(chain.tokens);
  const [mine, foreign] = [ours, others].map((order) => token.verifyEnvelopes(verified.chain, order));
  print(mine.envelopes.map(({ envelope }) => envelope.resourceConstraints.case_ids.join("+")).join(" "), wider.code, foreign.refusal.code);
`;

interface Graph {
  readonly files: readonly string[];
  /** Other packages, and modules of Node as `file: node:module`. */
  readonly packages: readonly string[];
  readonly nodeImports: readonly string[];
  readonly nodeNames: readonly string[];
}

function graphOf(entry: string, conditions: readonly string[]): Graph {
  const [files, packages, nodeImports, nodeNames] = [new Set<string>(), new Set<string>(), new Set<string>(), new Set<string>()];
  const visit = (url: URL): void => {
    const file = relative(fileURLToPath(PACKAGE), fileURLToPath(url));
    if (files.has(file)) return;
    files.add(file);
    const code = readFileSync(url, "utf8").replaceAll(COMMENT, "");
    for (const [name] of code.matchAll(NODE_NAME)) nodeNames.add(`${file}: ${name}`);
    for (const [, statically, lazily] of code.matchAll(IMPORT)) {
      const specifier = (statically ?? lazily) as string;
      if (specifier.startsWith(".")) visit(new URL(specifier, url));
      else if (specifier.startsWith("#")) visit(new URL(target(imports[specifier] as Targets, conditions) as string, PACKAGE));
      else if (specifier.startsWith("node:")) nodeImports.add(`${file}: ${specifier}`);
      else packages.add(specifier);
    }
  };
  visit(new URL(entry, PACKAGE));
  return { files: [...files], packages: [...packages], nodeImports: [...nodeImports].sort(), nodeNames: [...nodeNames].sort() };
}

describe("`@ambit/core/token` outside of Node", () => {
  const web = graphOf("src/token/index.ts", ["@ambit/source", "browser", "import", "default"]);

  it("gets WebCrypto, and nothing else of ours that is for Node", () => {
    expect(web.files).toContain("src/token/crypto-web.ts");
    expect(web.files.filter((file) => file.endsWith("-node.ts"))).toEqual([]);
    expect(web.files).toContain("src/data/digest-web.ts");
    expect(web.packages.toSorted()).toEqual(["@noble/hashes/hmac.js", "@noble/hashes/sha2.js"]);
  });

  it("imports no module of Node", () => {
    expect(web.nodeImports).toEqual([]);
  });

  it("uses no name that only Node has", () => {
    expect(web.nodeNames).toEqual([]);
  });

  it("has a built file beside each source file that is chosen, for Node and elsewhere", () => {
    for (const [name, targets] of Object.entries(imports)) {
      for (const place of [
        ["node", "import", "default"],
        ["import", "default"],
      ]) {
        const [source, built] = [target(targets, ["@ambit/source", ...place]), target(targets, place)];
        expect(source, name).toMatch(/^\.\/src\//);
        expect(built, name).toBe(source?.replace("./src/", "./dist/").replace(/\.ts$/, ".js"));
      }
    }
  });
});

describe("`@ambit/core/token` in a Node process", () => {
  const node = graphOf("src/token/index.ts", ["@ambit/source", "node", "import", "default"]);

  it("gets node:crypto, and no second implementation of it", () => {
    expect(node.files).toContain("src/token/crypto-node.ts");
    expect(node.nodeImports).toContain("src/token/crypto-node.ts: node:crypto");
    expect(node.files.filter((file) => file.endsWith("-web.ts"))).toEqual([]);
    expect(node.packages).toEqual([]);
  });
});

describe("`@ambit/core/token` in a process without anything of Node", () => {
  const run = (program: string): readonly string[] => {
    const options = ["--conditions=@ambit/source", "--experimental-strip-types", "--disable-warning=ExperimentalWarning", "--input-type=module"];
    const printed = execFileSync(process.execPath, [...options, "--eval", OUTSIDE_OF_NODE + program], { cwd: fileURLToPath(PACKAGE), encoding: "utf8" });
    return printed.trim().split("\n");
  };

  it("issues, derives, proves and verifies, and refuses what it refuses elsewhere", () => {
    const each = "verified verified pop_replayed envelope_signature_invalid";
    expect(run(DRAFT)).toEqual([each, each]);
  });

  it("makes an order of its own and has envelopes issued, derived, refused and read under it", () => {
    expect(run(ENVELOPES)).toEqual(["a+b a not_narrower envelope_malformed"]);
  });
});
