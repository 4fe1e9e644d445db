// Purpose: what the page knows of the workspace, for one viewer, and look-ups by id.
import { get } from "./api.js";

// Whom a newcomer sees the workspace as: the sample workspace's first recruiter.
const FIRST_USER = "U0RITA";

export class Store {
  constructor() {
    this.user = null;
    this.boot = null;
    this.drafts = new Map();
  }

  /** Load the workspace as `user` sees it. */
  async load(user) {
    const wanted = user || FIRST_USER;
    this.boot = await get("/page/bootstrap", { user: wanted });
    this.user = wanted;
  }

  get app() {
    return this.boot.app;
  }

  get me() {
    return this.person(this.user);
  }

  person(id) {
    return this.boot.users.find((user) => user.id === id);
  }

  channel(id) {
    return this.boot.channels.find((channel) => channel.id === id);
  }

  /** What a channel is called in lists: a direct message bears the other's name. */
  label(channel) {
    if (channel.kind !== "dm") return channel.name;
    const other = this.person(channel.with);
    return other ? other.real_name || other.name : channel.name;
  }

  isAppChannel(channel) {
    return channel?.kind === "dm" && channel.with === this.app.bot_user;
  }

  /** Everyone a person can look through the eyes of. */
  viewers() {
    return this.boot.users.filter((user) => !user.is_bot);
  }

  /** The look-ups mrkdwn needs. */
  get names() {
    return { user: (id) => this.person(id), channel: (id) => this.channel(id) };
  }

  /** Who wrote a message: a person, the app, or a stand-in made from what the message says. */
  author(message) {
    const known = this.person(message.user);
    if (known && !message.bot_id) return known;
    const bot = known || this.person(this.app.bot_user);
    const name = message.app_name || bot?.real_name || this.app.name;
    if (message.bot_id || bot?.id === message.user) return { ...bot, real_name: name, is_bot: true };
    return { id: message.user, name: message.user || "someone", real_name: message.user || "Someone" };
  }
}
