// The package has no types; these are the parts that are measured.
declare module "macaroon" {
  interface Macaroon {
    addFirstPartyCaveat(condition: string): void;
    clone(): Macaroon;
    exportJSON(): object;
    verify(rootKey: Uint8Array, check: (condition: string) => string | null, discharges?: readonly Macaroon[]): void;
  }
  const library: {
    newMacaroon(options: { readonly identifier: string; readonly location: string; readonly rootKey: Uint8Array; readonly version: 2 }): Macaroon;
    importMacaroon(json: unknown): Macaroon;
  };
  export = library;
}
