// Purpose: the middle pane (a channel, or the app's Home and Messages tabs) and the thread pane beside it.
import { ApiError, attempt, get } from "./api.js";
import { Composer } from "./composer.js";
import { el, replace, uid } from "./dom.js";
import { HomeTab } from "./home.js";
import { avatar, icon } from "./icons.js";
import { MessageList } from "./messages.js";
import { channelSign } from "./sidebar.js";
import { toast } from "./toast.js";

const REFRESH_AFTER = 250;

/** One open channel. options: openThread(message), setTab(tab), onRead(). */
export class Conversation {
  constructor(root, store, channel, tab, options) {
    this.root = root;
    this.store = store;
    this.channel = channel;
    this.options = options;
    this.tab = store.isAppChannel(channel) ? tab || "messages" : "messages";
    this.draw();
  }

  draw() {
    const pane = el("div", { class: "pane", id: uid("pane") });
    const isApp = this.store.isAppChannel(this.channel);
    replace(this.root, this.head(), isApp && this.tabs(pane.id), pane);
    if (isApp) {
      pane.setAttribute("role", "tabpanel");
      pane.setAttribute("aria-label", this.tab === "home" ? "Home" : "Messages");
    }
    if (this.tab === "home") this.drawHome(pane);
    else this.drawMessages(pane);
  }

  head() {
    const { channel, store } = this;
    const facts = channel.archived
      ? "archived"
      : channel.is_member === false
        ? "you have not joined this channel"
        : channel.topic;
    return el(
      "div",
      { class: "main-head" },
      channelSign(channel, store, 18),
      el("h1", {}, store.label(channel)),
      store.isAppChannel(channel) && el("span", { class: "app-badge" }, "APP"),
      facts && el("span", { class: "topic" }, facts),
    );
  }

  tabs(paneId) {
    const tab = (name, label) =>
      el(
        "button",
        {
          type: "button",
          role: "tab",
          class: "tab",
          "aria-selected": String(this.tab === name),
          "aria-controls": paneId,
          dataset: { testid: `${name}-tab` },
          onClick: () => this.options.setTab(name),
        },
        label,
      );
    return el("div", { class: "tabs", role: "tablist" }, tab("home", "Home"), tab("messages", "Messages"));
  }

  drawHome(pane) {
    const root = el("div", { class: "home", dataset: { testid: "home" } });
    pane.append(root);
    this.home = new HomeTab(root, this.store);
    this.home.open();
  }

  drawMessages(pane) {
    const root = el("div", {
      class: "message-list",
      role: "log",
      "aria-live": "polite",
      "aria-label": `Messages in ${this.store.label(this.channel)}`,
      tabindex: "0",
      dataset: { testid: "messages" },
    });
    this.list = new MessageList(root, {
      store: this.store,
      onThread: this.options.openThread,
      intro: () => this.intro(),
    });
    const box = new Composer({
      store: this.store,
      commands: true,
      testid: "composer",
      draftKey: this.channel.id,
      label: `Message ${this.store.label(this.channel)}`,
      placeholder: this.placeholder(),
      onMessage: (text) => this.send(text),
      onCommand: (command, text) => this.run(command, text),
    });
    const closed = this.closedFor();
    pane.append(root, closed ? el("div", { class: "archived-note" }, closed) : box.node);
    this.composer = closed ? null : box;
    this.refresh({ bottom: true });
  }

  /** Why nothing can be typed here, or null. */
  closedFor() {
    if (this.channel.archived) return "This channel is archived; nothing can be posted here.";
    const readOnly = this.store.isAppChannel(this.channel) && this.store.app.messages_read_only;
    return readOnly ? "Sending messages to this app has been turned off. Commands work in any channel." : null;
  }

  placeholder() {
    const name = this.store.label(this.channel);
    return this.channel.kind === "dm"
      ? `Message ${name}, or type / for a command`
      : `Message #${name}, or type / for a command`;
  }

  intro() {
    const { channel, store } = this;
    const name = store.label(channel);
    if (channel.kind === "dm") {
      return el(
        "div",
        { class: "intro" },
        avatar(store.person(channel.with), "huge"),
        el("h2", {}, name),
        el("p", {}, `This conversation is just between you and ${name}.`),
      );
    }
    const kind = channel.kind === "private" ? "private channel" : "channel";
    return el(
      "div",
      { class: "intro" },
      el("h2", {}, channelSign(channel, store, 22), name),
      el("p", {}, `This is the very beginning of the ${kind}. ${channel.topic || ""}`),
    );
  }

  /** Load the messages again; loading also marks the channel as read. */
  async refresh({ bottom = false } = {}) {
    const { list } = this;
    if (!list) return;
    try {
      const { messages } = await get("/page/messages", { user: this.store.user, channel: this.channel.id });
      const own = messages.filter((one) => !one.thread_ts || one.thread_ts === one.ts);
      list.set(own, { follow: bottom });
      this.options.onRead();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      toast(error.message, "error");
    }
  }

  // Several events in a row ask the server once.
  refreshSoon() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.refresh(), REFRESH_AFTER);
  }

  receive(message) {
    const reply = message.thread_ts && message.thread_ts !== message.ts;
    if (!reply) this.list?.upsert(message);
    if (this.list) this.refreshSoon();
  }

  remove(ts) {
    this.list?.remove(ts);
  }

  async send(text) {
    const answer = await attempt("/page/post", { user: this.store.user, channel: this.channel.id, text });
    if (!answer.ok) this.list.note(answer.message || "Your message was not sent.");
    this.list.toBottom();
    return answer.ok;
  }

  async run(command, text) {
    const known = this.store.boot.commands.some((one) => one.command === command);
    if (!known) {
      this.list.note(
        `${command} is not a command of this workspace. A message that starts with “/” is taken as a command.`,
      );
      return false;
    }
    const answer = await attempt("/page/command", {
      user: this.store.user,
      channel: this.channel.id,
      command,
      text,
    });
    if (!answer.ok) this.list.note(commandFailure(command, answer, this.store.app.name));
    return true;
  }
}

function commandFailure(command, answer, app) {
  const words = answer.message || "";
  const stated = words.startsWith(command)
    ? words
    : `${command} failed with the error “${answer.error || "unknown"}”. ${words}`;
  const sentence = /[.!?]$/.test(stated.trim()) ? stated.trim() : `${stated.trim()}.`;
  return answer.error === "operation_timeout"
    ? `${sentence} ${app} did not respond within three seconds.`
    : sentence;
}

/** The thread of one message, in the right pane. options: close(). */
export class ThreadPane {
  constructor(root, store, message, options) {
    this.root = root;
    this.store = store;
    this.message = message;
    const { channel, ts } = message;
    const close = el(
      "button",
      {
        type: "button",
        class: "icon-button",
        "aria-label": "Close thread",
        dataset: { testid: "thread-close" },
        onClick: options.close,
      },
      icon("close", 20),
    );
    const body = el("div", {
      class: "message-list",
      role: "log",
      "aria-live": "polite",
      "aria-label": "Thread",
      tabindex: "0",
      dataset: { testid: "thread" },
    });
    this.list = new MessageList(body, { store, onThread: null });
    const box = new Composer({
      store,
      commands: false,
      testid: "thread-composer",
      draftKey: `${channel}/${ts}`,
      label: "Reply in thread",
      placeholder: "Reply…",
      onMessage: (text) => this.send(text),
      onCommand: async () => {
        toast("Slash commands do not work in threads.", "error");
        return false;
      },
    });
    const name = store.label(store.channel(channel));
    replace(
      root,
      el("div", { class: "main-head" }, el("h2", {}, "Thread"), el("span", { class: "topic" }, name), close),
      body,
      box.node,
    );
    this.refresh();
    box.focus();
  }

  concerns(message) {
    return (
      message.channel === this.message.channel &&
      (message.thread_ts === this.message.ts || message.ts === this.message.ts)
    );
  }

  async refresh() {
    try {
      const { messages } = await get("/page/thread", {
        user: this.store.user,
        channel: this.message.channel,
        ts: this.message.ts,
      });
      this.list.set(messages, { follow: true });
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      toast(error.message, "error");
    }
  }

  async send(text) {
    const { channel, ts } = this.message;
    const answer = await attempt("/page/post", { user: this.store.user, channel, text, thread_ts: ts });
    if (!answer.ok) this.list.note(answer.message || "Your reply was not sent.");
    return answer.ok;
  }
}
