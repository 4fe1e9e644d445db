// Purpose: the box where a person types: plain messages, slash commands and @/# names with completion.
import { el, replace, uid } from "./dom.js";
import { avatar, icon } from "./icons.js";
import { moveByKeys } from "./popup.js";

/**
 * The box and its suggestions. config: store, label, placeholder, testid, commands (false in threads), draftKey,
 * onMessage(text) and onCommand(command, text), both → Promise<boolean>, false leaves the text in place.
 * `node` is what goes on the page.
 */
export class Composer {
  constructor(config) {
    this.config = config;
    this.active = null;
    this.build();
    this.listen();
    this.changed();
    this.close();
  }

  build() {
    const { config } = this;
    const listId = uid("suggestions");
    this.input = el("textarea", {
      class: "composer-input",
      rows: "1",
      placeholder: config.placeholder,
      "aria-label": config.label,
      "aria-autocomplete": "list",
      "aria-controls": listId,
      dataset: { testid: config.testid },
      value: config.store.drafts.get(config.draftKey) || "",
    });
    this.list = el("div", {
      class: "suggestions",
      role: "listbox",
      id: listId,
      "aria-label": "Suggestions",
      hidden: true,
    });
    this.hint = el("div", { class: "usage", hidden: true });
    const sendId = config.testid === "composer" ? "send" : `${config.testid}-send`;
    this.send = el(
      "button",
      { type: "submit", class: "send", "aria-label": "Send", dataset: { testid: sendId } },
      icon("send", 18),
    );
    const slash = config.commands && this.tool("Slash commands", icon("slash", 18), "/");
    const tools = el(
      "div",
      { class: "composer-tools" },
      slash,
      this.tool("Mention someone", "@", "@"),
      this.send,
    );
    this.node = el(
      "form",
      { class: "composer" },
      this.list,
      this.hint,
      el("div", { class: "composer-box" }, this.input, tools),
    );
  }

  tool(label, face, sign) {
    const props = {
      type: "button",
      class: `icon-button${sign === "@" ? " at" : ""}`,
      title: label,
      "aria-label": label,
    };
    return el("button", { ...props, onClick: () => this.offer(sign) }, face);
  }

  listen() {
    this.input.addEventListener("input", () => this.changed());
    this.input.addEventListener("keydown", (event) => this.key(event));
    // A click on a suggestion takes the focus for a moment; only a real leave closes the list.
    this.input.addEventListener("blur", () =>
      setTimeout(() => this.node.contains(document.activeElement) || this.close(), 150),
    );
    this.node.addEventListener("submit", (event) => {
      event.preventDefault();
      this.submit();
    });
  }

  focus() {
    this.input.focus();
  }

  changed() {
    const { input } = this;
    this.config.store.drafts.set(this.config.draftKey, input.value);
    input.style.height = "auto";
    if (input.scrollHeight) input.style.height = `${Math.min(input.scrollHeight, 180)}px`;
    this.send.disabled = !input.value.trim();
    this.suggest();
  }

  offer(sign) {
    const { input } = this;
    if (sign === "/") input.value = input.value.startsWith("/") ? input.value : "/";
    else input.setRangeText(sign, input.selectionStart, input.selectionEnd, "end");
    input.focus();
    this.changed();
  }

  activate(node) {
    this.active?.setAttribute("aria-selected", "false");
    this.active = node;
    node?.setAttribute("aria-selected", "true");
    node?.scrollIntoView({ block: "nearest" });
    if (node) this.input.setAttribute("aria-activedescendant", node.id);
    else this.input.removeAttribute("aria-activedescendant");
  }

  close() {
    this.list.hidden = true;
    this.activate(null);
    this.list.replaceChildren();
  }

  suggest() {
    const found = suggestions(this.config, this.input);
    showUsage(this.hint, this.config, this.input.value);
    if (!found.length) return this.close();
    const title = found[0].title && el("div", { class: "group-label" }, found[0].title);
    replace(
      this.list,
      title,
      found.map((one) => suggestionRow(one, () => this.accept(one))),
    );
    this.list.hidden = false;
    return this.activate(this.items()[0]);
  }

  items() {
    return [...this.list.querySelectorAll("[role=option]")];
  }

  accept(one) {
    this.input.setRangeText(one.insert, one.from, this.input.selectionStart, "end");
    this.input.focus();
    this.changed();
  }

  key(event) {
    if (event.isComposing) return;
    if (!this.list.hidden && this.keyInList(event)) return;
    if (event.key !== "Enter" || event.shiftKey) return;
    event.preventDefault();
    this.submit();
  }

  /** Keys while suggestions are open; whether this one was used up. */
  keyInList(event) {
    if (event.key === "Escape") {
      this.close();
      return true;
    }
    if (
      moveByKeys(
        event,
        () => this.items(),
        this.active,
        (node) => this.activate(node),
      )
    )
      return true;
    const typedOut = event.key === "Enter" && this.active?.dataset.complete === "yes";
    if (!["Tab", "Enter"].includes(event.key) || !this.active || typedOut || event.shiftKey) return false;
    event.preventDefault();
    this.active.click();
    return true;
  }

  async submit() {
    const text = this.input.value.trim();
    if (!text || this.node.getAttribute("aria-busy") === "true") return;
    this.write("");
    this.node.setAttribute("aria-busy", "true");
    const done = await deliver(this.config, text);
    this.node.removeAttribute("aria-busy");
    if (done === false && !this.input.value) this.write(text);
  }

  write(text) {
    this.input.value = text;
    this.changed();
    this.close();
  }
}

/** A line that begins with / is a command, as in Slack; everything else a message. The workspace turns names into ids. */
function deliver(config, text) {
  const command = /^(\/[\w-]+)(?:\s+([\s\S]*))?$/.exec(text);
  return command ? config.onCommand(command[1], command[2] || "") : config.onMessage(text);
}

/** What could be meant by the text left of the caret: [{title, label, detail, insert, from, complete}]. */
function suggestions(config, input) {
  const before = input.value.slice(0, input.selectionStart);
  if (config.commands && /^\/[\w-]*$/.test(before)) return commandSuggestions(config.store, before);
  const name = /(^|\s)([@#])([\p{L}\w.-]*)$/u.exec(before);
  return name ? nameSuggestions(config.store, name[2], name[3], before.length - name[3].length - 1) : [];
}

function commandSuggestions(store, typed) {
  return store.boot.commands
    .filter((one) => one.command.startsWith(typed))
    .map((one) => ({
      title: `Commands of ${store.app.name}`,
      label: one.command,
      usage: one.usage_hint,
      detail: one.description,
      insert: `${one.command} `,
      from: 0,
      complete: one.command === typed,
      person: store.person(store.app.bot_user),
    }));
}

function nameSuggestions(store, sign, typed, from) {
  const wanted = typed.toLowerCase();
  const row = (name, label, detail, person) => ({ label, detail, insert: `${sign}${name} `, from, person });
  const rows =
    sign === "@"
      ? store.boot.users.map((user) =>
          row(
            user.name,
            user.real_name || user.name,
            user.title || (user.is_bot ? "App" : `@${user.name}`),
            user,
          ),
        )
      : store.boot.channels
          .filter((one) => one.kind !== "dm")
          .map((one) => row(one.name, `#${one.name}`, one.topic));
  return rows.filter((one) => `${one.label} ${one.insert}`.toLowerCase().includes(wanted)).slice(0, 8);
}

function suggestionRow(one, onPick) {
  const node = el(
    "div",
    {
      role: "option",
      class: "suggestion",
      id: uid("suggestion"),
      "aria-selected": "false",
      dataset: { value: one.label, complete: one.complete ? "yes" : "no" },
    },
    one.person && avatar(one.person, "small"),
    el(
      "span",
      { class: "suggestion-text" },
      el("span", {}, el("b", {}, one.label), one.usage && el("code", { class: "usage-hint" }, one.usage)),
      one.detail && el("small", {}, one.detail),
    ),
  );
  node.addEventListener("pointerdown", (event) => event.preventDefault());
  node.addEventListener("click", onPick);
  return node;
}

/** While a command's arguments are being typed, its usage stays in sight. */
function showUsage(hint, config, text) {
  const typed = /^(\/[\w-]+)\s/.exec(text);
  const known = typed && config.store.boot.commands.find((one) => one.command === typed[1]);
  const inThread = text.startsWith("/") && !config.commands;
  hint.hidden = !known && !inThread;
  if (inThread) replace(hint, "Slash commands do not work in threads; use the channel's own box.");
  else if (known)
    replace(
      hint,
      el("b", {}, known.command),
      " ",
      el("code", {}, known.usage_hint),
      el("span", {}, known.description),
    );
}
