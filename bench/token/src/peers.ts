import { randomBytes, type KeyObject } from "node:crypto";
import { LENGTHS } from "./ambit.ts";
import type { Subject } from "./measure.ts";
import { NOW, TOOL } from "./scenario.ts";
import type { TokenSize } from "./sizes.ts";

export interface Peer {
  readonly subjects: readonly Subject[];
  readonly sizes: readonly TokenSize[];
}

export interface Key {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

const OPERATIONS = ["read", "list"];
const EXPIRES = new Date(NOW + 1_800_000).toISOString().replace(".000Z", "Z");
const AT = new Date(NOW).toISOString().replace(".000Z", "Z");

/** As many signatures as a chain and its proof have, over the same bytes, and nothing else of what a chain is. */
async function jose(key: Key, payload: Buffer): Promise<Peer> {
  const { CompactSign, compactVerify } = await import("jose");
  const sign = (): Promise<string> => new CompactSign(payload).setProtectedHeader({ alg: "Ed25519", typ: "aat+jwt" }).sign(key.privateKey);
  const token = await sign();
  const verify = (signatures: number) => async (): Promise<void> => {
    for (let index = 0; index < signatures; index++) await compactVerify(token, key.publicKey);
  };
  return {
    subjects: [
      ...LENGTHS.map((length): Subject => ({ name: "jose, as many signatures", length, base: "verify", run: verify(length + 1) })),
      { name: "jose, sign", base: "sign", run: sign },
    ],
    sizes: [],
  };
}

/** A right in the first block and one more check in each that follows. It has no proof of possession. */
async function biscuit(): Promise<Peer> {
  // It greets on the console, which is where the figures go.
  const { log } = console;
  console.log = () => undefined;
  const { AuthorizerBuilder, Biscuit, KeyPair, SignatureAlgorithm } = await import("@biscuit-auth/biscuit-wasm").finally(() => void (console.log = log));
  const pair = new KeyPair(SignatureAlgorithm.Ed25519);
  const root = pair.getPublicKey();
  const make = (length: number): ReturnType<typeof Biscuit.fromBytes> => {
    const first = Biscuit.builder();
    first.addCode(OPERATIONS.map((operation) => `right("${TOOL}", "${operation}");`).join(" ") + ` check if time($time), $time < ${EXPIRES};`);
    let token = first.build(pair.getPrivateKey());
    for (let depth = 1; depth < length; depth++) {
      const block = Biscuit.block_builder();
      block.addCode(`check if tool("${TOOL}"), records($n), $n <= ${25 - depth};`);
      token = token.appendBlock(block);
    }
    return token;
  };
  const limits = { max_facts: 1000, max_iterations: 100, max_time_micro: 1_000_000 };
  const verify = (bytes: Uint8Array) => (): void => {
    const token = Biscuit.fromBytes(bytes, root);
    const builder = new AuthorizerBuilder();
    builder.addCode(`tool("${TOOL}"); records(10); time(${AT}); allow if right("${TOOL}", "read");`);
    const authorizer = builder.buildAuthenticated(token);
    authorizer.authorizeWithLimits(limits); // throws unless a policy allows it
    authorizer.free();
    token.free();
  };
  const third = make(3);
  const append = (): void => {
    const block = Biscuit.block_builder();
    block.addCode(`check if tool("${TOOL}");`);
    third.appendBlock(block).free();
  };
  return {
    subjects: [
      ...LENGTHS.map((length): Subject => ({ name: "biscuit-wasm, verify + authorize", length, base: "verify", run: verify(make(length).toBytes()) })),
      { name: "biscuit-wasm, append a block", base: "sign", run: append },
    ],
    sizes: LENGTHS.map((length) => ({ name: "biscuit, binary", length, bytes: make(length).toBytes().length })),
  };
}

/** A caveat for each token of the chain. Whoever verifies it could have made it, and whoever saw it has it. */
async function macaroon(): Promise<Peer> {
  const { default: library } = await import("macaroon");
  const rootKey = randomBytes(32);
  const make = (length: number): ReturnType<typeof library.newMacaroon> => {
    const token = library.newMacaroon({ identifier: "task_contract_renewal_review_8842", location: "https://tools.acme.example", rootKey, version: 2 });
    for (let depth = 0; depth < length; depth++) token.addFirstPartyCaveat(`tool = ${TOOL} and records <= ${25 - depth}`);
    return token;
  };
  const accepted = new Set(Array.from({ length: 8 }, (_, depth) => `tool = ${TOOL} and records <= ${25 - depth}`));
  const check = (condition: string): string | null => (accepted.has(condition) ? null : "unknown condition");
  // As JSON: its binary writer doubles its buffer with every byte and soon has no memory left.
  const write = (length: number): string => JSON.stringify(make(length).exportJSON());
  const verify = (text: string) => (): void => library.importMacaroon(JSON.parse(text)).verify(rootKey, check);
  const third = make(3);
  return {
    subjects: [
      ...LENGTHS.map((length): Subject => ({ name: "macaroon, verify", length, base: "verify", run: verify(write(length)) })),
      { name: "macaroon, add a caveat", base: "sign", run: () => third.clone().addFirstPartyCaveat(`tool = ${TOOL}`) },
    ],
    sizes: LENGTHS.map((length) => ({ name: "macaroon, JSON", length, bytes: write(length).length })),
  };
}

/** Every peer, or why it cannot be measured here. */
export async function loadPeers(key: Key, payload: Buffer): Promise<ReadonlyMap<string, Peer | string>> {
  const makers = { jose: () => jose(key, payload), "biscuit-wasm": biscuit, macaroon };
  const peers = new Map<string, Peer | string>();
  for (const [name, make] of Object.entries(makers)) peers.set(name, await make().catch(reasonOf));
  return peers;
}

function reasonOf(error: unknown): string {
  return (error instanceof Error ? error.message : JSON.stringify(error)).split("\n", 1).join("");
}
