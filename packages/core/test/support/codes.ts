import { AmbitError, type ErrorCode } from "../../src/errors.ts";

/** The code that `act` throws with; anything else that happens is said as it is. */
export function codeOf(act: () => unknown): ErrorCode | "nothing thrown" {
  try {
    act();
  } catch (error) {
    if (AmbitError.isInstance(error)) return error.code;
    throw error;
  }
  return "nothing thrown";
}

export async function rejectionOf(promise: Promise<unknown>): Promise<ErrorCode | "nothing thrown"> {
  try {
    await promise;
  } catch (error) {
    if (AmbitError.isInstance(error)) return error.code;
    throw error;
  }
  return "nothing thrown";
}
