// Purpose: the rich_text block with all its containers and inline elements.
import { emoji } from "./emoji.js";
import { el, link, append } from "./dom.js";
import { broadcast, channelMention, userMention } from "./mrkdwn.js";
import { formatDate } from "./times.js";

export function richText(block, names) {
  return append(
    el("div", { class: "rich-text" }),
    (block.elements || []).map((part) => container(part, names)),
  );
}

function container(part, names) {
  const inside = () => (part.elements || []).map((piece) => inlineElement(piece, names));
  switch (part.type) {
    case "rich_text_section":
      return el("div", { class: "rich-section" }, inside());
    case "rich_text_quote":
      return el("blockquote", {}, inside());
    case "rich_text_preformatted":
      return el("pre", { class: "code-block" }, inside());
    case "rich_text_list":
      return list(part, names);
    default:
      return el("div", { class: "unknown-block" }, `[${part.type}]`);
  }
}

const ORDERED = ["1", "a", "i"];
const BULLETS = ["disc", "circle", "square"];

function list(part, names) {
  const indent = Math.max(0, Math.min(8, Number(part.indent) || 0));
  const ordered = part.style === "ordered";
  const props = { class: "rich-list", style: { "--level": indent } };
  if (ordered) Object.assign(props, { type: ORDERED[indent % 3], start: (Number(part.offset) || 0) + 1 });
  else props.style["list-style-type"] = BULLETS[indent % 3];
  const items = (part.elements || []).map((item) => el("li", {}, container(item, names)));
  return el(ordered ? "ol" : "ul", props, items);
}

function inlineElement(piece, names) {
  return styled(bare(piece, names), piece.style || {});
}

function bare(piece, names) {
  switch (piece.type) {
    case "text":
      return el("span", { class: "plain" }, piece.text);
    case "link":
      return link(piece.url, piece.text || piece.url);
    case "user":
      return userMention(piece.user_id, names);
    case "usergroup":
      return el("span", { class: "mention" }, `@${piece.usergroup_id}`);
    case "channel":
      return channelMention(piece.channel_id, names);
    case "broadcast":
      return broadcast(String(piece.range));
    case "emoji":
      return emoji(String(piece.name)) ?? el("span", {}, `:${piece.name}:`);
    case "date":
      return el(
        "time",
        {},
        formatDate(Number(piece.timestamp), piece.format || "{date_num}") ?? piece.fallback ?? "",
      );
    case "color":
      return el("span", { class: "color-chip" }, swatch(piece.value), String(piece.value));
    default:
      return el("span", {}, piece.text || `[${piece.type}]`);
  }
}

function swatch(value) {
  return el("i", { style: { background: /^#[0-9a-f]{6}$/i.test(value) ? value : "transparent" } });
}

function styled(node, style) {
  const wrappers = { code: "code", strike: "s", underline: "u", italic: "em", bold: "strong" };
  return Object.keys(wrappers)
    .filter((name) => style[name])
    .reduce((inner, name) => el(wrappers[name], {}, inner), node);
}
