import { createHash } from "node:crypto";
import { PDP_CAPABILITY, type Terms } from "@ambit/core";
import { TERMS_PATH, termsAnswer } from "@ambit/core/pdp-client";
import type { Route } from "./route.ts";
import type { ServedPdp } from "./served-pdp.ts";

/** The terms, written once for as long as they are the same, with a name for those that know them. */
export function termsRoute(pdp: ServedPdp, url: string): Route {
  let written: { readonly terms: Terms; readonly body: string; readonly etag: string } | undefined;
  return {
    method: "GET",
    path: TERMS_PATH,
    role: "enforce",
    handle: async ({ headers }) => {
      const terms = await pdp.terms();
      if (written?.terms !== terms) {
        const body = textOf(pdp, url, terms);
        written = { terms, body, etag: `"${createHash("sha256").update(body).digest("base64url")}"` };
      }
      const { body, etag } = written;
      if (headers.get("if-none-match") === etag) return { status: 304, headers: { etag } };
      return { text: { type: "application/json", body }, headers: { etag } };
    },
  };
}

function textOf(pdp: ServedPdp, url: string, { order: { vocabulary, purposes }, audience }: Terms): string {
  const { purposes: catalogue, tools } = pdp.catalogue();
  const document = {
    policyDecisionPoint: url,
    capability: PDP_CAPABILITY,
    audience,
    vocabulary: { digest: vocabulary.digest, kinds: Object.fromEntries(vocabulary.kinds) },
    purposes: { digest: purposes.digest, catalogue },
    tools,
  };
  return JSON.stringify(termsAnswer.write(document));
}
