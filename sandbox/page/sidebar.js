// Purpose: the left column: workspace name, channels, direct messages, unread marks; and the bar above with the
// switch between people.
import { el, replace } from "./dom.js";
import { avatar, icon } from "./icons.js";
import { openPopup, moveByKeys } from "./popup.js";
import { repaint } from "./repaint.js";

/** Draw the channel lists. `open(channel)` is called on a click. */
export function drawSidebar(root, store, current, open) {
  const channels = store.boot.channels.filter((one) => one.kind !== "dm");
  const direct = store.boot.channels.filter((one) => one.kind === "dm");
  const apps = direct.filter((one) => store.person(one.with)?.is_bot);
  const people = direct.filter((one) => !apps.includes(one));
  const group = (title, list) =>
    list.length > 0 &&
    el(
      "section",
      { class: "channel-group" },
      el("h2", {}, title),
      el(
        "ul",
        {},
        list.map((one) => el("li", {}, channelRow(one, store, current, open))),
      ),
    );
  repaint(
    root,
    () =>
      replace(
        root,
        el("div", { class: "workspace-name" }, el("span", {}, store.boot.team.name)),
        el(
          "div",
          { class: "channel-lists" },
          group("Channels", channels),
          group("Direct messages", people),
          group("Apps", apps),
        ),
      ),
    { scroller: ".channel-lists" },
  );
}

function channelRow(channel, store, current, open) {
  const name = store.label(channel);
  const unread = channel.unread > 0;
  const classes = [
    "channel",
    channel.id === current && "current",
    unread && "unread",
    channel.archived && "archived",
    channel.is_member === false && "not-joined",
  ];
  const label = [name, channel.kind === "private" && "private channel", unread && `${channel.unread} unread`]
    .filter(Boolean)
    .join(", ");
  return el(
    "button",
    {
      type: "button",
      class: classes.filter(Boolean).join(" "),
      dataset: { testid: `channel-${channel.id}` },
      "aria-label": label,
      "aria-current": channel.id === current ? "page" : null,
      onClick: () => open(channel),
    },
    channelSign(channel, store),
    el("span", { class: "channel-name" }, name),
    unread && el("span", { class: "badge" }, String(channel.unread)),
  );
}

export function channelSign(channel, store, size = 16) {
  if (channel.kind === "dm") return avatar(store.person(channel.with) || { name: channel.name }, "tiny");
  return icon(channel.kind === "private" ? "lock" : "hash", size);
}

/** The bar above everything: whose eyes we look through, the candidate's drawer, and `more` buttons like it. */
export function drawTopbar(root, store, { switchUser, toggleMail, mailOpen, mailUnread, more }) {
  const me = store.me;
  const viewer = el(
    "button",
    {
      type: "button",
      class: "viewer",
      dataset: { testid: "user-switcher", user: store.user },
      "aria-haspopup": "menu",
      "aria-expanded": "false",
      "aria-label": `Viewing as ${me?.real_name}. Switch person`,
    },
    avatar(me, "small"),
    el(
      "span",
      { class: "viewer-text" },
      el("small", {}, "Viewing as"),
      el("b", {}, me?.real_name || store.user),
    ),
    icon("chevron", 16),
  );
  viewer.addEventListener("click", () => openViewers(viewer, store, switchUser));
  repaint(root, () =>
    replace(
      root,
      el(
        "div",
        { class: "brand" },
        el("img", { src: "/page-static/icon.svg", alt: "", width: 24, height: 24 }),
        el("b", {}, store.app.name),
        el("span", { class: "sandbox-tag" }, "Sandbox workspace"),
      ),
      el(
        "div",
        { class: "topbar-tools" },
        more,
        el(
          "button",
          {
            type: "button",
            class: "mail-toggle",
            "aria-pressed": String(mailOpen),
            dataset: { testid: "mail-panel-toggle" },
            onClick: toggleMail,
          },
          icon("mail", 18),
          el("span", {}, "Play the candidate"),
          mailUnread > 0 &&
            el("span", { class: "badge", "aria-label": `${mailUnread} unread mails` }, String(mailUnread)),
        ),
        viewer,
      ),
    ),
  );
}

function openViewers(anchor, store, switchUser) {
  const menu = el("div", { role: "menu", class: "menu viewers", "aria-label": "Viewing as" });
  const close = openPopup(anchor, menu, { minWidth: 260 });
  menu.append(el("div", { class: "group-label" }, "See the workspace as"));
  for (const person of store.viewers()) {
    const chosen = person.id === store.user;
    menu.append(
      el(
        "button",
        {
          type: "button",
          role: "menuitemradio",
          "aria-checked": String(chosen),
          class: "menu-item person-row",
          dataset: { testid: `user-${person.id}` },
          onClick: () => {
            close();
            if (!chosen) switchUser(person.id);
          },
        },
        avatar(person, "small"),
        el(
          "span",
          { class: "option-text" },
          person.real_name || person.name,
          el("small", {}, person.title || (person.is_admin ? "Admin" : "Recruiter")),
        ),
        chosen && icon("check", 16),
      ),
    );
  }
  const items = () => [...menu.querySelectorAll("[role=menuitemradio]")];
  menu.addEventListener("keydown", (event) =>
    moveByKeys(event, items, document.activeElement, (item) => item.focus()),
  );
  items()[0]?.focus();
}
