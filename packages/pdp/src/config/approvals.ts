import type { NamedKey } from "@ambit/core/identity";
import { parseApprovers, type Approvers } from "../approvals/approvers.ts";
import { parseRule, type ApprovalRule } from "../approvals/demand.ts";
import type { Webhook } from "../approvals/webhook/webhook.ts";
import { readPrivate } from "./keys.ts";
import type { Reader } from "./reader.ts";
import type { Environment } from "./state.ts";
import { parseWebhook } from "./webhooks.ts";

/** How people are asked, as it is configured. */
export interface ApprovalConfig {
  readonly rules: readonly ApprovalRule[];
  readonly approvers: Approvers;
  /** Milliseconds. */
  readonly lifetime: number;
  /** What vouched answers are signed with; absent: the key of `signing`, or one of this process where nobody else reads them. */
  readonly key: NamedKey | undefined;
  /** Who is told of new requests. */
  readonly webhooks: readonly Webhook[];
}

const QUARTER_OF_AN_HOUR = 900;

const MOST_WEBHOOKS = 16;

/** Reads `approvals` of the configuration. `read` opens a part that may be a path. */
export async function parseApprovals(
  reader: Reader,
  read: (part: Reader, name: string, isSecret?: boolean) => Promise<Reader>,
  env: Environment,
): Promise<ApprovalConfig> {
  reader.members([], ["rules", "approvers", "lifetime_seconds", "key", "webhooks"]);
  const [rules, approvers, lifetime, key] = [reader.at("rules"), reader.at("approvers"), reader.at("lifetime_seconds"), reader.at("key")];
  const seconds = lifetime.isAbsent ? QUARTER_OF_AN_HOUR : lifetime.count();
  if (seconds < 1 || seconds > 604_800) lifetime.fail("must be from a second to a week");
  const webhooks = reader.at("webhooks").isAbsent ? [] : reader.at("webhooks").elements();
  if (webhooks.length > MOST_WEBHOOKS) reader.at("webhooks").fail(`has more than ${MOST_WEBHOOKS} entries`);
  return {
    rules: rules.isAbsent ? [] : rules.elements().map(parseRule),
    approvers: approvers.isAbsent ? new Map() : parseApprovers(await read(approvers, "the approvers")),
    lifetime: seconds * 1000,
    key: key.isAbsent ? undefined : await readPrivate(await read(key, "the key of approvals", true)),
    webhooks: webhooks.map((webhook) => parseWebhook(webhook, env)),
  };
}
