import { redirect } from "./answer.ts";
import { readAuthorizationRequest, type AuthorizationRequest } from "./authorization-request.ts";
import type { Browser } from "./browser.ts";
import type { Clients } from "./clients.ts";
import { disconnect, showConnections, shownIn } from "./connections.ts";
import { askForConsent, pendingOf, takeAnswer, type ConsentSetting } from "./consent.ts";
import { readForm, readParameters } from "./form.ts";
import { refusal } from "./page.ts";
import { PATHS } from "./places.ts";
import type { SignIn } from "./sign-in.ts";

export type Route = (asked: Request, parameters: URLSearchParams) => Promise<Response>;
/** By method and path. */
export type Routes = ReadonlyMap<string, Route>;

export interface UserPagesSetting extends ConsentSetting {
  readonly browser: Browser;
  readonly clients: Clients;
  readonly signIn: SignIn;
}

/** What the browsers of users ask for: signing in, allowing something, and ending it. */
export function createUserPages(setting: UserPagesSetting): Routes {
  const { places, seal, browser, clients, signIn } = setting;
  /** Sends the user to the provider; `request`: what is to be asked then, absent where the user came to see what there is. */
  const sendToSignIn = async (request?: AuthorizationRequest): Promise<Response> => {
    const { url, attempt } = await signIn.begin();
    const cookie = await browser.remember(attempt, request === undefined ? {} : { request });
    return cookie === undefined ? refusal("The program that sent you here sent too much.") : redirect(url, cookie);
  };
  const authorize = async (searchParams: URLSearchParams): Promise<Response> => {
    const form = readParameters(searchParams, ["resource"]);
    if (form === undefined) return refusal("The program that sent you here said something twice.");
    const read = await readAuthorizationRequest(form, clients, places);
    if ("untrusted" in read) return refusal(read.untrusted);
    return "answer" in read ? read.answer : sendToSignIn(read.request);
  };
  const comeBack = async (asked: Request, searchParams: URLSearchParams): Promise<Response> => {
    const state = searchParams.get("state") ?? "";
    const remembered = await browser.recall(asked, state);
    if (remembered === undefined) return refusal("This browser has not begun to sign in, or too long ago.");
    const signedIn = await signIn.finish(searchParams, remembered.attempt);
    if (signedIn === undefined) return refusal("You could not be signed in.");
    const { request } = remembered.content as { readonly request?: AuthorizationRequest };
    return request === undefined ? showConnections(setting, state, signedIn.user) : askForConsent(setting, state, request, signedIn);
  };
  /** A form counts when it comes from a page of ours, in the browser that it was shown in. */
  const isOfThisBrowser = async (asked: Request, state: string | undefined): Promise<boolean> =>
    asked.headers.get("origin") === places.issuer && state !== undefined && (await browser.recall(asked, state)) !== undefined;
  const answered = async (asked: Request): Promise<Response> => {
    const form = await readForm(asked, ["tool"]);
    const pending = form === undefined ? undefined : await pendingOf(setting, form);
    if (form === undefined || pending === undefined || !(await isOfThisBrowser(asked, pending.state)))
      return refusal("This is not an answer to what you were asked.", 403);
    return (
      (await takeAnswer(setting, form, pending, browser.forget(pending.state))) ?? refusal("This was answered already, or with something that was not offered.")
    );
  };
  const disconnected = async (asked: Request): Promise<Response> => {
    const form = await readForm(asked);
    const shown = form === undefined ? undefined : await shownIn(seal, form);
    if (form === undefined || shown === undefined || !(await isOfThisBrowser(asked, shown.state)))
      return refusal("This is not an answer to what you were asked.", 403);
    return disconnect(setting, form, shown);
  };

  return new Map<string, Route>([
    [`GET ${PATHS.authorize}`, (_, parameters) => authorize(parameters)],
    [`GET ${PATHS.callback}`, comeBack],
    [`POST ${PATHS.consent}`, answered],
    [`GET ${PATHS.connections}`, () => sendToSignIn()],
    [`POST ${PATHS.connections}`, disconnected],
  ]);
}
