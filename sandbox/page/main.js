// Purpose: put the page together: load the workspace, follow the live socket, keep the address bar in step.
import { ApiError, live } from "./api.js";
import { Conversation, ThreadPane } from "./conversation.js";
import { el, replace } from "./dom.js";
import { icon } from "./icons.js";
import { MailPanel } from "./mail.js";
import { ViewStack } from "./modal.js";
import { PhonesPanel } from "./phones.js";
import { drawSidebar, drawTopbar } from "./sidebar.js";
import { Store } from "./store.js";
import { toast } from "./toast.js";

const RETRY_AFTER = 1500;
const part = (id) => document.getElementById(id);

class Page {
  constructor() {
    this.store = new Store();
    this.views = new ViewStack(this.store);
    this.mail = new MailPanel(part("mail"), {
      onUnread: () => this.drawChrome(),
      onClose: () => this.toggleMail(false),
    });
    this.phones = new PhonesPanel(part("phones"), {
      onUnread: () => this.drawChrome(),
      onToggle: (open) => this.togglePhones(open),
    });
    this.mailOpen = false;
    this.socketLost = false;
  }

  async start() {
    const params = new URLSearchParams(location.search);
    await this.enter(params.get("user"), params.get("channel"), params.get("tab"));
    this.toggleMail(params.has("mail"), params.get("mail"));
    this.mail.refreshAccounts();
    this.phones.refresh();
    window.addEventListener("popstate", () => this.followAddress());
  }

  /** Look at the workspace through `user`'s eyes. */
  async enter(user, channelId, tab) {
    this.socket?.stop();
    this.views.closeAll();
    this.closeThread();
    await this.store.load(user);
    this.socket = live(
      this.store.user,
      (event) => this.receive(event),
      (state, info) => this.socketState(state, info),
    );
    this.show(this.store.channel(channelId) || this.firstChannel(), tab, { replaceAddress: true });
  }

  firstChannel() {
    const { channels } = this.store.boot;
    return channels.find((one) => one.kind !== "dm" && one.is_member !== false) || channels[0];
  }

  show(channel, tab = null, { replaceAddress = false } = {}) {
    if (channel.id !== this.conversation?.channel.id) this.closeThread();
    this.conversation = new Conversation(part("main"), this.store, channel, tab, {
      openThread: (message) => this.openThread(message),
      setTab: (name) => this.show(channel, name),
      onRead: () => {
        const here = this.store.channel(channel.id);
        if (here) here.unread = 0;
        this.drawChrome();
      },
    });
    this.writeAddress(replaceAddress);
    this.drawChrome();
    this.conversation.composer?.focus();
  }

  openChannel(channel) {
    this.show(channel, this.store.isAppChannel(channel) && !channel.unread ? "home" : "messages");
  }

  drawChrome() {
    if (!this.store.boot) return;
    drawSidebar(part("sidebar"), this.store, this.conversation?.channel.id, (channel) =>
      this.openChannel(channel),
    );
    drawTopbar(part("topbar"), this.store, {
      switchUser: (user) =>
        this.enter(user, this.conversation.channel.id, this.conversation.tab).catch(explain),
      toggleMail: () => this.toggleMail(!this.mailOpen),
      mailOpen: this.mailOpen,
      mailUnread: this.mail.unread(),
      more: this.phones.toggle(),
    });
    this.drawBanner();
    const unread = this.store.boot.channels.reduce((sum, one) => sum + (one.unread || 0), 0);
    document.title = `${unread ? `(${unread}) ` : ""}${this.conversation ? `${this.store.label(this.conversation.channel)} · ` : ""}${this.store.boot.team.name}`;
  }

  drawBanner() {
    const banner = part("banner");
    const text = this.socketLost
      ? "The sandbox is not reachable. Trying to connect again…"
      : !this.store.app.reachable &&
        `${this.store.app.name} is not connected to this workspace right now: buttons and commands will not be answered until it is back.`;
    banner.hidden = !text;
    if (text) replace(banner, icon("warning", 18), el("span", {}, text));
  }

  openThread(message) {
    part("thread").hidden = false;
    this.thread = new ThreadPane(part("thread"), this.store, message, { close: () => this.closeThread() });
  }

  closeThread() {
    part("thread").hidden = true;
    part("thread").replaceChildren();
    this.thread = null;
  }

  toggleMail(open, address = "") {
    this.mailOpen = open;
    part("mail").hidden = !open;
    if (open) this.phones.show(false);
    if (open) this.mail.open(address || null);
    this.writeAddress(true);
    this.drawChrome();
  }

  /** One drawer at a time. */
  togglePhones(open) {
    if (open && this.mailOpen) this.toggleMail(false);
    this.phones.show(open);
    this.drawChrome();
  }

  writeAddress(replaceIt) {
    if (!this.conversation) return;
    const params = new URLSearchParams({ user: this.store.user, channel: this.conversation.channel.id });
    if (this.store.isAppChannel(this.conversation.channel)) params.set("tab", this.conversation.tab);
    if (this.mailOpen) params.set("mail", this.mail.address || "");
    const address = `?${params}`;
    if (address === location.search) return;
    history[replaceIt ? "replaceState" : "pushState"](null, "", address);
  }

  followAddress() {
    const params = new URLSearchParams(location.search);
    const channel = this.store.channel(params.get("channel"));
    if (params.get("user") !== this.store.user)
      this.enter(params.get("user"), params.get("channel"), params.get("tab")).catch(explain);
    else if (channel) this.show(channel, params.get("tab"), { replaceAddress: true });
  }

  socketState(state, { again }) {
    this.socketLost = state === "lost";
    this.drawBanner();
    if (state === "open" && again) this.reload();
  }

  /** Events may have been missed: take the workspace and the open channel afresh. */
  async reload() {
    try {
      await this.store.load(this.store.user);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      return;
    }
    this.drawChrome();
    this.conversation?.refresh();
    if (this.conversation?.tab === "home") this.conversation.home.open();
    this.thread?.refresh();
    this.mail.refresh();
    this.phones.refresh();
  }

  receive(event) {
    const handle = EVENTS[event.type];
    if (handle) handle(this, event);
  }

  messageArrived(event, isNew) {
    const message = event.message;
    const channel = this.store.channel(message.channel);
    if (!channel) return this.reload();
    if (this.conversation?.channel.id === channel.id) this.conversation.receive(message);
    if (this.thread?.concerns(message)) this.thread.refresh();
    const elsewhere = this.conversation?.channel.id !== channel.id || this.conversation.tab === "home";
    if (isNew && elsewhere && !message.mine && !message.ephemeral) {
      channel.unread = (channel.unread || 0) + 1;
      this.drawChrome();
    }
    return undefined;
  }

  messageGone(event) {
    const channel = event.channel || event.message?.channel;
    const ts = event.message?.ts || event.ts;
    if (this.conversation?.channel.id === channel) this.conversation.remove(ts);
    if (this.thread?.message.ts === ts) this.closeThread();
    else if (this.thread) this.thread.refresh();
  }
}

const EVENTS = {
  message: (page, event) => page.messageArrived(event, true),
  ephemeral: (page, event) =>
    page.messageArrived({ ...event, message: { ...event.message, ephemeral: true } }, true),
  message_changed: (page, event) => page.messageArrived(event, false),
  message_deleted: (page, event) => page.messageGone(event),
  view_open: (page, event) => page.views.open(event.view),
  view_push: (page, event) => page.views.push(event.view),
  view_update: (page, event) => page.views.update(event.view),
  view_close: (page, event) =>
    event.view || event.view_id ? page.views.close(event.view?.id || event.view_id) : page.views.closeAll(),
  home: (page, event) => page.conversation?.tab === "home" && page.conversation.home.draw(event.view),
  toast: (page, event) => toast(event.text, event.level),
  app: (page, event) => {
    page.store.app.reachable = event.reachable;
    page.drawBanner();
  },
  mail_changed: (page, event) => page.mail.changed(event.address),
  signin_changed: (page) => page.mail.signInChanged(),
  sms_changed: (page) => page.phones.refresh(),
};

function explain(error) {
  if (!(error instanceof ApiError)) throw error;
  toast(error.message, "error");
}

/** The page may be opened before the sandbox is up: say so and try again until it answers. */
async function begin(page) {
  try {
    await page.start();
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (error.status === 400 && new URLSearchParams(location.search).has("user"))
      return location.replace(location.pathname);
    replace(
      part("main"),
      el(
        "div",
        { class: "starting", role: "status" },
        el("span", { class: "spinner" }),
        el("p", {}, error.message),
        el("p", {}, "Trying again…"),
      ),
    );
    setTimeout(() => begin(page), RETRY_AFTER);
  }
  return undefined;
}

begin(new Page());
