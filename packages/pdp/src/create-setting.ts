import { AmbitError, createVocabulary, type JsonObject, type Terms } from "@ambit/core";
import { approvalSetting } from "./approvals/approval-setting.ts";
import { callbackChannel, type ApprovalChannel } from "./approvals/channel.ts";
import { webhookChannel, type Webhook, type WebhookOptions } from "./approvals/webhook/webhook.ts";
import { submissionOf } from "./authzen/profiles/access-request-draft-1.ts";
import { createCedarEngine } from "./cedar/cedar-engine.ts";
import { clock } from "./clock.ts";
import { parseAgents } from "./config/agents.ts";
import type { AnchorSource } from "./config/anchors.ts";
import type { LoadedConfig } from "./config/load-config.ts";
import { parsePurposes } from "./config/purposes.ts";
import type { PdpOptions } from "./options.ts";
import { createSignedChains, type Signing } from "./envelopes/signed-chains.ts";
import { createDirectory } from "./directory/index.ts";
import { parseUserModel } from "./directory/user-model.ts";
import { revokeLeaver } from "./lifecycle/revoke.ts";
import { parseRelationModel } from "./relations/parse-model.ts";
import { createRelations } from "./relations/relations.ts";
import { createArgumentCheck } from "./manifest/input-schema.ts";
import { parseManifest } from "./manifest/parse-manifest.ts";
import type { OwnRuntime } from "./runtime.ts";
import { catalogueOf } from "./server/catalogue.ts";
import type { Setting } from "./setting.ts";
import { recordUntold } from "./steps/approval-record.ts";

/**
 * What is decided under, from a configuration that was read. Refuses (`config_invalid`, `manifest_invalid`, `policy_invalid`) on anything that is missing, unknown or
 * contradictory, and changes nothing then.
 */
export function createSetting(loaded: LoadedConfig, options: PdpOptions, own: OwnRuntime): { readonly setting: Setting; readonly activate: () => void } {
  const { runtime, ringOf } = own;
  const vocabulary = createVocabulary(loaded.vocabulary);
  const purposes = parsePurposes(loaded.purposes.data, loaded.purposes.name);
  const users = loaded.users === undefined ? undefined : parseUserModel(loaded.users.data, loaded.users.name);
  const relations = loaded.relations === undefined ? undefined : parseRelationModel(loaded.relations.data, loaded.relations.name);
  const agents = parseAgents(loaded.agents.data, vocabulary, loaded.agents.name, users);
  const manifest = parseManifest(loaded.manifest.data, loaded.manifest.name);
  const engine = options.engine ?? createCedarEngine(loaded.policies, manifest, { users, relations });
  const order = { vocabulary, purposes };
  const audience = options.audience ?? loaded.audience;
  const isSigned = [options.signing, loaded.signing, options.anchors, loaded.anchors].some((source) => source !== undefined);
  if (isSigned && audience.length === 0)
    throw new AmbitError("config_invalid", "`audience` must name this decision point: signed envelopes say whom they are for");
  const terms = Object.freeze<Terms>({
    order,
    audience,
    toolId: (name, server) => manifest.resolve(name, server)?.entry.id,
    pinOf: (name, server) => manifest.resolve(name, server)?.pin,
  });
  const now = (): number => clock(runtime);
  const argumentChecks = new Map([...manifest.tools].map(([id, { inputSchema }]) => [id, argumentCheck(id, inputSchema)]));
  const ring = options.signing === undefined && loaded.signing !== undefined ? ringOf(loaded.signing.issuer, loaded.signing.key) : undefined;
  const signing: Signing | undefined =
    options.signing ?? (loaded.signing === undefined || ring === undefined ? undefined : { ...loaded.signing, keys: ring.ring });
  const directory =
    users === undefined
      ? undefined
      : createDirectory({ model: users, documents: runtime.documents, onRemoved: (tenantId, id) => revokeLeaver(setting, tenantId, id), now });
  const setting: Setting = Object.freeze<Setting>({
    ...runtime,
    manifest,
    argumentChecks,
    agents,
    purposes,
    catalogue: catalogueOf(loaded.purposes.data, manifest),
    order,
    engine,
    signed: isSigned
      ? createSignedChains({
          cachedChains: options.cachedChains,
          signing,
          anchors: together([loaded.anchors, options.anchors]),
          audience,
          order,
          purposes,
          agents,
          now,
        })
      : undefined,
    signing,
    terms,
    proofs: options.proofs ?? loaded.identity,
    requireProof: options.requireProof ?? false,
    directory,
    relations: relations === undefined ? undefined : createRelations({ model: relations, store: runtime.relations }),
    approvals:
      loaded.approvals === undefined ? undefined : approvalSetting(loaded.approvals, { ...own, documents: runtime.documents, signing, agents, directory, now }),
    channels: channelsOf(loaded.approvals?.webhooks ?? [], own, options, now),
  });
  return { setting, activate: () => ring?.activate() };
}

function channelsOf(webhooks: readonly Webhook[], { runtime }: OwnRuntime, { onApprovalRequest }: PdpOptions, now: () => number): readonly ApprovalChannel[] {
  const options: WebhookOptions = { outbox: runtime.outbox, write: submissionOf, onEnd: noticeOf(runtime), now };
  return [...(onApprovalRequest === undefined ? [] : [callbackChannel(onApprovalRequest)]), ...webhooks.map((webhook) => webhookChannel(webhook, options))];
}

/** Every message is counted; one that nobody got is on the record. */
function noticeOf({ log, counters }: OwnRuntime["runtime"]): WebhookOptions["onEnd"] {
  return async (approval, host, ending) => {
    counters.approvalNotices.add({ outcome: ending.outcome });
    if (ending.outcome !== "delivered") await recordUntold({ log }, approval, host, ending);
  };
}

function together(all: readonly (AnchorSource | undefined)[]): AnchorSource {
  const sources = all.filter((source) => source !== undefined);
  return {
    anchors: () => sources.flatMap((source) => source.anchors()),
    ready: async () => void (await Promise.all(sources.map((source) => source.ready()))),
  };
}

function argumentCheck(id: string, schema: JsonObject): ReturnType<typeof createArgumentCheck> {
  try {
    return createArgumentCheck(schema);
  } catch (cause) {
    throw AmbitError.isInstance(cause) ? cause : new AmbitError("manifest_invalid", `the input schema of \`${id}\` cannot be used`, { cause });
  }
}
