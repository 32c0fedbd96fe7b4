/** The code that something rejected with; what it gave when it did not. */
export async function codeOf(act: (() => unknown) | Promise<unknown>): Promise<unknown> {
  try {
    return await (typeof act === "function" ? act() : act);
  } catch (error) {
    return (error as { readonly code?: unknown }).code ?? error;
  }
}
