import { mkdtemp, mkdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { AmbitError, createPep } from "@ambit/core";
import { createPdp } from "@ambit/pdp";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { verifyLog } from "@ambit/core/audit";
import { readFile } from "node:fs/promises";
import { BEGIN, CONFIG, MANIFEST, outcomeOf } from "../support/fixture.ts";

let folder = "";

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "ambit-config-"));
  await mkdir(join(folder, "policies"));
  await write("ambit.config.json", {
    ...CONFIG,
    manifest: "manifest.json",
    agents: "agents.json",
    purposes: "purposes.json",
    policies: ["policies/main.cedar"],
    log: "decisions.jsonl",
  });
  await write("manifest.json", MANIFEST);
  await write("agents.json", CONFIG.agents);
  await write("purposes.json", CONFIG.purposes);
  await writeFile(join(folder, "policies/main.cedar"), "permit (principal, action, resource);\n");
});

afterEach(() => rm(folder, { recursive: true }));

const write = (name: string, content: unknown): Promise<void> => writeFile(join(folder, name), typeof content === "string" ? content : JSON.stringify(content));

async function failure(config: Parameters<typeof createPdp>[0] = join(folder, "ambit.config.json")): Promise<string> {
  try {
    await (await createPdp(config)).close();
  } catch (error) {
    return AmbitError.isInstance(error) ? `${error.code} ${error.message}` : `unexpected ${String(error)}`;
  }
  return "started";
}

describe("a configuration in files", () => {
  it.each([
    ["path", (path: string) => path],
    ["URL", (path: string) => pathToFileURL(path)],
  ])("is read by %s, and writes its log beside it", async (_, form) => {
    const pdp = await createPdp(form(join(folder, "ambit.config.json")));
    const pep = createPep({ pdp, agent: "reviewer" });
    const task = await pep.begin(BEGIN);
    expect(await outcomeOf(pep, task, "crm_read", { customer_id: "c1" }, { records: [] })).toBe("permit");
    await pdp.close();
    expect(verifyLog(await readFile(join(folder, "decisions.jsonl"), "utf8"))).toMatchObject({ intact: true, records: { length: 3 } });
  });

  it("goes on with the log of an earlier run, and refuses one that was changed", async () => {
    expect(await failure()).toBe("started");
    const pdp = await createPdp(join(folder, "ambit.config.json"));
    await (await createPep({ pdp, agent: "reviewer" }).begin(BEGIN)).end();
    await pdp.close();
    expect(await failure()).toBe("started");
    const log = await readFile(join(folder, "decisions.jsonl"), "utf8");
    await writeFile(join(folder, "decisions.jsonl"), log.replace("user_1", "user_2"));
    expect(await failure()).toContain("log_corrupt");
  });

  it.each([
    ["is not there", async () => rm(join(folder, "agents.json")), "config_invalid", "agents.json"],
    ["is not JSON", async () => write("purposes.json", "{"), "config_invalid", "purposes.json is not JSON"],
    ["has a misspelt member", async () => write("ambit.config.json", { ...CONFIG, polices: [] }), "config_invalid", "unknown member `polices`"],
    ["lacks a member", async () => write("ambit.config.json", { ...CONFIG, log: undefined }), "config_invalid", "needs the member `log`"],
    [
      "wants state that is not there",
      async () => write("ambit.config.json", { ...CONFIG, state: "redis" }),
      "config_invalid",
      "`state` must be `memory`, or an object",
    ],
    ["names a policy file that is not there", async () => rm(join(folder, "policies/main.cedar")), "policy_invalid", "main.cedar cannot be read"],
    ["has a policy that does not parse", async () => writeFile(join(folder, "policies/main.cedar"), "permit;"), "policy_invalid", "main.cedar:1:7"],
  ])("that %s is refused", async (_, change, code, detail) => {
    await change();
    const reason = await failure();
    expect(reason).toContain(code);
    expect(reason).toContain(detail);
  });
});

describe("parts that contradict themselves are refused, with the place", () => {
  const tool = (change: object): object => ({ manifest: { tools: { "a.b": { ...MANIFEST.tools["mail.send"], ...change } } } });
  const onResult = (result: string, records: unknown = { result: "/records", most: 5 }): object => tool({ constraints: { customer_id: { result } }, records });
  const purposes = (entries: object): object => ({ purposes: { purposes: entries } });

  it.each([
    ["a tool id with a space", { manifest: { tools: { "a b": MANIFEST.tools["mail.send"] } } }, "manifest_invalid", "tools.a b"],
    ["an unknown member of a tool", tool({ trusted: true }), "manifest_invalid", "tools.a.b` has the unknown member `trusted`"],
    ["no name", tool({ names: [] }), "manifest_invalid", "tools.a.b.names"],
    ["a name without a pin", tool({ names: [{ name: "x" }] }), "manifest_invalid", "`pin`"],
    ["a pin that is neither digest nor none", tool({ names: [{ name: "x", pin: "" }] }), "manifest_invalid", "pin"],
    [
      "a name that two tools go by",
      { manifest: { tools: { a: MANIFEST.tools["mail.send"], b: MANIFEST.tools["mail.send"] } } },
      "manifest_invalid",
      "which `a` has already",
    ],
    ["an unknown effect", tool({ effect: "harmless" }), "manifest_invalid", "effect"],
    ["a risk above the most", tool({ risk: 101 }), "manifest_invalid", "tools.a.b.risk"],
    ["a risk that is a word", tool({ risk: "high" }), "manifest_invalid", "tools.a.b.risk"],
    [
      "an input schema that runs an expression",
      tool({ input_schema: { type: "object", properties: { x: { type: "string", pattern: "(a+)+$" } } } }),
      "manifest_invalid",
      "pattern",
    ],
    [
      "an input schema that follows references",
      tool({ input_schema: { type: "object", properties: { x: { $ref: "http://169.254.169.254/" } } } }),
      "manifest_invalid",
      "$ref",
    ],
    ["an input schema of something else than an object", tool({ input_schema: { type: "string" } }), "manifest_invalid", "object"],
    [
      "an argument with a reserved name",
      tool({ input_schema: { type: "object", properties: { __entity: { type: "string" } } } }),
      "manifest_invalid",
      "__entity",
    ],
    ["a resource type that is ours", tool({ resource: { type: "User", id: "/to" } }), "manifest_invalid", "resource.type"],
    ["a pointer that is none", tool({ constraints: { customer_id: { argument: "to" } } }), "manifest_invalid", "JSON pointer"],
    ["max_records as a constraint", tool({ constraints: { max_records: "not_applicable" } }), "manifest_invalid", "`records`"],
    ["a resource id that could be several", tool({ resource: { type: "Doc", id: "/ids/*" } }), "manifest_invalid", "resource.id"],
    ["a limit that could be several", tool({ records: { result: "/r", limit: "/limits/*", most: 1 } }), "manifest_invalid", "records.limit"],
    ["an amount that could be several", tool({ money: { amount: "/items/*/amount", currency: "EUR" } }), "manifest_invalid", "money.amount"],
    ["a currency that could be several", tool({ money: { amount: "/amount", currency: "/items/*/currency" } }), "manifest_invalid", "money.currency"],
    ["a result field of a list inside a record", onResult("/records/*/owners/*"), "manifest_invalid", "customer_id.result"],
    ["a result field of a list inside the only record", onResult("/owners/*", { result: "", most: 1 }), "manifest_invalid", "customer_id.result"],
    ["a result field of another list than that of the records", onResult("/others/*/customer_id"), "manifest_invalid", "/records/*/customer_id"],
    ["a result field of lists in lists, without records", onResult("/a/*/b/*/c", "none"), "manifest_invalid", "customer_id.result"],
    ["a data class that no field carries", tool({ data_classes: { salary: [] } }), "manifest_invalid", "data_classes.salary"],
    [
      "an input schema that compares all elements with each other",
      tool({ input_schema: { type: "object", properties: { x: { type: "array", uniqueItems: true } } } }),
      "manifest_invalid",
      "uniqueItems",
    ],
    ["an empty mapping", tool({ constraints: { customer_id: {} } }), "manifest_invalid", "argument"],
    ["a purpose below one that is not there", purposes({ a: { parent: "b", tools: [] } }), "config_invalid", "a.parent"],
    ["purposes in a circle", purposes({ a: { parent: "b", tools: [] }, b: { parent: "a", tools: [] } }), "config_invalid", "circle"],
    ["a purpose wider than the one above", purposes({ a: { tools: [] }, b: { parent: "a", tools: ["x"] } }), "config_invalid", "b.tools"],
    [
      "a data class wider than above",
      purposes({ a: { tools: [], data_classes: [] }, b: { parent: "a", tools: [], data_classes: ["x"] } }),
      "config_invalid",
      "b.data_classes",
    ],
    ["an agent without a ceiling", { agents: { agents: { a: { trust_zone: "first_party" } } } }, "config_invalid", "ceiling"],
    [
      "a ceiling with a wildcard",
      { agents: { agents: { a: { trust_zone: "first_party", ceiling: { allowed_tools: ["*"] } } } } },
      "config_invalid",
      "allowed_tools",
    ],
    [
      "a ceiling with an unknown constraint",
      { agents: { agents: { a: { trust_zone: "first_party", ceiling: { allowed_tools: [], resource_constraints: { zzz: 1 } } } } } },
      "config_invalid",
      "zzz",
    ],
    ["a trust zone that nobody knows", { agents: { agents: { a: { trust_zone: "friend", ceiling: "none" } } } }, "config_invalid", "trust_zone"],
    ["a vocabulary with an unknown kind", { vocabulary: { region: "regex" } }, "config_invalid", "vocabulary.region"],
    ["a vocabulary that changes a built-in key", { vocabulary: { max_records: "min" } }, "config_invalid", "built in"],
  ])("%s", async (_, change, code, detail) => {
    const reason = await failure({ ...CONFIG, ...change } as never);
    expect(reason).toContain(code);
    expect(reason).toContain(detail);
  });
});

it.each([
  ["/records/*/customer_id", { result: "/records", most: 5 }],
  ["/records/*", { result: "/records", most: 5 }],
  ["/*/owner/id", { result: "", most: 5 }],
  ["/groups/*/records/*/customer_id", { result: "/groups/*/records", most: 5 }],
  ["/customer_id", { result: "/records", most: 5 }],
  ["/owners/*", "none"],
])("takes the result field %s with the records %j", async (result, records) => {
  const entry = { ...MANIFEST.tools["mail.send"], constraints: { customer_id: { result } }, records };
  expect(await failure({ ...CONFIG, manifest: { tools: { ...MANIFEST.tools, "mail.send": entry } } })).toBe("started");
});

it("starts without policies, and denies", async () => {
  const pdp = await createPdp({ ...CONFIG, policies: [] });
  await expect(createPep({ pdp, agent: "reviewer" }).begin(BEGIN)).rejects.toMatchObject({ code: "no_policy" });
});
