import { FAILURES } from "../failure.ts";
import { longOf } from "../longs.ts";
import type { DecimalValue } from "../values.ts";

const FORM = /^(-?)(\d+)\.(\d{1,4})$/;

/** The longest decimal has 15 digits before the point; zeros may stand before them. */
const MAX_DIGITS = 15;

/** Cedar's `decimal("12.34")`: digits on both sides of the point, at most four behind it, 64 bits in ten-thousandths. */
export function decimalOf(text: string): DecimalValue {
  const [, sign, whole = "", places = ""] = FORM.exec(text) ?? fail();
  const digits = whole.replace(/^0+/, "");
  if (digits.length > MAX_DIGITS) fail();
  const scaled = BigInt(`${digits}${places.padEnd(4, "0")}`);
  return { kind: "decimal", scaled: longOf(sign === "-" ? -scaled : scaled) };
}

function fail(): never {
  throw FAILURES.extension;
}
