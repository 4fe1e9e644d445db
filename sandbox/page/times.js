// Purpose: dates and times as Slack words them, in the browser's own time zone.

const DAY = 86_400_000;

/** A message's ts ("1700000000.000100") as a Date. */
export function fromTs(ts) {
  return new Date(Number(ts) * 1000);
}

export function clock(date) {
  return date.toLocaleTimeString([], { hour: "numeric", minute: "2-digit" });
}

export function dayKey(date) {
  return `${date.getFullYear()}-${date.getMonth()}-${date.getDate()}`;
}

/** "Today", "Yesterday" or "Tuesday, 3 March". */
export function dayName(date) {
  return relativeDay(date) ?? date.toLocaleDateString([], { weekday: "long", day: "numeric", month: "long" });
}

function relativeDay(date) {
  const midnight = (d) => new Date(d.getFullYear(), d.getMonth(), d.getDate()).getTime();
  const days = Math.round((midnight(date) - midnight(new Date())) / DAY);
  return { 0: "Today", "-1": "Yesterday", 1: "Tomorrow" }[days] ?? null;
}

const FORMATS = {
  date_num: (d) =>
    `${d.getFullYear()}-${String(d.getMonth() + 1).padStart(2, "0")}-${String(d.getDate()).padStart(2, "0")}`,
  date: (d) => d.toLocaleDateString([], { month: "long", day: "numeric", year: "numeric" }),
  date_slash: (d) => d.toLocaleDateString([], { day: "2-digit", month: "2-digit", year: "numeric" }),
  date_short: (d) => d.toLocaleDateString([], { month: "short", day: "numeric", year: "numeric" }),
  date_long: (d) =>
    d.toLocaleDateString([], { weekday: "long", month: "long", day: "numeric", year: "numeric" }),
  date_pretty: (d) => relativeDay(d)?.toLowerCase() ?? FORMATS.date(d),
  date_short_pretty: (d) => relativeDay(d)?.toLowerCase() ?? FORMATS.date_short(d),
  date_long_pretty: (d) => relativeDay(d)?.toLowerCase() ?? FORMATS.date_long(d),
  day_divider_pretty: (d) => relativeDay(d) ?? FORMATS.date_long(d),
  time: clock,
  time_secs: (d) => d.toLocaleTimeString([], { hour: "numeric", minute: "2-digit", second: "2-digit" }),
  ago: (d) => ago(d),
};

/** Slack's date tokens filled in; null where the stamp is not a time. A leading "today" takes a capital, as Slack's does. */
export function formatDate(seconds, format) {
  const date = new Date(seconds * 1000);
  if (!Number.isFinite(date.getTime())) return null;
  const text = format.replace(/\{(\w+)\}/g, (whole, name) =>
    Object.hasOwn(FORMATS, name) ? FORMATS[name](date) : whole,
  );
  return format.startsWith("{") ? text.charAt(0).toUpperCase() + text.slice(1) : text;
}

export function ago(date) {
  const seconds = Math.round((Date.now() - date.getTime()) / 1000);
  const past = seconds >= 0;
  const units = [
    [86_400, "day"],
    [3600, "hour"],
    [60, "minute"],
    [1, "second"],
  ];
  const [size, name] = units.find(([length]) => Math.abs(seconds) >= length) ?? [1, "second"];
  const count = Math.floor(Math.abs(seconds) / size);
  const words = `${count} ${name}${count === 1 ? "" : "s"}`;
  return past ? `${words} ago` : `in ${words}`;
}

/** The time of a mail or a list row: the clock today, else the short date. */
export function shortStamp(value) {
  const date = new Date(value);
  if (!Number.isFinite(date.getTime())) return String(value ?? "");
  return relativeDay(date) === "Today" ? clock(date) : `${FORMATS.date_short(date)}, ${clock(date)}`;
}
