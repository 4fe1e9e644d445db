// Purpose: draw messages as Slack does (authors grouped, days divided, attachments, ephemerals) and keep the list
// in step with live events.
import { renderBlocks } from "./blocks.js";
import { append, el, reconcile } from "./dom.js";
import { FormState } from "./elements.js";
import { avatar, icon } from "./icons.js";
import { emojiRuns, mrkdwn } from "./mrkdwn.js";
import { whenFree } from "./repaint.js";
import { makeSurface } from "./surface.js";
import { clock, dayKey, dayName, fromTs } from "./times.js";

const GROUP_SECONDS = 300;
const NEAR_BOTTOM = 90;

/** A list of messages in `root`. options: store, onThread(message) or null inside a thread, intro() → node. */
export class MessageList {
  constructor(root, options) {
    this.root = root;
    this.options = options;
    this.messages = [];
    this.notes = [];
    this.states = new Map();
    this.drawn = new Map();
    this.stuck = true;
    this.follow = false;
    root.addEventListener("scroll", () => {
      this.stuck = this.nearBottom();
    });
    // A drawer that opens or a composer that grows must not hide the newest message.
    new ResizeObserver(() => this.stuck && this.toBottom()).observe(root);
  }

  nearBottom() {
    const { scrollHeight, scrollTop, clientHeight } = this.root;
    return scrollHeight - scrollTop - clientHeight < NEAR_BOTTOM;
  }

  set(messages, { follow = false } = {}) {
    this.messages = [...messages].sort(byTs);
    this.draw({ follow });
  }

  upsert(message) {
    const at = this.messages.findIndex((one) => one.ts === message.ts);
    if (at >= 0) this.messages[at] = { ...this.messages[at], ...message };
    else this.messages.push(message);
    this.messages.sort(byTs);
    this.draw({ follow: at < 0 && message.mine });
  }

  remove(ts) {
    this.messages = this.messages.filter((one) => one.ts !== ts);
    this.draw();
  }

  /** A line only this page knows, such as a command that got no answer. */
  note(text) {
    const ts = String(Date.now() / 1000);
    this.notes.push({ ts, note: true, text });
    this.draw({ follow: true });
  }

  toBottom() {
    this.root.scrollTop = this.root.scrollHeight;
  }

  // A list that scrolls would take a begun click or an open menu from its place as surely as a new row would.
  draw({ follow = false } = {}) {
    this.follow ||= follow;
    whenFree(this.root, () => this.redraw());
  }

  redraw() {
    const { root } = this;
    const follow = this.follow || this.nearBottom();
    this.follow = false;
    const all = [...this.messages, ...this.notes].sort(byTs);
    keepingFocus(root, () => reconcile(root, this.rows(all)));
    if (follow) this.toBottom();
  }

  rows(all) {
    const before = this.drawn;
    this.drawn = new Map();
    // A row that would look the same stays, with its spinners, warnings and half-typed answers.
    const kept = (key, content, make) => {
      const old = before.get(key);
      const entry = old?.content === content ? old : { content, node: make() };
      this.drawn.set(key, entry);
      return entry.node;
    };
    const out = this.options.intro ? [kept("intro", "", this.options.intro)] : [];
    let previous = null;
    for (const message of all) {
      const date = fromTs(message.ts);
      const newDay = !previous || dayKey(fromTs(previous.ts)) !== dayKey(date);
      if (newDay) out.push(kept(dayKey(date), dayName(date), () => dayRow(date)));
      const compact = !newDay && sameRun(previous, message);
      const make = () => (message.note ? noteRow(message) : this.row(message, compact));
      out.push(kept(message.ts, JSON.stringify([message, compact]), make));
      previous = message;
    }
    return out;
  }

  row(message, compact) {
    const { store, onThread } = this.options;
    const author = store.author(message);
    const node = el("div", {
      class: `message${compact ? " compact" : ""}${message.ephemeral ? " ephemeral" : ""}`,
      dataset: { testid: `message-${message.ts}`, ts: message.ts },
      role: "article",
      tabindex: "-1",
      "aria-label": `${author.real_name || author.name}, ${clock(fromTs(message.ts))}`,
    });
    const time = el(
      "time",
      { class: "stamp", title: fromTs(message.ts).toLocaleString() },
      clock(fromTs(message.ts)),
    );
    const body = el("div", { class: "message-body" });
    if (message.ephemeral)
      body.append(el("div", { class: "only-you" }, icon("eye", 14), "Only visible to you"));
    if (!compact)
      body.append(
        el(
          "div",
          { class: "message-head" },
          el("b", {}, author.real_name || author.name),
          author.is_bot && el("span", { class: "app-badge" }, "APP"),
          time,
        ),
      );
    append(body, [
      this.content(message),
      this.attachments(message),
      files(message, this.options.store.user),
      reactions(message),
      this.threadLine(message),
    ]);
    append(node, [el("div", { class: "gutter" }, compact ? time : avatar(author)), body]);
    if (onThread && !message.ephemeral) node.append(threadButton(message, onThread));
    return node;
  }

  content(message) {
    const edited = message.edited && el("span", { class: "edited" }, "(edited)");
    if (message.blocks?.length)
      return [renderBlocks(message.blocks, this.surface(message, "", message.blocks)), edited];
    if (!message.text) return edited;
    return el(
      "div",
      { class: `message-text${message.subtype ? " system" : ""}` },
      mrkdwn(message.text, this.options.store.names),
      edited,
    );
  }

  attachments(message) {
    return (message.attachments || []).map((part, index) => {
      const color = /^#?[0-9a-f]{3,8}$/i.test(part.color || "")
        ? `#${part.color.replace("#", "")}`
        : NAMED[part.color] || "#d0d4d9";
      const text = part.pretext || part.title || part.text || (!part.blocks?.length && part.fallback);
      return el(
        "div",
        { class: "attachment", style: { "--bar": color } },
        text && mrkdwn(text, this.options.store.names),
        part.blocks?.length
          ? renderBlocks(part.blocks, this.surface(message, `#${index}`, part.blocks))
          : null,
      );
    });
  }

  threadLine(message) {
    const { onThread } = this.options;
    if (!onThread || !message.reply_count) return null;
    const words = `${message.reply_count} ${message.reply_count === 1 ? "reply" : "replies"}`;
    return el(
      "button",
      { type: "button", class: "thread-link", onClick: () => onThread(message) },
      icon("thread", 16),
      words,
    );
  }

  surface(message, part, blocks) {
    const key = `${message.ts}${part}`;
    const state = this.states.get(key) || new FormState();
    this.states.set(key, state);
    state.keep(blocks);
    return makeSurface(
      this.options.store,
      { type: "message", channel: message.channel, ts: message.ts },
      state,
    );
  }
}

const NAMED = { good: "#2eb67d", warning: "#ecb22e", danger: "#e01e5a" };

function byTs(one, other) {
  return Number(one.ts) - Number(other.ts);
}

function sameRun(previous, message) {
  return (
    previous &&
    !previous.note &&
    !previous.ephemeral &&
    !message.ephemeral &&
    previous.user === message.user &&
    previous.bot_id === message.bot_id &&
    Number(message.ts) - Number(previous.ts) < GROUP_SECONDS
  );
}

/** Pictures with title and alternative text; other files by name. */
function files(message, me) {
  return (message.files || []).map((file) =>
    el(
      "figure",
      { class: "file", dataset: { testid: `file-${file.id}` } },
      el("figcaption", {}, file.title || file.name),
      file.mimetype.startsWith("image/") ? filePicture(file, me) : fileLink(file, me),
    ),
  );
}

const fileAddress = (file, me) => `/page/file?${new URLSearchParams({ file: file.id, user: me })}`;

function fileLink(file, me) {
  return el("a", { class: "file-link", href: fileAddress(file, me), download: file.name }, icon("file", 18), file.name);
}

function filePicture(file, me) {
  const src = fileAddress(file, me);
  const words = file.alt_txt || file.title || file.name;
  // The browser keeps the room before the picture is there, so that the newest message stays in view.
  const size = file.original_w ? { width: file.original_w, height: file.original_h } : {};
  const picture = el("img", { class: "file-picture", src, alt: words, ...size });
  return el("a", { href: src, target: "_blank", rel: "noopener", title: "Open the picture" }, picture);
}

function reactions(message) {
  if (!message.reactions?.length) return null;
  const pill = (one) =>
    el(
      "span",
      { class: "reaction", "aria-label": `${one.users.length} × ${one.name}` },
      emojiRuns(`:${one.name}:`),
      String(one.users.length),
    );
  return el("div", { class: "reactions" }, message.reactions.map(pill));
}

function threadButton(message, onThread) {
  const label = "Reply in thread";
  const button = el(
    "button",
    {
      type: "button",
      class: "icon-button",
      "aria-label": label,
      title: label,
      onClick: () => onThread(message),
    },
    icon("thread", 18),
  );
  return el("div", { class: "hover-tools" }, button);
}

function dayRow(date) {
  return el("div", { class: "day", role: "separator" }, el("span", {}, dayName(date)));
}

function noteRow(note) {
  return el(
    "div",
    { class: "message note", role: "alert" },
    el(
      "div",
      { class: "gutter" },
      el("span", { class: "avatar avatar-large note-sign" }, icon("warning", 20)),
    ),
    el(
      "div",
      { class: "message-body" },
      el("div", { class: "only-you" }, icon("eye", 14), "Only visible to you"),
      el("div", { class: "message-text" }, note.text),
    ),
  );
}

/** Redraw without throwing the keyboard user out: focus and caret return to the same control, or focus to its message. */
function keepingFocus(root, change) {
  const focused = root.contains(document.activeElement) ? document.activeElement : null;
  const ts = focused?.closest(".message")?.dataset.ts;
  const action = focused?.dataset.actionId;
  const [from, to] = [focused?.selectionStart ?? null, focused?.selectionEnd ?? null];
  change();
  if (focused?.isConnected) focused.focus({ preventScroll: true });
  if (!ts || focused.isConnected) return;
  const message = root.querySelector(`[data-testid="message-${CSS.escape(ts)}"]`);
  const again = action && message?.querySelector(`[data-action-id="${CSS.escape(action)}"]`);
  (again || message)?.focus({ preventScroll: true });
  if (from !== null) again?.setSelectionRange?.(from, to);
}
