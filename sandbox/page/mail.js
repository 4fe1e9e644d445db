// Purpose: the drawer "Play the candidate": whose mail, what arrived, reading, answering, writing.
import { ApiError, get, post } from "./api.js";
import { append, clip, el, replace } from "./dom.js";
import { avatar, icon } from "./icons.js";
import { answerForm, composeForm } from "./mailforms.js";
import { brokenWords, connectionFacts, oooForm, switchId, switchList } from "./mailswitches.js";
import { repaint, settle } from "./repaint.js";
import {
  accountSignIn,
  brokenSignIn,
  loadProviders,
  mendSignIn,
  signInSwitch,
  signInRow,
  signInView,
  turnSignIn,
} from "./signin.js";
import { shortStamp } from "./times.js";
import { toast } from "./toast.js";

const TABS = [
  ["inbox", "Inbox"],
  ["sent", "Sent"],
  ["ooo", "Out of office"],
  ["break", "Break things"],
];

const PROVIDERS = { google: "Google", microsoft: "Microsoft" };

/** options: onUnread() when counts change, onClose(). */
export class MailPanel {
  constructor(root, options) {
    this.root = root;
    this.options = options;
    this.accounts = [];
    this.help = {};
    this.messages = [];
    this.address = null;
    this.tab = "inbox";
    this.reading = null;
    this.writing = false;
    this.providers = [];
    this.atSignIn = false;
  }

  unread() {
    return this.accounts
      .filter((one) => one.role === "candidate")
      .reduce((sum, one) => sum + (one.unread || 0), 0);
  }

  account() {
    return this.accounts.find((one) => one.address === this.address);
  }

  async open(address) {
    if (address) this.address = address;
    await this.refresh();
  }

  async refresh() {
    await this.refreshAccounts();
    if (this.root.hidden) return;
    this.providers = await loadProviders();
    if (this.account()) await this.loadMessages();
    this.draw();
  }

  async refreshAccounts() {
    const answer = await this.ask(() => get("/mail/accounts"));
    if (!answer) return;
    this.accounts = answer.accounts;
    this.help = answer.switch_help || {};
    this.options.onUnread();
  }

  async loadMessages() {
    const folder = this.tab === "sent" ? "Sent" : "INBOX";
    const answer = await this.ask(() => get("/mail/messages", { address: this.address, folder }));
    this.messages = answer ? [...answer.messages].sort(newestFirst) : [];
  }

  /** Somebody signed in at a provider, or a switch was turned there. */
  async signInChanged() {
    if (this.root.hidden) return;
    this.providers = await loadProviders();
    const shown = this.account() ? this.tab === "break" : this.atSignIn;
    if (shown && !this.typing()) this.draw();
  }

  typing() {
    return this.root.contains(document.activeElement?.closest("input:not([type=checkbox]), textarea, select"));
  }

  /** A mailbox changed. What is being typed stays; the rest is drawn again. */
  async changed(address) {
    await this.refreshAccounts();
    if (this.root.hidden) return;
    if (!this.address) return this.atSignIn || this.draw();
    if (address && address !== this.address) return;
    const busy =
      this.writing ||
      this.reading ||
      this.tab === "ooo" ||
      this.typing();
    await this.loadMessages();
    if (!busy) this.draw();
  }

  async ask(call) {
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (!this.root.hidden) toast(error.message, "error");
      return null;
    }
  }

  /** Shows another place of the panel. */
  go(change) {
    Object.assign(this, change);
    return this.refresh();
  }

  draw() {
    const account = this.account();
    const parts = [this.head(account), this.view(account)];
    repaint(this.root, () => replace(this.root, parts), { place: this.place(), scroller: ".mail-body" });
  }

  /** Where in the panel one is: a draft stays in its place. */
  place() {
    return JSON.stringify([this.address, this.tab, this.reading?.uid, this.writing, this.atSignIn]);
  }

  view(account) {
    if (account) return this.accountView(account);
    if (!this.atSignIn) return this.accountList();
    const flip = (...turned) => this.flipSignIn(...turned);
    return el("div", { class: "mail-body" }, signInView(this.providers, flip));
  }

  head(account) {
    const close = iconButton("close", "Close the mail panel", this.options.onClose);
    const back = iconButton(
      "back",
      "All mailboxes",
      () => this.go({ address: null, reading: null, writing: false, atSignIn: false, tab: "inbox" }),
      "mail-back",
    );
    if (this.atSignIn && !account) {
      const words = el("p", {}, "How Google and Microsoft sign people in, and what can go wrong there.");
      const title = el("div", { class: "grow" }, el("h2", {}, "Sign-in hosts"), words);
      return el("div", { class: "mail-head" }, back, title, close);
    }
    if (!account) {
      return el(
        "div",
        { class: "mail-head" },
        el(
          "div",
          {},
          el("h2", {}, "Play the candidate"),
          el("p", {}, "Open a mailbox and act as its owner."),
        ),
        close,
      );
    }
    return el(
      "div",
      { class: "mail-head" },
      back,
      avatar(person(account), "medium"),
      el("div", { class: "grow" }, el("h2", {}, account.name), el("p", {}, account.address)),
      close,
    );
  }

  accountList() {
    const group = (title, role) => {
      const list = this.accounts.filter((one) => one.role === role);
      return (
        list.length > 0 &&
        el(
          "section",
          {},
          el("h3", {}, title),
          list.map((one) => this.accountRow(one)),
        )
      );
    };
    return el(
      "div",
      { class: "mail-body" },
      group("Candidates", "candidate"),
      group("Recruiters", "recruiter"),
      this.providers.length > 0 && signInRow(this.providers, () => this.go({ atSignIn: true })),
      !this.accounts.length && el("p", { class: "mail-empty" }, "The mail host has no mailboxes yet."),
    );
  }

  accountRow(account) {
    const broken = this.brokenWords(account);
    return el(
      "button",
      {
        type: "button",
        class: "mail-account",
        dataset: { testid: `mail-account-${account.address}` },
        onClick: () => this.go({ address: account.address, tab: "inbox", reading: null, writing: false }),
      },
      avatar(person(account), "medium"),
      el("span", { class: "grow" }, el("b", {}, account.name), el("small", {}, account.address)),
      PROVIDERS[account.provider] && el("span", { class: "state" }, PROVIDERS[account.provider]),
      account.ooo && el("span", { class: "state" }, "away"),
      broken.length > 0 && el("span", { class: "state state-broken", title: broken.join(", ") }, "broken"),
      account.unread > 0 &&
        el("span", { class: "badge", "aria-label": `${account.unread} unread` }, String(account.unread)),
    );
  }

  brokenWords(account) {
    const atSignIn = brokenSignIn(this.providers, account.address).map(([, , info]) => info.label);
    return [...brokenWords(account, this.help), ...atSignIn];
  }

  accountView(account) {
    if (this.writing) return this.composeForm(account);
    if (this.reading) return this.messageView(account, this.reading);
    const offered = TABS.filter(([name]) => name !== "ooo" || "ooo" in account.switches);
    const tabs = el(
      "div",
      { class: "tabs", role: "tablist" },
      offered.map(([name, label]) =>
        el(
          "button",
          {
            type: "button",
            role: "tab",
            class: "tab",
            "aria-selected": String(this.tab === name),
            dataset: { testid: `mail-tab-${name}` },
            onClick: () => this.go({ tab: name }),
          },
          label,
          name === "inbox" && account.unread > 0 && el("span", { class: "badge" }, String(account.unread)),
        ),
      ),
    );
    return [tabs, el("div", { class: "mail-body" }, this.tabBody(account))];
  }

  tabBody(account) {
    if (this.tab === "ooo") return oooForm(account, (text) => this.setOoo(account, text));
    if (this.tab === "break")
      return [
        switchList(account, this.help, {
          broken: this.brokenWords(account),
          flip: (name, value) => this.flip(account, name, value),
          mend: () => this.mend(account),
        }),
        accountSignIn(this.providers, account.address, (...turned) => this.flipSignIn(...turned)),
        account.role === "recruiter" && connectionFacts(account),
      ];
    const write = el(
      "button",
      {
        type: "button",
        class: "btn write",
        dataset: { testid: "mail-write" },
        onClick: () => this.go({ writing: true }),
      },
      icon("compose", 16),
      "Write a mail",
    );
    return [
      write,
      this.messages.map((one) => this.messageRow(one)),
      !this.messages.length &&
        el(
          "p",
          { class: "mail-empty" },
          this.tab === "sent" ? "Nothing was sent from here." : "No mail has arrived yet.",
        ),
    ];
  }

  messageRow(mail) {
    const other = this.tab === "sent" ? `To ${names(mail.to)}` : displayName(mail.from);
    return el(
      "button",
      {
        type: "button",
        class: `mail-row${this.isNew(mail) ? " unseen" : ""}`,
        dataset: { testid: `mail-message-${mail.uid}` },
        "aria-label": `${this.isNew(mail) ? "Unread: " : ""}${mail.subject || "(no subject)"}, ${other}`,
        onClick: () => this.read(mail),
      },
      el("span", { class: "mail-row-top" }, el("b", {}, other), el("time", {}, shortStamp(mail.date))),
      el("span", { class: "mail-subject" }, mail.subject || "(no subject)"),
      el("span", { class: "mail-snippet" }, clip((mail.text || "").replace(/\s+/g, " ").trim(), 110)),
    );
  }

  isNew(mail) {
    return !mail.seen && this.tab !== "sent";
  }

  async read(mail) {
    this.reading = mail;
    this.draw();
    if (!this.isNew(mail)) return;
    await this.ask(() => post("/mail/seen", { address: this.address, uid: mail.uid }));
    this.refreshAccounts();
  }

  messageView(account, mail) {
    const list = el(
      "button",
      { type: "button", class: "link-button", onClick: () => this.go({ reading: null }) },
      icon("back", 16),
      this.tab === "sent" ? "Sent" : "Inbox",
    );
    const facts = [
      ["From", names(mail.from)],
      ["To", names(mail.to)],
      ["Date", shortStamp(mail.date)],
    ];
    return el(
      "div",
      { class: "mail-body" },
      list,
      el("h3", { class: "mail-title" }, mail.subject || "(no subject)"),
      el(
        "dl",
        { class: "mail-facts" },
        facts.map(([term, value]) => [el("dt", {}, term), el("dd", {}, value)]),
      ),
      el("div", { class: "mail-text", dataset: { testid: "mail-text" } }, mail.text || ""),
      this.tab !== "sent" && this.answerForm(account, mail),
    );
  }

  answerForm(account, mail) {
    return answerForm(account, mail, (button, body) =>
      this.deliver(
        button,
        "/mail/reply",
        { address: account.address, ...body },
        "Your answer is on its way.",
      ),
    );
  }

  composeForm(account) {
    const other = this.accounts.find((one) => one.role !== account.role);
    return composeForm(account, other?.address ?? "", {
      send: (button, body) =>
        this.deliver(button, "/mail/compose", { from: account.address, ...body }, `Sent to ${body.to}.`),
      cancel: () => this.go({ writing: false }),
    });
  }

  async deliver(button, path, body, done) {
    button.setAttribute("aria-busy", "true");
    const answer = await this.ask(() => post(path, body));
    button.removeAttribute("aria-busy");
    if (!answer) return;
    toast(done, "success");
    await this.go({ reading: null, writing: false });
  }

  async setOoo(account, text) {
    if (!(await this.ask(() => post("/mail/ooo", { address: account.address, text })))) return;
    toast(text ? `${account.name} is out of office.` : `${account.name} is back.`, "success");
    await this.refresh();
  }

  async mend(account) {
    const mended = await this.ask(async () => {
      await mendSignIn(this.providers, account.address);
      return post("/mail/mend", { address: account.address });
    });
    if (mended)
      toast(`${account.address} is in order again.`, "success");
    await this.refresh();
  }

  async flipSignIn(provider, target, info, value) {
    const providers = await this.ask(() => turnSignIn(provider, target, info.name, value));
    if (providers) {
      this.providers = providers;
      settle(this.root, switchId(signInSwitch(provider, target, info)), value);
      toast(`${info.label}: done.`, "success");
    }
    await this.refresh();
  }

  async flip(account, name, value) {
    if (await this.ask(() => post("/mail/switch", { address: account.address, name, value }))) {
      settle(this.root, switchId(name), value);
      toast(`${this.help[name]?.label || name}: done for ${account.address}.`, "success");
    }
    await this.refresh();
  }
}

function person(account) {
  const tint =
    account.role === "candidate" ? ["0b7285", "7b4ea3", "a8521d", "2b7a4b", "a1345a", "3b5bb5"] : ["4a154b"];
  const sum = [...account.address].reduce((all, char) => all + char.codePointAt(0), 0);
  return { real_name: account.name || account.address, color: tint[sum % tint.length] };
}

function newestFirst(one, other) {
  return new Date(other.date) - new Date(one.date) || Number(other.uid) - Number(one.uid);
}

function names(value) {
  return Array.isArray(value) ? value.join(", ") : String(value ?? "");
}

function displayName(value) {
  const text = names(value);
  const match = /^\s*"?([^"<]+?)"?\s*<[^>]+>/.exec(text);
  return match ? match[1] : text;
}

function iconButton(name, label, onClick, testid = null) {
  return append(
    el("button", {
      type: "button",
      class: "icon-button",
      "aria-label": label,
      title: label,
      dataset: testid ? { testid } : {},
      onClick,
    }),
    [icon(name, 20)],
  );
}
