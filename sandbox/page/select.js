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
    type: "button", class: `select${config.wide ? " wide" : ""}`, "aria-haspopup": "listbox", "aria-expanded": "false",
    "aria-label": config.label, dataset: config.actionId ? { actionId: config.actionId } : {},
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
    const label = chosen.length ? chosen.map((entry) => chip(entry)) : el("span", { class: "placeholder" }, config.placeholder);
    replace(trigger, el("span", { class: "select-value" }, label), icon("chevron", 16));
  }

  function chip(entry) {
    const text = entry.node ? entry.node() : entry.text;
    return el("span", { class: config.multiple ? "chip" : "chosen" }, text);
  }

  function openList() {
    if (trigger.getAttribute("aria-expanded") === "true" || trigger.disabled) return;
    const list = optionList(config, () => chosen, async (entries, done) => {
      const before = chosen;
      chosen = entries;
      draw();
      if (done) close();
      if ((await config.onChange(entries)) === false) {
        chosen = before;
        draw();
      }
    });
    const close = openPopup(trigger, list.panel, { minWidth: 240 });
    list.start();
  }
}

function optionList(config, chosen, choose) {
  const listId = uid("listbox");
  const search = el("input", {
    class: "list-search", type: "text", role: "combobox", "aria-expanded": "true", "aria-controls": listId, autocomplete: "off",
    "aria-label": `Filter: ${config.label}`, placeholder: config.minQuery ? `Type at least ${config.minQuery} to search` : "Type to filter",
  });
  const list = el("div", { class: "listbox", role: "listbox", id: listId, "aria-multiselectable": String(Boolean(config.multiple)) });
  const panel = el("div", { class: "option-panel" }, search, list);
  let active = null;
  let asked = 0;

  const items = () => [...list.querySelectorAll("[role=option]")];
  const focusOn = (node) => {
    active?.classList.remove("active");
    active = node;
    if (!node) return search.removeAttribute("aria-activedescendant");
    node.classList.add("active");
    node.scrollIntoView({ block: "nearest" });
    return search.setAttribute("aria-activedescendant", node.id);
  };

  const toggle = (entry) => {
    if (!config.multiple) return choose([entry], true);
    const rest = chosen().filter((one) => one.key !== entry.key);
    const removed = rest.length < chosen().length;
    if (!removed && config.max && rest.length >= config.max) return note(`At most ${config.max} can be chosen.`);
    choose(removed ? rest : [...rest, entry], false);
    return refresh();
  };

  const note = (text) => replace(list, el("div", { class: "list-note", role: "status" }, text));

  const row = (entry) => {
    const selected = chosen().some((one) => one.key === entry.key);
    const node = el(
      "div",
      { role: "option", id: uid("option"), class: "option", "aria-selected": String(selected), dataset: { value: entry.key } },
      el("span", { class: "option-text" }, entry.node ? entry.node() : entry.text, entry.description && el("small", {}, entry.description)),
      selected && icon("check", 16),
    );
    node.addEventListener("pointerdown", (event) => event.preventDefault());
    node.addEventListener("click", () => toggle(entry));
    node.addEventListener("pointermove", () => focusOn(node));
    return node;
  };

  const refresh = async () => {
    const query = search.value.trim();
    const turn = ++asked;
    if (config.minQuery && query.length < config.minQuery) return note(`Type ${config.minQuery} or more characters.`);
    if (config.minQuery !== undefined) note("Searching…");
    let groups;
    try {
      groups = await config.load(query);
    } catch (error) {
      return turn === asked && note(error.message || "Options could not be loaded.");
    }
    if (turn !== asked) return undefined;
    const full = groups.filter((group) => group.entries.length);
    if (!full.length) return note(query ? `Nothing found for “${query}”.` : "Nothing to choose from.");
    list.replaceChildren();
    for (const group of full) append(list, [group.label && el("div", { class: "group-label" }, group.label), group.entries.map(row)]);
    return focusOn(items().find((node) => node.getAttribute("aria-selected") === "true") || items()[0]);
  };

  search.addEventListener("input", refresh);
  panel.addEventListener("keydown", (event) => {
    if (moveByKeys(event, items, active, focusOn)) return;
    if (event.key === "Enter") {
      event.preventDefault();
      event.stopPropagation();
      active?.click();
    }
  });
  return { panel, start: () => { search.focus(); refresh(); } };
}
