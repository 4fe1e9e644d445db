// Purpose: Slack's mrkdwn (and its plain_text and <...> references) as DOM nodes.
import { DRAWN_CHARACTERS, emoji, emojiFromCharacter } from "./emoji.js";
import { append, el, link } from "./dom.js";
import { formatDate } from "./times.js";

/** Turn the three entities Slack escapes back into characters; anything else is left as it stands. */
export function unescape(text) {
  return text.replace(/&(lt|gt|amp);/g, (_, name) => ({ lt: "<", gt: ">", amp: "&" })[name]);
}

/** A text object of Block Kit. `names` looks up people and channels: {user(id), channel(id)}. */
export function textObject(object, names) {
  if (!object) return null;
  return object.type === "mrkdwn"
    ? mrkdwn(object.text, names, { verbatim: object.verbatim })
    : plainText(object.text, object.emoji);
}

/** plain_text: line breaks and emoji, no other markup. */
export function plainText(text, withEmoji = true) {
  const span = el("span", { class: "plain" });
  return append(span, withEmoji === false ? unescape(String(text)) : emojiRuns(String(text)));
}

export function mrkdwn(text, names, options = {}) {
  const root = el("div", { class: "mrkdwn" });
  String(text ?? "")
    .split(/```\n?([\s\S]*?)\n?```/)
    .forEach((part, index) => {
      if (index % 2) root.append(el("pre", { class: "code-block" }, preformatted(part, names)));
      else lines(part, names, options).forEach((node) => root.append(node));
    });
  return root;
}

function preformatted(text, names) {
  return text
    .split(/(<[^<>\n]+>)/)
    .map((part, index) => (index % 2 ? reference(part.slice(1, -1), names) : unescape(part)));
}

/** Group lines into paragraphs, quotes and list rows. */
function lines(text, names, options) {
  if (!text.trim()) return [];
  const out = [];
  let group = null;
  const rows = text.replace(/^\n|\n$/g, "").split("\n");
  for (let index = 0; index < rows.length; index += 1) {
    const whole = /^(?:>|&gt;){3}\s?/.exec(rows[index]);
    if (whole) {
      const rest = [rows[index].slice(whole[0].length), ...rows.slice(index + 1)].join("\n");
      out.push(el("blockquote", {}, inline(rest, names, options)));
      return out;
    }
    const [kind, content] = classify(rows[index]);
    if (!group || group.kind !== kind || kind === "list") {
      group = { kind, node: wrapper(kind, rows[index]) };
      out.push(group.node);
    } else group.node.append(el("br"));
    append(
      group.node,
      kind === "list" ? el("span", {}, inline(content, names, options)) : inline(content, names, options),
    );
  }
  return out;
}

const LIST = /^(\s*)([•◦▪-]|\d{1,3}\.)\s+(?=\S)/;

function classify(row) {
  const quote = /^(?:>|&gt;) ?/.exec(row);
  if (quote) return ["quote", row.slice(quote[0].length)];
  const list = LIST.exec(row);
  return list ? ["list", row.slice(list[0].length)] : ["text", row];
}

function wrapper(kind, row) {
  if (kind === "quote") return el("blockquote");
  if (kind === "text") return el("div", { class: "line" });
  const [, indent, sign] = LIST.exec(row);
  const level = Math.min(4, Math.floor(indent.length / 2));
  return el(
    "div",
    { class: "list-row", style: { "--level": level } },
    el("span", { class: "list-sign" }, sign),
  );
}

const SPAN = {
  "*": (inside) => el("strong", {}, inside),
  _: (inside) => el("em", {}, inside),
  "~": (inside) => el("s", {}, inside),
};

/**
 * Inline markup of one run of text, as nodes. A mark opens after a non-word character and before a non-space,
 * closes after a non-space and before a non-word character, and never spans lines, as in Slack.
 */
export function inline(text, names, options = {}) {
  const out = [];
  let plain = "";
  const flush = () => {
    if (plain) out.push(options.verbatim ? emojiRuns(plain) : autoLinked(plain));
    plain = "";
  };
  for (let at = 0; at < text.length;) {
    const token = tokenAt(text, at, names, options);
    if (token) {
      flush();
      out.push(token.node);
      at = token.end;
    } else {
      plain += text[at];
      at += 1;
    }
  }
  flush();
  return out;
}

function tokenAt(text, at, names, options) {
  const char = text[at];
  if (char === "\n") return { node: el("br"), end: at + 1 };
  if (char === "<") {
    const end = text.indexOf(">", at);
    if (end < 0 || /[<\n]/.test(text.slice(at + 1, end)) || end === at + 1) return null;
    return { node: reference(text.slice(at + 1, end), names), end: end + 1 };
  }
  if (char === "`") {
    const end = text.indexOf("`", at + 1);
    if (end <= at + 1 || text.slice(at, end).includes("\n")) return null;
    return { node: el("code", {}, preformatted(text.slice(at + 1, end), names)), end: end + 1 };
  }
  if (char === "h" && !options.verbatim) return webAddressAt(text, at);
  if (!Object.hasOwn(SPAN, char) || (at > 0 && /[\p{L}\p{N}]/u.test(text[at - 1]))) return null;
  const end = closing(text, at, char);
  return end < 0 ? null : { node: SPAN[char](inline(text.slice(at + 1, end), names, options)), end: end + 1 };
}

const WEB = /https?:\/\/[^\s<>|"`]*[^\s<>|"`.,;:!?)\]}'*_~]/y;

// Taken before the marks are looked for, since addresses may hold * _ ~.
function webAddressAt(text, at) {
  WEB.lastIndex = at;
  const match = WEB.exec(text);
  if (!match || (at > 0 && /[\p{L}\p{N}]/u.test(text[at - 1]))) return null;
  const address = unescape(match[0]);
  return { node: link(address, address), end: WEB.lastIndex };
}

function closing(text, at, mark) {
  if (at + 1 >= text.length || /\s/.test(text[at + 1]) || text[at + 1] === mark) return -1;
  for (let end = at + 2; end < text.length && text[end] !== "\n"; end += 1) {
    if (text[end] !== mark || /\s/.test(text[end - 1])) continue;
    if (end + 1 === text.length || !/[\p{L}\p{N}]/u.test(text[end + 1])) return end;
  }
  return -1;
}

/** What stands between < and >: a person, a channel, a special mention, a date, or a link. */
function reference(inside, names) {
  const bar = inside.indexOf("|");
  const target = bar < 0 ? inside : inside.slice(0, bar);
  const label = bar < 0 ? null : unescape(inside.slice(bar + 1));
  if (target.startsWith("@")) return userMention(target.slice(1), names, label);
  if (target.startsWith("#")) return channelMention(target.slice(1), names, label);
  if (target.startsWith("!date^")) return dateReference(unescape(target.slice(6)), label);
  if (target.startsWith("!")) return broadcast(target.slice(1), label);
  const address = unescape(target);
  if (!/^(https?:|mailto:|tel:)/i.test(address)) return document.createTextNode(`<${unescape(inside)}>`);
  return link(address, label ? emojiRuns(label) : address.replace(/^mailto:/, ""));
}

export function userMention(id, names, label = null) {
  const user = names.user(id);
  return el("span", { class: "mention" }, `@${user ? user.real_name || user.name : label || id}`);
}

export function channelMention(id, names, label = null) {
  const channel = names.channel(id);
  return el("span", { class: "mention" }, `#${channel ? channel.name : label || id}`);
}

export function broadcast(kind, label = null) {
  const name = kind.split("^")[0];
  const shown = ["here", "channel", "everyone"].includes(name) ? `@${name}` : label || `<${kind}>`;
  return el("span", { class: "mention mention-loud" }, shown);
}

function dateReference(inside, fallback) {
  const [stamp, format, address] = inside.split("^");
  const shown = formatDate(Number(stamp), format || "{date_num}") ?? fallback ?? inside;
  const node = address ? link(address, shown) : el("time", {}, shown);
  node.title = formatDate(Number(stamp), "{date_long} at {time}") ?? "";
  return node;
}

const MAIL_ADDRESS = /([\w.+-]+@[\w-]+(?:\.[\w-]+)+)/;

function autoLinked(text) {
  return text
    .split(MAIL_ADDRESS)
    .map((part, index) => (index % 2 ? link(`mailto:${part}`, part) : emojiRuns(part)));
}

const EMOJI = new RegExp(`:([a-z0-9_+'-]+):|(${DRAWN_CHARACTERS.join("|")})`, "g");

/** Text with :shortcodes: and known emoji characters replaced; unknown codes stay text. Returns nodes and strings. */
export function emojiRuns(text) {
  const out = [];
  let from = 0;
  for (const match of text.matchAll(EMOJI)) {
    const node = match[1] ? emoji(match[1]) : emojiFromCharacter(match[2]);
    if (!node) continue;
    out.push(unescape(text.slice(from, match.index)), node);
    from = match.index + match[0].length;
  }
  out.push(unescape(text.slice(from)));
  return out;
}

/** A markdown block (headings, lists, quotes, fences, bold, links), drawn simply. */
export function markdown(text, names) {
  const root = el("div", { class: "markdown" });
  String(text ?? "")
    .split(/```[a-z]*\n?([\s\S]*?)\n?```/)
    .forEach((part, index) => {
      if (index % 2) root.append(el("pre", { class: "code-block" }, part));
      else part.split("\n").forEach((row) => root.append(markdownRow(row, names)));
    });
  return root;
}

function markdownRow(row, names) {
  const heading = /^(#{1,4})\s+(.*)$/.exec(row);
  if (heading) return el(`h${heading[1].length + 2}`, {}, inline(fromMarkdown(heading[2]), names));
  if (/^\s*(-{3,}|\*{3,})\s*$/.test(row)) return el("hr");
  if (!row.trim()) return el("div", { class: "gap" });
  const rule = /^(\s*)[*+-](\s+)/.exec(row);
  const normal = rule ? `${rule[1]}•${rule[2]}${row.slice(rule[0].length)}` : row;
  return append(el("div"), lines(fromMarkdown(normal), names, {}));
}

/** Markdown's inline marks rewritten to mrkdwn's. */
function fromMarkdown(text) {
  return text
    .replace(/\[([^\]]+)\]\((https?:[^\s)]+)\)/g, "<$2|$1>")
    .replace(/(?<![*\w])\*(?!\*)([^*\n]+)\*(?!\*)/g, "_$1_")
    .replace(/\*\*([^*\n]+)\*\*/g, "*$1*")
    .replace(/~~([^~\n]+)~~/g, "~$1~");
}
