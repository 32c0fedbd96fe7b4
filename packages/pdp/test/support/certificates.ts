import { generateKeyPairSync, randomBytes, sign, type KeyObject } from "node:crypto";

/** A certificate and its key, PEM. */
export interface Pair {
  readonly cert: string;
  readonly key: string;
}

/** Signs certificates that are good for a day. */
export interface Authority {
  readonly cert: string;
  /** With names such as `DNS:localhost`, `IP:127.0.0.1` and `URI:spiffe://example.org/gateway`. */
  issue(...names: readonly string[]): Pair;
}

/** X.509 version 3 (RFC 5280) in DER, as little of it as TLS asks for: Node reads certificates, and makes none. */
export function createAuthority(name: string): Authority {
  const own = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const certify = (subject: string, key: KeyObject, extensions: readonly Buffer[]): string => {
    const content = sequence(
      tagged(0xa0, integer(Buffer.from([2]))),
      integer(Buffer.concat([Buffer.from([1]), randomBytes(15)])),
      ECDSA_SHA256,
      nameOf(name),
      sequence(timeOf(Date.now() - 3_600_000), timeOf(Date.now() + 86_400_000)),
      nameOf(subject),
      key.export({ type: "spki", format: "der" }),
      tagged(0xa3, sequence(...extensions)),
    );
    const signature = sign("sha256", content, own.privateKey);
    const whole = sequence(content, ECDSA_SHA256, tagged(0x03, Buffer.from([0]), signature));
    return `-----BEGIN CERTIFICATE-----\n${whole
      .toString("base64")
      .match(/.{1,64}/g)
      ?.join("\n")}\n-----END CERTIFICATE-----\n`;
  };
  return {
    // basicConstraints, critical: it is an authority.
    cert: certify(name, own.publicKey, [sequence(objectId(0x55, 0x1d, 0x13), TRUE, tagged(0x04, sequence(TRUE)))]),
    issue: (...names) => {
      const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
      const subjectAltName = sequence(objectId(0x55, 0x1d, 0x11), tagged(0x04, sequence(...names.map(generalName))));
      return {
        cert: certify(names[0] ?? "nobody", publicKey, [subjectAltName]),
        key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
      };
    },
  };
}

function tagged(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}

const sequence = (...parts: readonly Buffer[]): Buffer => tagged(0x30, ...parts);
const integer = (bytes: Buffer): Buffer => tagged(0x02, bytes);
const objectId = (...bytes: readonly number[]): Buffer => tagged(0x06, Buffer.from(bytes));
const TRUE = tagged(0x01, Buffer.from([0xff]));
const ECDSA_SHA256 = sequence(objectId(0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02));

/** A common name, and nothing else. */
function nameOf(name: string): Buffer {
  return sequence(tagged(0x31, sequence(objectId(0x55, 0x04, 0x03), tagged(0x0c, Buffer.from(name)))));
}

function timeOf(time: number): Buffer {
  return tagged(
    0x17,
    Buffer.from(
      `${new Date(time)
        .toISOString()
        .replaceAll(/[-:T]|\.\d+/g, "")
        .slice(2)}`,
    ),
  );
}

const KINDS: { readonly [kind: string]: number } = { DNS: 0x82, URI: 0x86, IP: 0x87 };

function generalName(name: string): Buffer {
  const kind = name.slice(0, name.indexOf(":"));
  const value = name.slice(kind.length + 1);
  return tagged(KINDS[kind] as number, kind === "IP" ? Buffer.from(value.split(".").map(Number)) : Buffer.from(value));
}
