// Purpose: Block Kit's interactive elements: what they look like, what they hold, and the action each one sends.
import { confirmDialog } from "./dialog.js";
import { icon } from "./icons.js";
import { el, safeUrl, uid } from "./dom.js";
import { plainText, textObject } from "./mrkdwn.js";
import { moveByKeys, openPopup } from "./popup.js";
import { dateField, textField } from "./fields.js";
import { fileField } from "./filefield.js";
import { entriesFor, isSelect, selectElement } from "./choices.js";

/** What the person has entered on one message or view: {block_id: {action_id: state}}. */
export class FormState {
  constructor(values = {}) {
    this.values = structuredClone(values);
  }

  get(blockId, actionId) {
    return this.values[blockId]?.[actionId];
  }

  set(blockId, actionId, state) {
    this.values[blockId] = { ...this.values[blockId], [actionId]: state };
  }

  /** Only what still stands on the surface: {block_id: {action_id}} pairs of `blocks`. */
  keep(blocks) {
    const alive = new Map();
    for (const block of blocks) {
      for (const part of [block.element, block.accessory, ...(block.elements || [])]) {
        if (part?.action_id) alive.set(`${block.block_id}\n${part.action_id}`, part.type);
      }
    }
    for (const [blockId, actions] of Object.entries(this.values)) {
      for (const [actionId, state] of Object.entries(actions)) {
        if (alive.get(`${blockId}\n${actionId}`) !== state.type) delete actions[actionId];
      }
      if (!Object.keys(actions).length) delete this.values[blockId];
    }
  }
}

/**
 * Draw one element. `where` is {blockId, dispatches, label, input}; `surface` has names, people, channels, state,
 * act(action) → Promise<{ok, message}>, suggest(blockId, actionId, text) and submit().
 */
export function element(part, where, surface) {
  if (isSelect(part.type)) return selectElement(part, control(part, where, surface), surface);
  switch (part.type) {
    case "button":
    case "workflow_button":
      return button(part, where, surface);
    case "overflow":
      return overflow(part, where, surface);
    case "checkboxes":
    case "radio_buttons":
      return choiceList(part, where, surface);
    case "datepicker":
    case "timepicker":
    case "datetimepicker":
      return dateField(part, control(part, where, surface));
    case "plain_text_input":
    case "number_input":
    case "email_text_input":
    case "url_text_input":
    case "rich_text_input":
      return textField(part, control(part, where, surface));
    case "file_input":
      return fileField(part, control(part, where, surface), surface);
    default:
      return el("span", { class: "unknown-block" }, `[${part.type}]`);
  }
}

/** What every stateful element needs: its label, its remembered state, and `change` to store and send a new one. */
function control(part, where, surface) {
  const { blockId } = where;
  const change = async (state, { dispatch = where.dispatches } = {}) => {
    const before = surface.state.get(blockId, part.action_id);
    surface.state.set(blockId, part.action_id, { type: part.type, ...state });
    if (!dispatch) return true;
    if (part.confirm && !(await confirmDialog(part.confirm, surface.names))) {
      surface.state.set(blockId, part.action_id, before);
      return false;
    }
    await surface.act({ block_id: blockId, action_id: part.action_id, type: part.type, ...state });
    return true;
  };
  return {
    label: where.label || part.placeholder?.text || "Choose",
    input: where.input,
    blockId,
    dispatches: where.dispatches,
    describedBy: where.describedBy,
    fieldId: where.fieldId,
    submit: surface.submit,
    held: () => surface.state.get(blockId, part.action_id),
    start: (state) => {
      if (!surface.state.get(blockId, part.action_id))
        surface.state.set(blockId, part.action_id, { type: part.type, ...state });
      return surface.state.get(blockId, part.action_id);
    },
    change,
  };
}

function button(part, where, surface) {
  const props = {
    class: `btn${part.style ? ` btn-${part.style}` : ""}`,
    "aria-label": part.accessibility_label,
    dataset: { actionId: part.action_id || "" },
  };
  const href = part.url && safeUrl(part.url);
  const node = href
    ? el(
        "a",
        { ...props, href, target: "_blank", rel: "noopener noreferrer", role: "button" },
        plainText(part.text.text, part.text.emoji),
      )
    : el("button", { ...props, type: "button" }, plainText(part.text.text, part.text.emoji));
  const holder = el("span", { class: "btn-holder" }, node);
  node.addEventListener("click", async (event) => {
    if (node.getAttribute("aria-busy") === "true") return event.preventDefault();
    if (part.confirm) {
      event.preventDefault();
      if (!(await confirmDialog(part.confirm, surface.names))) return undefined;
      if (href) window.open(href, "_blank", "noopener");
    }
    const action = { block_id: where.blockId, action_id: part.action_id, type: "button", text: part.text };
    if (part.value !== undefined) action.value = part.value;
    return send(holder, node, surface.act(action));
  });
  return holder;
}

/** Spinner until the app has acknowledged, then nothing, or the warning triangle with the reason. */
async function send(holder, node, answer) {
  holder.querySelector(".not-acked")?.remove();
  node.setAttribute("aria-busy", "true");
  const result = await answer;
  node.removeAttribute("aria-busy");
  if (!result.ok) holder.append(warningSign(result.message));
}

export function warningSign(message) {
  const sign = el("span", {
    class: "not-acked",
    role: "img",
    "aria-label": `Not done: ${message}`,
    title: message,
  });
  sign.append(icon("warning", 18));
  return sign;
}

function overflow(part, where, surface) {
  const node = el(
    "button",
    {
      type: "button",
      class: "btn btn-icon",
      "aria-haspopup": "menu",
      "aria-expanded": "false",
      "aria-label": part.accessibility_label || "More actions",
      dataset: { actionId: part.action_id },
    },
    icon("more", 18),
  );
  const holder = el("span", { class: "btn-holder" }, node);
  node.addEventListener("click", () => {
    const menu = el("div", { role: "menu", class: "menu" });
    const close = openPopup(node, menu);
    for (const option of part.options)
      menu.append(
        menuItem(option, async () => {
          close();
          if (part.confirm && !(await confirmDialog(part.confirm, surface.names))) return;
          const href = option.url && safeUrl(option.url);
          if (href) window.open(href, "_blank", "noopener");
          const action = {
            block_id: where.blockId,
            action_id: part.action_id,
            type: "overflow",
            selected_option: option,
          };
          await send(holder, node, surface.act(action));
        }),
      );
    const items = () => [...menu.querySelectorAll("[role=menuitem]")];
    menu.addEventListener("keydown", (event) =>
      moveByKeys(event, items, document.activeElement, (item) => item.focus()),
    );
    items()[0]?.focus();
  });
  return holder;
}

function menuItem(option, onClick) {
  const props = {
    type: "button",
    role: "menuitem",
    class: "menu-item",
    dataset: { value: option.value ?? "" },
    onClick,
  };
  return el(
    "button",
    props,
    plainText(option.text.text),
    option.description && el("small", {}, plainText(option.description.text)),
  );
}

function choiceList(part, where, surface) {
  const many = part.type === "checkboxes";
  const ctl = control(part, where, surface);
  const initial = many
    ? { selected_options: part.initial_options || [] }
    : { selected_option: part.initial_option || null };
  const held = ctl.start(initial);
  const picked = new Set(entriesFor(held).map((option) => option.value));
  const group = el("div", {
    class: "choice-list",
    role: many ? "group" : "radiogroup",
    "aria-label": ctl.label,
    "aria-describedby": ctl.describedBy,
    dataset: { actionId: part.action_id },
  });
  const name = uid("choice");
  const boxes = part.options.map((option) => {
    const box = el("input", {
      type: many ? "checkbox" : "radio",
      name,
      value: option.value,
      checked: picked.has(option.value),
    });
    const text = el(
      "span",
      {},
      textObject(option.text, surface.names),
      option.description && el("small", {}, textObject(option.description, surface.names)),
    );
    group.append(el("label", { class: "choice" }, box, text));
    return box;
  });
  group.addEventListener("change", async () => {
    const options = part.options.filter((_, index) => boxes[index].checked);
    const accepted = await ctl.change(
      many ? { selected_options: options } : { selected_option: options[0] || null },
    );
    if (accepted) return;
    const back = new Set(entriesFor(ctl.held()).map((option) => option.value));
    for (const box of boxes) box.checked = back.has(box.value);
  });
  return group;
}
