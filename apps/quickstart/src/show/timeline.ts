import type { AccessRequest, Decision, Envelope, HandOffRequest, IssueAnswer, Obligation, Pdp, Refusal } from "@ambit/core";
import type { DecisionLog, RecordBody } from "@ambit/core/audit";
import { brief, wrapped, type Screen } from "./screen.ts";

/** Shows what is asked, what is decided and why, as it happens. It looks on: what it returns is what it was given. */
export interface Timeline {
  readonly heading: (text: string) => void;
  readonly note: (text: string) => void;
  readonly watchLog: (log: DecisionLog) => DecisionLog;
  readonly watchPdp: (pdp: Pdp) => Pdp;
}

const INDENT = " ".repeat(13);

export function createTimeline(screen: Screen): Timeline {
  const { paint, line, width } = screen;
  const records = new Map<string, RecordBody>();
  let speaker = "";

  const speak = (agent: string): void => {
    if (agent !== speaker) line(`  ${paint("cyan", agent)}`);
    speaker = agent;
  };
  const permitted = (what: string, asked: string, why: readonly string[]): void => {
    line(`    ${paint("green", "✔ permit")} ${paint("bold", what.padEnd(16))} ${asked}`);
    line(paint("dim", wrapped([...new Set(why)].join("; "), INDENT, width)));
  };
  const refused = (what: string, asked: string, { code, message }: Pick<Refusal, "code" | "message">): void => {
    line(`    ${paint("red", "✘ deny  ")} ${paint("bold", what.padEnd(16))} ${asked}`);
    // The code stands out; the text is wrapped with it, so that both come to the same width.
    line(paint("dim", wrapped(`${code}: ${message}`, INDENT, width)).replace(`${code}:`, paint("red", `${code}:`)));
  };
  const policies = (id: string): readonly string[] => (records.get(id)?.details["policies"] as readonly string[] | undefined) ?? [];

  const decided = ({ context, action }: AccessRequest, { decision, context: answer }: Decision): void => {
    speak(context.agent);
    const tool = records.get(answer.id)?.details["tool"] ?? action.name;
    const asked = brief(context.arguments, width - 30);
    if (!decision) return refused(String(tool), asked, answer.refusal ?? { code: "pdp_response_invalid", message: "no reason was given" });
    permitted(String(tool), asked, [`policy ${policies(answer.id).join(", ")}`, ...(answer.obligations ?? []).flatMap(describeObligation)]);
  };
  const handedOff = ({ agent, narrowing, excerpts }: HandOffRequest, answer: IssueAnswer): void => {
    speak(agent);
    const excerptText = excerpts.map(({ label, dataClasses }) => `${label} (${dataClasses.join(", ")})`).join(", ");
    const asked = `to ${narrowing.agentId} with ${(narrowing.allowedTools ?? []).join(", ")}`;
    if (!answer.decision) return refused("hand-off", asked, answer.refusal);
    permitted("hand-off", asked, [`policy ${policies(answer.id).join(", ")}`, `instead of access, an excerpt: ${excerptText}`]);
  };

  return {
    heading: (text) => {
      screen.heading(text);
      speaker = "";
    },
    note: (text) => {
      line(paint("dim", `  ${text}`));
      speaker = "";
    },
    watchLog: (log) => ({
      append: async (body) => {
        const receipt = await log.append(body);
        if (body.kind !== "outcome") records.set(body.decision_id, body);
        return receipt;
      },
    }),
    watchPdp: (pdp) => ({
      ...pdp,
      decide: async (request) => {
        const decision = await pdp.decide(request);
        decided(request, decision);
        return decision;
      },
      handOff: async (request) => {
        const answer = await pdp.handOff(request);
        handedOff(request, answer);
        return answer;
      },
    }),
  };
}

/** What the enforcement point has to do with the result, in words. */
function describeObligation({ type, properties }: Obligation): readonly string[] {
  switch (type) {
    case "limit_records":
      return [`at most ${properties.max} ${properties.max === 1 ? "record" : "records"}`];
    case "filter_records":
      return [`only ${lastOf(properties.pointer)}=${String(properties.constraint)}`];
    case "redact_fields":
      return [`without ${properties.pointers.map(lastOf).join(", ")}`];
    case "report_money":
      return ["it spends what its answer says"];
    case "label_output":
      return properties.integrity === "untrusted" ? ["its answer is untrusted"] : [];
  }
}

function lastOf(pointer: string): string {
  return pointer.slice(pointer.lastIndexOf("/") + 1);
}

/** Shows the envelope that a task runs under. */
export function showEnvelope({ line, paint, heading, width }: Screen, envelope: Envelope): void {
  const constraints = Object.entries(envelope.resourceConstraints).map(
    ([key, value]) => [key, Array.isArray(value) ? value.join(", ") : String(value)] as const,
  );
  const rows = [
    ["for", `${envelope.delegatorId} of ${envelope.tenantId}`],
    ["held by", envelope.agentId],
    ["purpose", envelope.purpose],
    ["tools", envelope.allowedTools.join(", ")],
    ["to hand on", envelope.mayDelegate.join(", ")],
    ...constraints,
    ["until", new Date(envelope.expiresAt).toISOString()],
  ] as const;
  heading("The envelope");
  for (const [name, value] of rows) line(`  ${paint("dim", name.padEnd(12))} ${wrapped(value, " ".repeat(15), width).trimStart()}`);
}
