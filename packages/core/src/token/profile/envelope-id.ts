/** By which ledgers, revocations and records name a signed envelope: its token's own digest, which nobody can choose. */
export function envelopeIdOf({ leaf }: { readonly leaf: { readonly hash: string } }): string {
  return `env_${leaf.hash}`;
}
