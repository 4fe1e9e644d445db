// Purpose: the five kinds of select menu (static, users, conversations, channels, external), single and multiple.
import { avatar, icon } from "./icons.js";
import { el } from "./dom.js";
import { plainText } from "./mrkdwn.js";
import { selectMenu } from "./select.js";

const KIND = /^(multi_)?(static|users|conversations|channels|external)_select$/;

export function isSelect(type) {
  return KIND.test(type);
}

/** The chosen options of a state, always as a list. */
export function entriesFor(state) {
  return state?.selected_options || (state?.selected_option ? [state.selected_option] : []);
}

// What the state of each kind is called: single, multiple, and the element's field for the first value.
const FIELDS = {
  static: ["selected_option", "selected_options", "initial_option", "initial_options"],
  external: ["selected_option", "selected_options", "initial_option", "initial_options"],
  users: ["selected_user", "selected_users", "initial_user", "initial_users"],
  conversations: [
    "selected_conversation",
    "selected_conversations",
    "initial_conversation",
    "initial_conversations",
  ],
  channels: ["selected_channel", "selected_channels", "initial_channel", "initial_channels"],
};

export function selectElement(part, ctl, surface) {
  const [, multi, kind] = KIND.exec(part.type);
  const [one, many, initialOne, initialMany] = FIELDS[kind];
  const source = sourceFor(kind, part, ctl, surface);
  const held = ctl.start(multi ? { [many]: part[initialMany] || [] } : { [one]: part[initialOne] ?? null });
  const raw = multi ? held[many] || [] : [held[one]].filter(Boolean);
  return selectMenu({
    label: ctl.label,
    actionId: part.action_id,
    placeholder: part.placeholder?.text || source.placeholder,
    multiple: Boolean(multi),
    max: part.max_selected_items,
    wide: ctl.input,
    minQuery: source.minQuery,
    selected: raw.map(source.entry),
    load: source.load,
    onChange: (entries) => {
      const values = entries.map((entry) => entry.raw);
      return ctl.change(multi ? { [many]: values } : { [one]: values[0] ?? null });
    },
  });
}

function sourceFor(kind, part, ctl, surface) {
  if (kind === "static") return staticSource(part);
  if (kind === "external") return externalSource(part, ctl, surface);
  if (kind === "users") return listSource(() => surface.people(), personEntry, "Choose a person");
  return listSource(
    () => surface.channels(kind === "channels"),
    channelEntry,
    kind === "channels" ? "Choose a channel" : "Choose a conversation",
  );
}

function optionEntry(option) {
  return {
    key: String(option.value),
    text: option.text.text,
    node: () => plainText(option.text.text, option.text.emoji),
    description: option.description?.text,
    raw: option,
  };
}

function groupsOf(answer) {
  if (answer.option_groups)
    return answer.option_groups.map((group) => ({
      label: group.label.text,
      entries: group.options.map(optionEntry),
    }));
  return [{ label: null, entries: (answer.options || []).map(optionEntry) }];
}

function filtered(groups, query) {
  const wanted = query.toLowerCase();
  const matches = (entry) => `${entry.text} ${entry.description || ""}`.toLowerCase().includes(wanted);
  return groups.map((group) => ({ ...group, entries: group.entries.filter(matches) }));
}

function staticSource(part) {
  return {
    entry: optionEntry,
    placeholder: "Choose an option",
    load: async (query) => filtered(groupsOf(part), query),
  };
}

function externalSource(part, ctl, surface) {
  return {
    entry: optionEntry,
    placeholder: "Search",
    minQuery: part.min_query_length ?? 3,
    load: async (query) => {
      const answer = await surface.suggest(ctl.blockId, part.action_id, query);
      if (answer.ok === false || answer.error) throw new Error("The app did not send any options.");
      return groupsOf(answer);
    },
  };
}

function listSource(items, makeEntry, placeholder) {
  const entry = (id) => makeEntry(items().find((item) => item.id === id) || { id, name: id });
  return {
    entry,
    placeholder,
    load: async (query) => filtered([{ label: null, entries: items().map(makeEntry) }], query),
  };
}

function personEntry(user) {
  const text = user.real_name || user.name;
  return {
    key: user.id,
    text,
    node: () => el("span", { class: "person-row" }, avatar(user, "tiny"), text),
    description: user.title,
    raw: user.id,
  };
}

function channelEntry(channel) {
  const sign =
    channel.kind === "private" ? icon("lock", 14) : channel.kind === "dm" ? null : icon("hash", 14);
  return {
    key: channel.id,
    text: channel.name,
    node: () => el("span", { class: "person-row" }, sign, channel.name),
    raw: channel.id,
  };
}
