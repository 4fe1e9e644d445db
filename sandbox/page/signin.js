// Purpose: the panel "Sign-in hosts": what the stand-ins for Google's and Microsoft's sign-in are made to do.
import { ApiError, get, post } from "./api.js";
import { el } from "./dom.js";
import { icon } from "./icons.js";
import { isBroken, switchGroup, switchRow } from "./mailswitches.js";

/** The providers with their switches; none where the sandbox runs without sign-in hosts. */
export async function loadProviders() {
  try {
    return (await get("/sandbox/signin")).providers;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return [];
  }
}

/** What a sign-in switch is called among all switches of the page. */
export function signInSwitch(provider, target, info) {
  return `${provider}-${target}-${info.name}`;
}

/** Turns one switch of an account or of the app itself (`target`); answers the providers as they are then. */
export async function turnSignIn(provider, target, name, value) {
  const path = [provider, target, name].map(encodeURIComponent).join("/");
  return (await post(`/sandbox/signin/${path}`, { value })).providers;
}

/** The way in, in the list of mailboxes. */
export function signInRow(providers, open) {
  return el(
    "section",
    {},
    el("h3", {}, "Sign-in hosts"),
    el(
      "button",
      { type: "button", class: "mail-account", dataset: { testid: "signin-hosts" }, onClick: open },
      el("span", { class: "sign-in-mark" }, icon("lock", 18)),
      el(
        "span",
        { class: "grow" },
        el("b", {}, providers.map((one) => one.label).join(" and ")),
        el("small", {}, "Tokens, consent, the app's secret"),
      ),
    ),
  );
}

/** Every provider: the app first, then each account. `flip(provider, target, info, value)` turns a switch. */
export function signInView(providers, flip) {
  return providers.map((one) => [
    el("h3", { class: "provider-title" }, `Sign in with ${one.label}`),
    card(one, one.app.target, "The app", "What is wrong with it is wrong for every mailbox at once.", one.app, flip),
    one.accounts.map((account) => card(one, account.target, account.address, null, account, flip)),
  ]);
}

/** The sign-in switches of one mailbox that hurt, as [provider, target, info]. */
export function brokenSignIn(providers, address) {
  return providers.flatMap((one) =>
    one.accounts
      .filter((account) => account.address === address)
      .flatMap((account) =>
        account.switches
          .filter((info) => isBroken({ well: WELL[info.kind] }, info.value))
          .map((info) => [one.provider, account.target, info]),
      ),
  );
}

/** Puts them right. */
export async function mendSignIn(providers, address) {
  for (const [provider, target, info] of brokenSignIn(providers, address))
    await turnSignIn(provider, target, info.name, WELL[info.kind]);
}

/** The sign-in switches of one mailbox, for its own panel; nothing where its provider has no sign-in host. */
export function accountSignIn(providers, address, flip) {
  return providers.flatMap((one) =>
    one.accounts
      .filter((account) => account.address === address)
      .map((account) => card(one, account.target, `Sign in with ${one.label}`, null, account, flip)),
  );
}

function card(provider, target, title, lead, { switches }, flip) {
  const rows = switches.map((info) =>
    switchRow(
      signInSwitch(provider.provider, target, info),
      { ...info, well: WELL[info.kind] },
      info.value,
      (value) => flip(provider.provider, target, info, value),
    ),
  );
  return switchGroup(title, rows, lead);
}

// A lifetime is neither right nor wrong.
const WELL = { toggle: false, choice: "self", text: null };
