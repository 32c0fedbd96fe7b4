import { AmbitError } from "../errors.ts";

/** What a verifier accepts at most. Draft section 4.3, 4.4 and 3.4; the last five are ours, because the draft leaves them open. */
export interface TokenLimits {
  /** MAX_TOKEN_SIZE, bytes of one compact token. */
  readonly tokenBytes: number;
  /** MAX_CHAIN_SIZE, bytes of all tokens of a chain together. */
  readonly chainBytes: number;
  /** MAX_DELEGATION_DEPTH, at least 8. */
  readonly delegationDepth: number;
  /** MAX_IAT_SKEW, seconds. */
  readonly issuedAtSkew: number;
  /** MAX_TOKEN_LIFETIME, seconds. */
  readonly tokenLifetime: number;
  /** MAX_CONSTRAINT_DEPTH; a constraint other than `all` and `any` has depth 1. */
  readonly constraintDepth: number;
  /** Seconds that the `iat` of a proof may differ from now, either way. */
  readonly popWindow: number;
  /** Tools of one token. */
  readonly tools: number;
  /** Named arguments of one tool. */
  readonly toolArguments: number;
  /** Clauses and listed values of one argument's constraint together: subsumption compares each of one token with each of the next. */
  readonly constraintItems: number;
  /** Characters of a tool id. */
  readonly toolIdLength: number;
  /** Characters of the arguments of a call. */
  readonly argumentsLength: number;
}

export const TOKEN_LIMITS: TokenLimits = Object.freeze({
  tokenBytes: 65_536,
  chainBytes: 262_144,
  delegationDepth: 8,
  issuedAtSkew: 30,
  tokenLifetime: 7_776_000,
  constraintDepth: 32,
  popWindow: 30,
  tools: 256,
  toolArguments: 64,
  constraintItems: 1024,
  toolIdLength: 256,
  argumentsLength: 262_144,
});

/** The bounds within which a limit can be set; a depth below 8 would refuse chains that every conforming verifier takes. */
const BOUNDS: { readonly [limit in keyof TokenLimits]: readonly [least: number, most: number] } = {
  tokenBytes: [1024, 1_048_576],
  chainBytes: [1024, 4_194_304],
  delegationDepth: [8, 64],
  issuedAtSkew: [0, 300],
  tokenLifetime: [1, 7_776_000],
  constraintDepth: [1, 48],
  popWindow: [1, 60],
  tools: [1, 4096],
  toolArguments: [1, 1024],
  constraintItems: [1, 4096],
  toolIdLength: [1, 4096],
  argumentsLength: [2, 4_194_304],
};

/** The default limits with some of them changed. Throws `option_invalid` for a limit that is not there or that no limit may be. */
export function tokenLimits(changes?: Partial<TokenLimits>): TokenLimits {
  if (changes === undefined) return TOKEN_LIMITS;
  for (const [name, value] of Object.entries(changes)) {
    const [least, most] = Object.hasOwn(BOUNDS, name) ? BOUNDS[name as keyof TokenLimits] : [1, 0];
    if (!Number.isSafeInteger(value) || value < least || value > most) {
      throw new AmbitError(
        "option_invalid",
        least > most ? `there is no limit \`${name}\`` : `limit \`${name}\` must be a whole number from ${least} to ${most}`,
      );
    }
  }
  return Object.freeze({ ...TOKEN_LIMITS, ...changes });
}
