import { AmbitError } from "../errors.ts";
import { malformed, parseDecision, parseRedemption } from "../pdp/decision.ts";
import { PDP_CAPABILITY, type IssueAnswer, type Pdp } from "../pdp/pdp.ts";
import type { Terms } from "../pdp/terms.ts";
import { createAsker, type Ask } from "./asker.ts";
import { createBreaker } from "./breaker.ts";
import { createTransport } from "./exchange.ts";
import { createKnownChains } from "./known-chains.ts";
import { authorizer, checkedUrl, whole, type PdpClientOptions } from "./options.ts";
import { envelopeIn, mustBeTold, refusalIn, refusedHere, tell, tellWith, throwRefusal } from "./question.ts";
import { createTermsSource } from "./terms.ts";
import type { IssueOnWire } from "./wire/answers.ts";
import { ENDPOINTS } from "./wire/endpoints.ts";

/** A client of the service. Closing it closes its connections; it can be asked nothing afterwards. */
export interface PdpClient extends Pdp, AsyncDisposable {
  close(): Promise<void>;
}

/**
 * The decision point behind a URL. Fails closed: whatever the service does, each method answers within the deadline or rejects with `pdp_unavailable`, `pdp_timeout`
 * or `pdp_response_invalid`, which the enforcement point turns into a deny.
 *
 * @remarks
 * Agents need keys of their own (`keys` of `createPep`): a handle does not leave the process that gave it out.
 *
 * Throws `option_invalid` for a URL that is not `https:`, and for options out of their bounds.
 */
export function pdpClient(url: string, options: PdpClientOptions): PdpClient {
  const { now = Date.now, onProblem = () => {}, termsLifetime = 60_000 } = options;
  const source = createTermsSource(url.replace(/\/$/, ""), whole(termsLifetime, "termsLifetime", 0, 86_400_000), now);
  const chains = createKnownChains();
  const connection = connect(url, options, now);

  const asking = async <T>(run: (ask: Ask) => Promise<T>): Promise<T> => {
    try {
      return await connection.asker(run);
    } catch (error) {
      if (AmbitError.isInstance(error)) hear(onProblem, error);
      throw error;
    }
  };
  const termsBy = async (ask: Ask): Promise<Terms> => source.fresh() ?? source.read(ask);
  /** One question for all who wait. */
  let reading: Promise<Terms> | undefined;
  const readTerms = (): Promise<Terms> => (reading ??= asking(termsBy).finally(() => (reading = undefined)));

  const issueAnswer = async (ask: Ask, { decision, id, issued, refusal }: IssueOnWire, shown?: readonly string[]): Promise<IssueAnswer> => {
    if (!decision) return { decision, id, refusal: refusal ?? malformed("denies without a refusal") };
    const chain = issued?.chain ?? shown;
    if (issued === undefined || chain === undefined) return malformed("permits without an envelope");
    const { order } = await termsBy(ask);
    chains.note(chain);
    const { envelopeId, lineage, depth } = issued;
    return { decision, id, issued: { envelopeId, lineage, depth, envelope: envelopeIn(issued, order), holding: Object.freeze({ kind: "chain", chain }) } };
  };

  return Object.freeze<PdpClient>({
    capability: PDP_CAPABILITY,
    terms: async () => source.fresh() ?? readTerms(),
    begin: async ({ holder, continues, ...request }) => {
      if (holder === undefined)
        return refusedHere("holder_mismatch", "the agent has no key to bind the envelope to", `give the key of \`${request.agent}\` in \`keys\``);
      return asking(async (ask) => {
        const { begin } = ENDPOINTS;
        // Not asked again once it may have been read: it would be a second root, and a proof of the delegator is taken once.
        const told =
          continues === undefined
            ? await tell(ask, begin, { ...request, holder }, "never_sent")
            : await tellWith(ask, chains, begin, continues, (shown) => ({ ...request, holder, continues: shown }), "never_sent");
        return issueAnswer(ask, mustBeTold(told).message);
      });
    },
    introduce: (request) => asking(async (ask) => issueAnswer(ask, mustBeTold(await tell(ask, ENDPOINTS.introduce, request, "always")).message, request.chain)),
    handOff: async () =>
      refusedHere(
        "envelope_malformed",
        "what is behind a handle is handed off in the process that gave it out",
        "give the agents keys: a child is then signed by its holder",
      ),
    decide: ({ context: { presentation, ...context }, ...request }) =>
      asking(async (ask) => {
        const told = await tellWith(
          ask,
          chains,
          ENDPOINTS.decide,
          presentation,
          (shown) => ({ ...request, context: { ...context, presentation: shown } }),
          "always",
        );
        if (told.kind === "too_large") {
          const { decision, id, refusal } = refusedHere("argument_not_allowed", "the arguments are too large to be decided");
          return { decision, context: { id, refusal } };
        }
        const decision = parseDecision(told.message);
        // A proof names the tool and the verifier as the terms have them: it is refused where they have changed.
        const code = decision.context.refusal?.code;
        if (code === "pop_invalid" || code === "audience_mismatch") source.expire();
        return decision;
      }),
    redeem: ({ presentation, ...request }) =>
      asking(async (ask) => {
        const told = await tellWith(ask, chains, ENDPOINTS.redeem, presentation, (shown) => ({ ...request, presentation: shown }), "always");
        const answer = mustBeTold(told);
        const refusal = refusalIn(answer);
        if (refusal !== undefined) return { redeemed: false, refusal };
        return parseRedemption({ redeemed: true, receipt: answer.message.receipt });
      }),
    settle: async ({ presentation, ...outcome }) => {
      const refusal = await asking(async (ask) =>
        refusalIn(mustBeTold(await tellWith(ask, chains, ENDPOINTS.settle, presentation, (shown) => ({ ...outcome, presentation: shown }), "always"))),
      );
      throwRefusal(refusal);
      return { recorded: true };
    },
    end: async ({ presentation, ...request }) => {
      const refusal = await asking(async (ask) =>
        refusalIn(mustBeTold(await tellWith(ask, chains, ENDPOINTS.end, presentation, (shown) => ({ ...request, presentation: shown }), "always"))),
      );
      throwRefusal(refusal);
      return { ended: true };
    },
    close: connection.close,
    [Symbol.asyncDispose]: connection.close,
  });
}

function connect(
  url: string,
  options: PdpClientOptions,
  now: () => number,
): { readonly asker: ReturnType<typeof createAsker>; readonly close: () => Promise<void> } {
  const { credentials, deadline = 250, retries = 2, breaker = { failures: 5, pause: 1000 } } = options;
  const { mostBytes = 1_048_576, connections = 64, ca, allowLoopback = false } = options;
  const checked = checkedUrl(url, allowLoopback);
  const authorize = authorizer(credentials, checked, now);
  const transport = createTransport({
    url: checked,
    ca,
    certificate: credentials.kind === "certificate" ? { cert: credentials.cert, key: credentials.key } : undefined,
    mostBytes: whole(mostBytes, "mostBytes", 1024, 67_108_864),
    connections: whole(connections, "connections", 1, 4096),
  });
  const asker = createAsker({
    transport,
    breaker: createBreaker({ failures: whole(breaker.failures, "breaker.failures", 1, 1000), pause: whole(breaker.pause, "breaker.pause", 1, 600_000), now }),
    deadline: whole(deadline, "deadline", 1, 60_000),
    retries: whole(retries, "retries", 0, 10),
    authorize,
  });
  let isClosed = false;
  return {
    asker: (run) => (isClosed ? Promise.reject(new AmbitError("pdp_unavailable", "the client of the decision point was closed")) : asker(run)),
    close: async () => {
      isClosed = true;
      transport.close();
    },
  };
}

function hear(onProblem: (error: AmbitError) => void, error: AmbitError): void {
  try {
    onProblem(error);
  } catch {
    // Whoever hears of it cannot put another error in its place.
  }
}
