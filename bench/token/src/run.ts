import { generateKeyPairSync, sign, verify } from "node:crypto";
import { parseArgs } from "node:util";
import { signingKey, type PrivateJwk } from "@ambit/core/token";
import { ambitSubjects } from "./ambit.ts";
import { measure } from "./measure.ts";
import { loadPeers, type Peer } from "./peers.ts";
import { lines, type Report } from "./report.ts";
import { draftChain } from "./scenario.ts";
import { ambitSizes } from "./sizes.ts";
import { judge } from "./targets.ts";

const flags = { json: { type: "boolean", default: false }, rounds: { type: "string", default: "31" }, batch: { type: "string", default: "5" } } as const;
const { values } = parseArgs({ options: flags });
const [rounds, batchMilliseconds] = [Number(values.rounds), Number(values.batch)];
if (!Number.isSafeInteger(rounds) || rounds < 1) throw new TypeError("`--rounds` must be a whole number of at least 1");
if (!(batchMilliseconds > 0)) throw new TypeError("`--batch` must be a number of milliseconds above 0");

const pair = generateKeyPairSync("ed25519");
const issuer = await signingKey(pair.privateKey.export({ format: "jwk" }) as PrivateJwk);

// The bases work on the bytes of a root of ours, so that the length of what is signed is no difference.
const [token = ""] = (await draftChain(1, issuer)).chain.tokens;
const signed = Buffer.from(token.slice(0, token.lastIndexOf(".")));
const signature = Buffer.from(token.slice(token.lastIndexOf(".") + 1), "base64url");
const bases = { verify: () => verify(null, signed, pair.publicKey, signature), sign: () => sign(null, signed, pair.privateKey) };

const peers = await loadPeers(pair, Buffer.from(token.split(".")[1] ?? "", "base64url"));
const loaded = [...peers.values()].filter((peer): peer is Peer => typeof peer !== "string");

// Each library by itself, as in a process that uses it: the collections that one of them makes necessary would throw out what the engine has learned of the others.
const options = { rounds, warmUp: Math.ceil(rounds / 2), batchMilliseconds };
const { measured: ours, microseconds } = await measure(await ambitSubjects(issuer), bases, options);
const measured = [...ours];
for (const peer of loaded) measured.push(...(await measure(peer.subjects, bases, options)).measured);

const report: Report = {
  node: process.version,
  rounds,
  microseconds,
  measured,
  notMeasured: [...peers].flatMap(([peer, reason]) => (typeof reason === "string" ? [{ peer, reason }] : [])),
  sizes: [...(await ambitSizes(issuer)), ...loaded.flatMap((peer) => peer.sizes)],
  targets: judge(measured),
};
process.stdout.write(values.json ? `${JSON.stringify(report, null, 2)}\n` : `${lines(report).join("\n")}\n`);
