import { signPop, type SigningKey } from "@ambit/core/token";
import { LENGTHS } from "./ambit.ts";
import { ARGS, AUDIENCE, draftChain, envelopeChain, NOW, TOOL, type Held } from "./scenario.ts";

export interface TokenSize {
  readonly name: string;
  /** Tokens of the chain. */
  readonly length: number;
  /** Of all of it together, as it is sent. */
  readonly bytes: number;
}

/** What our chains weigh; the proof is weighed by itself. */
export async function ambitSizes(issuer: SigningKey): Promise<readonly TokenSize[]> {
  const sizes: TokenSize[] = [];
  for (const length of LENGTHS) {
    const bytesOf = ({ chain }: Held): number => chain.tokens.reduce((sum, token) => sum + token.length, 0);
    const [draft, envelope] = [await draftChain(length, issuer), await envelopeChain(length, issuer)];
    sizes.push({ name: "ambit, chain (draft)", length, bytes: bytesOf(draft) }, { name: "ambit, chain (envelopes)", length, bytes: bytesOf(envelope) });
    const pop = await signPop({ leaf: envelope.chain.leaf, tool: TOOL, args: ARGS, audience: AUDIENCE, now: NOW }, envelope.holder);
    sizes.push({ name: "ambit, proof", length, bytes: pop.length });
  }
  return sizes;
}
