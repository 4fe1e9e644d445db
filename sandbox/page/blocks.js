// Purpose: Block Kit's layout blocks as DOM nodes.
import { element } from "./elements.js";
import { el, safeUrl, uid } from "./dom.js";
import { icon } from "./icons.js";
import { markdown, plainText, textObject } from "./mrkdwn.js";
import { richText } from "./richtext.js";

/** All blocks of a message, an attachment or a view. `surface` as in elements.js. */
export function renderBlocks(blocks, surface) {
  return el(
    "div",
    { class: "blocks" },
    (blocks || []).map((block) => safely(block, surface)),
  );
}

// One block the page cannot draw must not take the message with it.
function safely(block, surface) {
  try {
    const draw = Object.hasOwn(BLOCKS, block.type) ? BLOCKS[block.type] : unknown;
    const node = draw(block, surface);
    node.dataset.blockId = block.block_id || "";
    return node;
  } catch (error) {
    console.error(`block ${block?.type} could not be drawn`, error);
    return unknown(block || {});
  }
}

const BLOCKS = {
  section,
  header: (block) => el("h3", { class: "block header" }, plainText(block.text.text, block.text.emoji)),
  divider: () => el("hr", { class: "block divider" }),
  context,
  actions,
  image,
  input: inputBlock,
  table,
  rich_text: (block, surface) => wrap("rich", richText(block, surface.names)),
  markdown: (block, surface) => wrap("markdown-block", markdown(block.text, surface.names)),
  video: (block) => wrap("video", plainText(block.title?.text || "Video")),
};

function wrap(kind, node) {
  return el("div", { class: `block ${kind}` }, node);
}

function unknown(block) {
  return el("div", { class: "block unknown-block" }, `This kind of block (${block.type}) is not drawn here.`);
}

function section(block, surface) {
  const body = el("div", { class: "section-body" });
  if (block.text) body.append(el("div", { class: "section-text" }, textObject(block.text, surface.names)));
  if (block.fields)
    body.append(
      el(
        "div",
        { class: "fields" },
        block.fields.map((field) => el("div", { class: "field-cell" }, textObject(field, surface.names))),
      ),
    );
  const node = el("div", { class: "block section" }, body);
  if (block.accessory) node.append(el("div", { class: "accessory" }, accessory(block, surface)));
  return node;
}

function accessory(block, surface) {
  if (block.accessory.type === "image") return picture(block.accessory, "accessory-image");
  const label = block.accessory.accessibility_label || block.text?.text;
  return element(block.accessory, { blockId: block.block_id, dispatches: true, label }, surface);
}

function context(block, surface) {
  const parts = block.elements.map((part) =>
    part.type === "image" ? picture(part, "context-image") : textObject(part, surface.names),
  );
  return el("div", { class: "block context" }, parts);
}

function actions(block, surface) {
  const parts = block.elements.map((part) =>
    element(part, { blockId: block.block_id, dispatches: true }, surface),
  );
  return el("div", { class: "block actions", role: "group", "aria-label": "Actions" }, parts);
}

function image(block) {
  const title = block.title && el("figcaption", {}, plainText(block.title.text));
  return el("figure", { class: "block image" }, title, picture(block, "block-image"));
}

function picture(part, kind) {
  const src = safeUrl(part.image_url || part.slack_file?.url || "");
  const missing = () =>
    el("span", { class: `${kind} image-missing`, role: "img", "aria-label": part.alt_text }, part.alt_text);
  if (!src || !/^https?:/.test(src) || !(part.image_url || part.slack_file?.url)) return missing();
  const node = el("img", {
    class: kind,
    src,
    alt: part.alt_text,
    loading: "lazy",
    referrerpolicy: "no-referrer",
  });
  node.addEventListener("error", () => node.replaceWith(missing()), { once: true });
  return node;
}

function inputBlock(block, surface) {
  const part = block.element;
  const ids = { field: uid("field"), hint: uid("hint"), error: uid("error") };
  const grouped = ["checkboxes", "radio_buttons"].includes(part.type) || part.type.endsWith("_select");
  const where = {
    blockId: block.block_id,
    dispatches: Boolean(block.dispatch_action),
    input: true,
    label: block.label.text,
    fieldId: grouped ? null : ids.field,
    describedBy: `${ids.hint} ${ids.error}`,
  };
  const optional = block.optional && el("span", { class: "optional" }, " (optional)");
  return el(
    "div",
    { class: "block input" },
    el(
      grouped ? "div" : "label",
      { class: "input-label", for: grouped ? null : ids.field },
      plainText(block.label.text),
      optional,
    ),
    element(part, where, surface),
    el("div", { class: "input-hint", id: ids.hint }, block.hint && plainText(block.hint.text)),
    el("div", { class: "input-error", id: ids.error, role: "alert" }),
  );
}

/** Server- or page-side refusals under their fields; {} clears them all. Returns the keys that found no field. */
export function showErrors(root, errors) {
  const left = new Set(Object.keys(errors));
  for (const node of root.querySelectorAll(".block.input")) {
    const message = errors[node.dataset.blockId];
    left.delete(node.dataset.blockId);
    node.classList.toggle("has-error", Boolean(message));
    const line = node.querySelector(".input-error");
    line.replaceChildren(...(message ? [icon("warning", 14), document.createTextNode(String(message))] : []));
    for (const field of node.querySelectorAll(".field, .select"))
      field.setAttribute("aria-invalid", String(Boolean(message)));
  }
  root.querySelector(".has-error .field, .has-error .select, .has-error input")?.focus();
  return [...left];
}

function table(block, surface) {
  const settings = block.column_settings || [];
  const style = (column) => ({
    "text-align": settings[column]?.align || "left",
    "white-space": settings[column]?.is_wrapped === false ? "nowrap" : "normal",
  });
  const cell = (part, column, tag) =>
    el(tag, { style: style(column), scope: tag === "th" ? "col" : null }, cellContent(part, surface));
  const [head, ...rows] = block.rows;
  return el(
    "div",
    { class: "block table", tabindex: "0", role: "region", "aria-label": "Table" },
    el(
      "table",
      {},
      el(
        "thead",
        {},
        el(
          "tr",
          {},
          head.map((part, column) => cell(part, column, "th")),
        ),
      ),
      el(
        "tbody",
        {},
        rows.map((row) =>
          el(
            "tr",
            {},
            row.map((part, column) => cell(part, column, "td")),
          ),
        ),
      ),
    ),
  );
}

function cellContent(part, surface) {
  if (part.type === "rich_text") return richText(part, surface.names);
  return plainText(String(part.text ?? part.value ?? ""));
}
