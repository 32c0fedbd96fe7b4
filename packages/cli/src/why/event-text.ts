import { isJsonObject, own, type Json } from "@ambit/core";
import type { LogRecord, UnderEnvelope } from "@ambit/core/audit";
import { printable } from "../infer/printable.ts";
import { shown } from "../output/shown.ts";

/** A record in a few words, as something that happened before or after another. */
export function eventText(record: LogRecord): string {
  const { kind, details, decision_id: id, envelope } = record;
  const at = (member: string): Json | undefined => own(details, member);
  const text = (member: string): string => shown(at(member) ?? "unknown");
  switch (kind) {
    case "outcome":
      return [
        `it ended as ${text("status")}`,
        ...recordsText(at("records")),
        ...moneyText(at("money")),
        ...exceededText(at("exceeded")),
        ...labelsText(at("integrity"), at("data_classes")),
      ].join(", ");
    case "reconcile":
      return [
        `${text("by")} found that it ${at("status") === "done" ? "took effect" : "never ran"}`,
        ...(at("used") === undefined ? [] : [`and used ${text("used")}`]),
        ...exceededText(at("exceeded")),
        ...reasonText(at("reason")),
      ].join(", ");
    case "decision":
      return `${shown(id)}: ${at("decision") === "permit" ? "permitted" : text("code")}`;
    case "approval_answer":
      return `${text("approver")} answered ${text("decision")}; the request is ${text("status")}`;
    case "end":
      return `${shown(envelope)} was ended, and with it everything derived from it`;
    case "revoke":
      return [`${text("by")} revoked ${text("scope")}${at("id") === undefined ? "" : ` ${text("id")}`}`, ...reasonText(at("reason"))].join(": ");
    default:
      return `${printable(kind)} ${shown(id)}`;
  }
}

function recordsText(records: Json | undefined): readonly string[] {
  return typeof records === "number" ? [records === 1 ? "1 record" : `${records} records`] : [];
}

function moneyText(money: Json | undefined): readonly string[] {
  if (money === undefined || !isJsonObject(money)) return [];
  return [`${shown(own(money, "amount") ?? "unknown")} minor units of ${shown(own(money, "currency") ?? "unknown")} spent`];
}

function exceededText(units: Json | undefined): readonly string[] {
  return units === undefined ? [] : [`MORE than was reserved of ${shown(units)}`];
}

function reasonText(reason: Json | undefined): readonly string[] {
  return typeof reason === "string" ? [printable(reason, 400)] : [];
}

function labelsText(integrity: Json | undefined, classes: Json | undefined): readonly string[] {
  const read = Array.isArray(classes) && classes.length > 0 ? [`data classes ${shown(classes)}`] : [];
  return [...(integrity === "untrusted" ? ["untrusted"] : []), ...read];
}

/** What was asked for under an envelope. */
export function outcomeWords({ permitted, denied, approvals, tools }: UnderEnvelope): string {
  if (permitted + denied + approvals === 0) return "nothing was asked for";
  const waited = approvals === 0 ? "" : `, ${approvals} waited for an approval`;
  return `${permitted} permitted, ${denied} denied${waited}: ${shown(tools)}`;
}
