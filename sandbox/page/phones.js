// Purpose: the drawer "Phones": the texts on each candidate's telephone, and what the text message provider does wrong.
import { ApiError, get, post } from "./api.js";
import { clip, el, replace } from "./dom.js";
import { avatar, icon } from "./icons.js";
import { switchGroup, switchRow } from "./mailswitches.js";
import { repaint } from "./repaint.js";
import { shortStamp } from "./times.js";
import { toast } from "./toast.js";

/** options: onUnread() when the count changes, onToggle(open). */
export class PhonesPanel {
  constructor(root, options) {
    this.root = root;
    this.options = options;
    this.phones = [];
    this.switches = [];
    this.total = 0;
    this.seen = null;
    this.number = null;
  }

  /** Texts that came since the drawer was last open. */
  unread() {
    return Math.max(0, this.total - (this.seen ?? this.total));
  }

  /** The way in, for the bar above everything; none in a sandbox without a provider. */
  toggle() {
    if (!this.switches.length) return null;
    const open = !this.root.hidden;
    const count = this.unread();
    return el(
      "button",
      {
        type: "button",
        class: "mail-toggle",
        "aria-pressed": String(open),
        dataset: { testid: "phones-toggle" },
        onClick: () => this.options.onToggle(!open),
      },
      el("span", {}, "Phones"),
      count > 0 && el("span", { class: "badge", "aria-label": `${count} new texts` }, String(count)),
    );
  }

  async show(open) {
    this.root.hidden = !open;
    if (open) await this.refresh();
  }

  /** Takes what the provider has now; a sandbox without one has no telephones. */
  async refresh() {
    this.take(await this.ask(() => get("/sandbox/sms")));
  }

  take(answer) {
    if (!answer) return;
    Object.assign(this, { phones: answer.phones, switches: answer.switches, total: answer.total });
    if (this.seen === null || !this.root.hidden) this.seen = this.total;
    this.options.onUnread();
    if (!this.root.hidden) this.draw();
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

  go(number) {
    this.number = number;
    this.draw();
  }

  draw() {
    const phone = this.phones.find((one) => one.number === this.number);
    const parts = [this.head(phone), phone ? this.conversation(phone) : this.overview()];
    repaint(this.root, () => replace(this.root, parts), { place: this.number, scroller: ".mail-body" });
  }

  head(phone) {
    const close = iconButton("close", "Close the telephones", () => this.options.onToggle(false), "phones-close");
    const back = phone && iconButton("back", "All telephones", () => this.go(null), "phones-back");
    const words = phone ? phone.number : "What candidates see of text messages.";
    return el(
      "div",
      { class: "mail-head" },
      back,
      el("div", { class: "grow" }, el("h2", {}, phone ? owner(phone) : "Phones"), el("p", {}, words)),
      close,
    );
  }

  overview() {
    const rows = this.switches.map((info) =>
      switchRow(`sms-${info.name}`, info, info.value, (value) => this.flip(info, value)),
    );
    return el(
      "div",
      { class: "mail-body" },
      el(
        "section",
        {},
        el("h3", {}, "Telephones"),
        this.phones.map((phone) => this.phoneRow(phone)),
        !this.phones.length && el("p", { class: "mail-empty" }, "No text has been sent yet."),
      ),
      this.switches.length > 0 &&
        switchGroup("Text message provider", rows, "What is wrong here is wrong for every text."),
    );
  }

  phoneRow(phone) {
    const last = phone.texts.at(-1);
    return el(
      "button",
      {
        type: "button",
        class: "mail-account",
        dataset: { testid: `phone-${phone.number}` },
        onClick: () => this.go(phone.number),
      },
      avatar({ real_name: owner(phone), color: "0b7285" }, "medium"),
      el(
        "span",
        { class: "grow" },
        el("b", {}, owner(phone)),
        el("small", {}, last ? clip(last.text.replace(/\s+/g, " "), 60) : phone.number),
      ),
      phone.stopped && el("span", { class: "state" }, "STOP"),
      phone.texts.length > 0 && el("span", { class: "state" }, String(phone.texts.length)),
    );
  }

  conversation(phone) {
    const stop = switchRow(
      "sms-stop",
      {
        label: "Answered STOP",
        help: "The provider refuses further texts to this telephone until its owner answers START.",
        kind: "toggle",
        well: false,
      },
      phone.stopped,
      (value) => this.stop(phone, value),
    );
    return el(
      "div",
      { class: "mail-body" },
      el(
        "ol",
        { class: "texts", dataset: { testid: "phone-texts" } },
        phone.texts.map((one) =>
          el("li", { class: "text" }, el("p", {}, one.text), el("time", {}, shortStamp(one.date))),
        ),
      ),
      !phone.texts.length && el("p", { class: "mail-empty" }, "No text has arrived yet."),
      switchGroup("The owner", [stop]),
    );
  }

  async flip(info, value) {
    this.take(await this.ask(() => post("/sandbox/sms/switch", { name: info.name, value })));
  }

  async stop(phone, value) {
    this.take(await this.ask(() => post("/sandbox/sms/stop", { number: phone.number, value })));
  }
}

function owner(phone) {
  return phone.name || phone.number;
}

function iconButton(name, label, onClick, testid) {
  return el(
    "button",
    { type: "button", class: "icon-button", "aria-label": label, title: label, dataset: { testid }, onClick },
    icon(name, 20),
  );
}
