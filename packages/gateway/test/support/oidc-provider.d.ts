/** As much of it as the tests need; the package brings no types. */
declare module "oidc-provider" {
  import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
  interface Token {
    resourceServer: object;
    save(): Promise<string>;
  }
  interface TokenContext {
    readonly oidc: { readonly client: { readonly clientId: string }; readonly params: Readonly<Record<string, string | undefined>> };
    body: object;
  }
  export class Provider {
    constructor(issuer: string, configuration: object);
    callback(): RequestListener;
    interactionFinished(request: IncomingMessage, response: ServerResponse, result: object): Promise<void>;
    registerGrantType(name: string, handler: (context: TokenContext) => Promise<void>, parameters: readonly string[]): void;
    readonly Grant: new (properties: object) => {
      addOIDCScope(scope: string): void;
      addResourceScope(resource: string, scope: string): void;
      save(): Promise<string>;
    };
    readonly AccessToken: new (properties: object) => Token;
    readonly ResourceServer: new (resource: string, information: object) => object;
  }
  export const errors: { readonly InvalidGrant: new (message: string) => Error };
}
