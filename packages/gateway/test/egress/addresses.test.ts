import { describe, expect, it } from "vitest";
import { readAddresses } from "../../src/egress/addresses.ts";
import { codeOf } from "../support/outcome.ts";

const PRIVATE =
  `0.0.0.0 0.255.255.255 10.0.0.1 100.64.0.1 100.127.255.255 127.0.0.1 127.255.255.255 169.254.0.1 172.16.0.1 172.31.255.255 192.0.0.1 192.0.2.1 192.88.99.1
  192.168.0.1 198.18.0.1 198.19.255.255 198.51.100.1 203.0.113.1 224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255
  :: ::1 ::127.0.0.1 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:8.8.8.8 ::ffff:0:8.8.8.8 64:ff9b::7f00:1 64:ff9b::8.8.8.8 64:ff9b:1::1 100::1 2001::1 2001:10::1 2001:20::1 2001:db8::1
  2002:7f00:1:: 2002:808:808:: 3fff::1 5f00::1 fc00::1 fd00:ec2::254 fe80::1 fe80::1%eth0 fec0::1 ff02::1`.split(/\s+/);
const METADATA =
  "169.254.169.254 169.254.170.2 169.254.170.23 168.63.129.16 192.0.0.192 100.100.100.200 fd00:ec2::254 ::ffff:169.254.169.254 64:ff9b::a9fe:a9fe".split(" ");
const PUBLIC =
  "1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 172.15.255.255 172.32.0.0 223.255.255.255 2606:4700::1111 2a00:1450::1 2001:4860::1".split(
    " ",
  );

describe("addresses", () => {
  it("that are not public are out of reach", () => {
    const { mayReach, isListed } = readAddresses([]);
    for (const address of [...PRIVATE, ...METADATA]) expect(mayReach(address), address).toBe(false);
    for (const address of PUBLIC) expect(mayReach(address), address).toBe(true);
    for (const address of PUBLIC) expect(isListed(address), address).toBe(false);
  });

  it("are only what Node calls one", () => {
    const { mayReach, isListed } = readAddresses(["0.0.0.0/0", "::/0"]);
    for (const text of ["", "localhost", "127.1", "0x7f000001", "2130706433", "0177.0.0.1", "127.0.0.1 ", "1.1.1.1:80", "[::1]", "1.1.1.1\0"]) {
      expect([mayReach(text), isListed(text)], text).toEqual([false, false]);
    }
  });

  it("that are listed are in reach, in each way of writing them, and none beside them", () => {
    const { mayReach, isListed } = readAddresses(["127.0.0.1", "10.1.0.0/16", "fd12::/16"]);
    for (const address of ["127.0.0.1", "::ffff:127.0.0.1", "::ffff:7f00:1", "10.1.255.255", "fd12:3::4"])
      expect([mayReach(address), isListed(address)]).toEqual([true, true]);
    for (const address of ["127.0.0.2", "10.2.0.1", "10.0.255.255", "fd13::1", "::1"]) expect(mayReach(address), address).toBe(false);
  });

  it("of metadata services are in reach by themselves, by no range", () => {
    const ranges = readAddresses([
      "169.254.0.0/16",
      "100.64.0.0/10",
      "192.0.0.0/24",
      "168.63.0.0/16",
      "fc00::/7",
      "64:ff9b::/96",
      "::ffff:0:0/96",
      "169.254.169.254/32",
    ]);
    for (const address of METADATA) expect(ranges.mayReach(address), address).toBe(false);
    expect(ranges.mayReach("169.254.1.1")).toBe(true);
    expect(readAddresses(["169.254.169.254"]).mayReach("169.254.169.254")).toBe(true);
  });

  it("that are none are refused as options", async () => {
    for (const entry of [
      "",
      "localhost",
      "10.0.0.0/33",
      "::/129",
      "10.0.0.0/",
      "10.0.0.0/-1",
      "10.0.0.0/8/8",
      "127.1",
      "/8",
      "10.0.0.0/8x",
      "fe80::1%eth0",
      "10.0.0.0/ 8",
    ]) {
      expect(await codeOf(() => readAddresses([entry])), entry).toBe("option_invalid");
    }
  });
});
