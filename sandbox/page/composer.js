// Purpose: the box where a person types: plain messages, slash commands and @/# names with completion.
import { el, replace, uid } from "./dom.js";
import { avatar, icon } from "./icons.js";
import { moveByKeys } from "./popup.js";

/**
 * A composer. config: store, label, placeholder, testid, commands (false in threads), draftKey,
 * onMessage(text) and onCommand(command, text), both → Promise<boolean>, false leaves the text in place.
 */
export function composer(config) {
  const { store } = config;
  const listId = uid("suggestions");
  const input = el("textarea", {
    class: "composer-input", rows: "1", placeholder: config.placeholder, "aria-label": config.label, "aria-autocomplete": "list",
    "aria-controls": listId, dataset: { testid: config.testid }, value: store.drafts.get(config.draftKey) || "",
  });
  const list = el("div", { class: "suggestions", role: "listbox", id: listId, "aria-label": "Suggestions", hidden: true });
  const hint = el("div", { class: "usage", hidden: true });
  const send = el("button", { type: "submit", class: "send", "aria-label": "Send", dataset: { testid: config.testid === "composer" ? "send" : `${config.testid}-send` } }, icon("send", 18));
  const slash = config.commands && el("button", { type: "button", class: "icon-button", title: "Slash commands", "aria-label": "Slash commands", onClick: () => offer("/") }, icon("slash", 18));
  const at = el("button", { type: "button", class: "icon-button at", title: "Mention someone", "aria-label": "Mention someone", onClick: () => offer("@") }, "@");
  const form = el("form", { class: "composer" }, list, hint, el("div", { class: "composer-box" }, input, el("div", { class: "composer-tools" }, slash, at, send)));
  let active = null;

  const changed = () => {
    store.drafts.set(config.draftKey, input.value);
    input.style.height = "auto";
    if (input.scrollHeight) input.style.height = `${Math.min(input.scrollHeight, 180)}px`;
    send.disabled = !input.value.trim();
    suggest();
  };

  const offer = (sign) => {
    if (sign === "/") input.value = input.value.startsWith("/") ? input.value : "/";
    else input.setRangeText(sign, input.selectionStart, input.selectionEnd, "end");
    input.focus();
    changed();
  };

  const items = () => [...list.querySelectorAll("[role=option]")];
  const activate = (node) => {
    active?.setAttribute("aria-selected", "false");
    active = node;
    node?.setAttribute("aria-selected", "true");
    node?.scrollIntoView({ block: "nearest" });
    if (node) input.setAttribute("aria-activedescendant", node.id);
    else input.removeAttribute("aria-activedescendant");
  };

  const close = () => {
    list.hidden = true;
    activate(null);
    list.replaceChildren();
  };

  const suggest = () => {
    const found = suggestions(config, input);
    showUsage(hint, config, input.value);
    if (!found.length) return close();
    replace(list, found[0].title && el("div", { class: "group-label" }, found[0].title), found.map((one) => suggestionRow(one, () => accept(one))));
    list.hidden = false;
    return activate(items()[0]);
  };

  const accept = (one) => {
    input.setRangeText(one.insert, one.from, input.selectionStart, "end");
    input.focus();
    changed();
  };

  const submit = async () => {
    const text = input.value.trim();
    if (!text || form.getAttribute("aria-busy") === "true") return;
    close();
    input.value = "";
    changed();
    form.setAttribute("aria-busy", "true");
    const done = await deliver(config, text);
    form.removeAttribute("aria-busy");
    if (done === false && !input.value) {
      input.value = text;
      changed();
      close();
    }
  };

  input.addEventListener("input", changed);
  input.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    if (!list.hidden) {
      if (event.key === "Escape") return close();
      if (moveByKeys(event, items, active, activate)) return undefined;
      const finished = event.key === "Enter" && active?.dataset.complete === "yes";
      if ((event.key === "Tab" || event.key === "Enter") && active && !finished && !event.shiftKey) {
        event.preventDefault();
        return active.click();
      }
    }
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      return submit();
    }
    return undefined;
  });
  input.addEventListener("blur", () => setTimeout(() => form.contains(document.activeElement) || close(), 150));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    submit();
  });
  changed();
  close();
  return { node: form, focus: () => input.focus() };
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
      title: `Commands of ${store.app.name}`, label: one.command, usage: one.usage_hint, detail: one.description,
      insert: `${one.command} `, from: 0, complete: one.command === typed, person: store.person(store.app.bot_user),
    }));
}

function nameSuggestions(store, sign, typed, from) {
  const wanted = typed.toLowerCase();
  const row = (name, label, detail, person) => ({ label, detail, insert: `${sign}${name} `, from, person });
  const rows = sign === "@"
    ? store.boot.users.map((user) => row(user.name, user.real_name || user.name, user.title || (user.is_bot ? "App" : `@${user.name}`), user))
    : store.boot.channels.filter((one) => one.kind !== "dm").map((one) => row(one.name, `#${one.name}`, one.topic));
  return rows.filter((one) => `${one.label} ${one.insert}`.toLowerCase().includes(wanted)).slice(0, 8);
}

function suggestionRow(one, onPick) {
  const node = el(
    "div",
    { role: "option", class: "suggestion", id: uid("suggestion"), "aria-selected": "false", dataset: { value: one.label, complete: one.complete ? "yes" : "no" } },
    one.person && avatar(one.person, "small"),
    el("span", { class: "suggestion-text" }, el("span", {}, el("b", {}, one.label), one.usage && el("code", { class: "usage-hint" }, one.usage)), one.detail && el("small", {}, one.detail)),
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
  else if (known) replace(hint, el("b", {}, known.command), " ", el("code", {}, known.usage_hint), el("span", {}, known.description));
}
