import { BlockList, isIP } from "node:net";
import { AmbitError } from "@ambit/core";

/** IANA's special-purpose registry of IPv4 (RFC 6890 and its successors), multicast and what is reserved. */
const SPECIAL_IPV4 = `0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.0.2.0/24 192.31.196.0/24 192.52.193.0/24
  192.88.99.0/24 192.168.0.0/16 192.175.48.0/24 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 224.0.0.0/4 240.0.0.0/4`;
/**
 * What IANA has handed out of IPv6, without what stands for something else in it: protocol assignments with Teredo, documentation, 6to4. IPv4-mapped addresses (`::ffff:0:0/96`) and
 * NAT64 (`64:ff9b::/96`) lie outside.
 */
const GLOBAL_IPV6 = "2000::/3";
const SPECIAL_IPV6 = "2001::/23 2001:db8::/32 2002::/16 2620:4f:8000::/48 3fff::/20";
/** Where clouds hand credentials to whoever asks: AWS (EC2, ECS, EKS), Azure, Google, Oracle, Alibaba. */
const METADATA = `169.254.169.254 169.254.170.2 169.254.170.23 168.63.129.16 192.0.0.192 100.100.100.200 fd00:ec2::254 fd00:ec2::23 fd20:ce::254
  64:ff9b::169.254.169.254`;

const special = listOf(`${SPECIAL_IPV4} ${SPECIAL_IPV6}`.split(/\s+/));
const global = listOf([GLOBAL_IPV6]);
const metadata = listOf(METADATA.split(/\s+/));

export interface Addresses {
  /** True for an address that the operator listed. */
  isListed(address: string): boolean;
  /** True for a public address, and for a listed one. What is no address is none of them. */
  mayReach(address: string): boolean;
}

/**
 * Reads which addresses that are not public may be reached: addresses (`::1`) and ranges (`10.0.0.0/8`). Names are none: whoever answers for a name in the DNS would choose the
 * address. A metadata service is reached only when its very address is listed, never by a range around it. Throws `option_invalid`.
 */
export function readAddresses(allowPrivate: readonly string[]): Addresses {
  const exact = listOf(allowPrivate.filter((entry) => isIP(entry) !== 0));
  const listed = listOf(allowPrivate);
  const isListed = (address: string): boolean => (has(metadata, address) ? has(exact, address) : has(listed, address));
  return { isListed, mayReach: (address) => isListed(address) || isPublic(address) };
}

function isPublic(address: string): boolean {
  if (has(special, address) || has(metadata, address)) return false;
  const family = isIP(address);
  return family === 4 || (family === 6 && has(global, address));
}

function has(list: BlockList, address: string): boolean {
  const family = isIP(address);
  return family !== 0 && list.check(address, family === 4 ? "ipv4" : "ipv6");
}

function listOf(entries: readonly string[]): BlockList {
  const list = new BlockList();
  for (const entry of entries) {
    const [, address = "", prefix] = /^([0-9a-f:.]+)(?:\/(\d{1,3}))?$/i.exec(entry) ?? [];
    const family = isIP(address);
    const bits = family === 4 ? 32 : 128;
    if (family === 0 || Number(prefix ?? bits) > bits)
      throw new AmbitError("option_invalid", "an entry of `allowPrivate` is neither an address nor a range of addresses");
    list.addSubnet(address, Number(prefix ?? bits), family === 4 ? "ipv4" : "ipv6");
  }
  return list;
}
