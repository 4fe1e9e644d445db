// Purpose: the menus of Slack's selects: one or many choices, filtered as you type, options given or fetched.
import { icon } from "./icons.js";
import { append, el, replace, uid } from "./dom.js";
import { moveByKeys, openPopup } from "./popup.js";

/**
 * A select as a button and a listbox.
 *
 * config: label, placeholder, actionId, multiple, max, wide, selected (entries), minQuery (characters needed
 * before fetching), load(query) → Promise of [{label, entries}], onChange(entries) → false to take it back.
 * An entry is {key, text, node?, description?, raw}.
 */
export function selectMenu(config) {
  let chosen = config.selected || [];
  const trigger = el("button", {
    type: "button",
    class: `select${config.wide ? " wide" : ""}`,
    "aria-haspopup": "listbox",
    "aria-expanded": "false",
    "aria-label": config.label,
    dataset: config.actionId ? { actionId: config.actionId } : {},
  });
  trigger.addEventListener("click", () => openList());
  trigger.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      openList();
    }
  });
  draw();
  return trigger;

  function draw() {
    const label = chosen.length
      ? chosen.map((entry) => chip(entry))
      : el("span", { class: "placeholder" }, config.placeholder);
    replace(trigger, el("span", { class: "select-value" }, label), icon("chevron", 16));
  }

  function chip(entry) {
    const text = entry.node ? entry.node() : entry.text;
    return el("span", { class: config.multiple ? "chip" : "chosen" }, text);
  }

  function openList() {
    if (trigger.getAttribute("aria-expanded") === "true" || trigger.disabled) return;
    const list = new OptionList(
      config,
      () => chosen,
      async (entries, done) => {
        const before = chosen;
        chosen = entries;
        draw();
        if (done) close();
        if ((await config.onChange(entries)) === false) {
          chosen = before;
          draw();
        }
      },
    );
    const close = openPopup(trigger, list.panel, { minWidth: 240 });
    list.start();
  }
}

/** The panel under a select: a filter field and the options. `choose(entries, done)` tells of a new choice. */
class OptionList {
  constructor(config, chosen, choose) {
    Object.assign(this, { config, chosen, choose, active: null, asked: 0 });
    const listId = uid("listbox");
    this.search = el("input", {
      class: "list-search",
      type: "text",
      role: "combobox",
      "aria-expanded": "true",
      "aria-controls": listId,
      autocomplete: "off",
      "aria-label": `Filter: ${config.label}`,
      placeholder: config.minQuery ? `Type at least ${config.minQuery} to search` : "Type to filter",
    });
    this.list = el("div", {
      class: "listbox",
      role: "listbox",
      id: listId,
      "aria-multiselectable": String(Boolean(config.multiple)),
    });
    this.panel = el("div", { class: "option-panel" }, this.search, this.list);
    this.search.addEventListener("input", () => this.refresh());
    this.panel.addEventListener("keydown", (event) => this.key(event));
  }

  start() {
    this.search.focus();
    this.refresh();
  }

  items() {
    return [...this.list.querySelectorAll("[role=option]")];
  }

  focusOn(node) {
    this.active?.classList.remove("active");
    this.active = node;
    if (!node) return this.search.removeAttribute("aria-activedescendant");
    node.classList.add("active");
    node.scrollIntoView({ block: "nearest" });
    return this.search.setAttribute("aria-activedescendant", node.id);
  }

  key(event) {
    if (
      moveByKeys(
        event,
        () => this.items(),
        this.active,
        (node) => this.focusOn(node),
      )
    )
      return;
    if (event.key !== "Enter") return;
    event.preventDefault();
    event.stopPropagation();
    this.active?.click();
  }

  toggle(entry) {
    const { config } = this;
    if (!config.multiple) return this.choose([entry], true);
    const rest = this.chosen().filter((one) => one.key !== entry.key);
    const removed = rest.length < this.chosen().length;
    if (!removed && config.max && rest.length >= config.max)
      return this.note(`At most ${config.max} can be chosen.`);
    this.choose(removed ? rest : [...rest, entry], false);
    return this.refresh();
  }

  note(text) {
    replace(this.list, el("div", { class: "list-note", role: "status" }, text));
  }

  row(entry) {
    const selected = this.chosen().some((one) => one.key === entry.key);
    const text = [
      entry.node ? entry.node() : entry.text,
      entry.description && el("small", {}, entry.description),
    ];
    const node = el(
      "div",
      {
        role: "option",
        id: uid("option"),
        class: "option",
        "aria-selected": String(selected),
        dataset: { value: entry.key },
      },
      el("span", { class: "option-text" }, text),
      selected && icon("check", 16),
    );
    node.addEventListener("pointerdown", (event) => event.preventDefault());
    node.addEventListener("click", () => this.toggle(entry));
    node.addEventListener("pointermove", () => this.focusOn(node));
    return node;
  }

  /** Ask for the options that fit what is typed; an answer that a newer question overtook is dropped. */
  async refresh() {
    const { config } = this;
    const query = this.search.value.trim();
    this.asked += 1;
    const turn = this.asked;
    if (config.minQuery && query.length < config.minQuery)
      return this.note(`Type ${config.minQuery} or more characters.`);
    if (config.minQuery !== undefined) this.note("Searching…");
    try {
      const groups = await config.load(query);
      return turn === this.asked && this.show(groups, query);
    } catch (error) {
      return turn === this.asked && this.note(error.message || "Options could not be loaded.");
    }
  }

  show(groups, query) {
    const full = groups.filter((group) => group.entries.length);
    if (!full.length) return this.note(query ? `Nothing found for “${query}”.` : "Nothing to choose from.");
    this.list.replaceChildren();
    for (const { label, entries } of full) {
      append(this.list, [
        label && el("div", { class: "group-label" }, label),
        entries.map((entry) => this.row(entry)),
      ]);
    }
    const items = this.items();
    return this.focusOn(items.find((node) => node.getAttribute("aria-selected") === "true") || items[0]);
  }
}
