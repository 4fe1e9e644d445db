// Purpose: emoji shortcodes. The signs our cards rely on are drawn here, so they look alike on a machine
// without an emoji font; the rest fall back to the Unicode character.
import { el, svg } from "./dom.js";

const disc = (fill, ring) => [["circle", { cx: 12, cy: 12, r: 9.5, fill, stroke: ring, "stroke-width": 1 }]];
const line = (d, stroke, width = 2.4) => [
  "path", { d, fill: "none", stroke, "stroke-width": width, "stroke-linecap": "round", "stroke-linejoin": "round" },
];
const tile = (fill) => ["rect", { x: 2, y: 2, width: 20, height: 20, rx: 4.5, fill }];
const envelope = [
  ["rect", { x: 2, y: 5, width: 20, height: 14.5, rx: 2, fill: "#f4f1ea", stroke: "#9aa0a6" }],
  line("M3 6.5 12 13.5 21 6.5", "#7b848d", 1.5),
];
const paper = [
  ["rect", { x: 4, y: 2.5, width: 16, height: 19, rx: 2, fill: "#fbfaf6", stroke: "#9aa0a6" }],
  line("M7.5 8h9M7.5 12h9M7.5 16h6", "#8a939c", 1.4),
];

const DRAWN = {
  white_check_mark: [tile("#2eb67d"), line("M6.5 12.5l3.7 3.8L17.5 8", "#fff", 2.8)],
  heavy_check_mark: [line("M4.5 13l5 5L19.5 6.5", "#2eb67d", 3.4)],
  warning: [
    ["path", { d: "M12 2.5 1.5 21.5h21z", fill: "#fcc21b", stroke: "#d99a00", "stroke-linejoin": "round" }],
    line("M12 9v6", "#3c3a33", 2.3), ["circle", { cx: 12, cy: 18.3, r: 1.3, fill: "#3c3a33" }],
  ],
  red_circle: disc("#e01e5a", "#b3123f"),
  large_green_circle: disc("#2eb67d", "#1d8a5b"),
  large_yellow_circle: disc("#f4c430", "#c79a10"),
  large_orange_circle: disc("#f2803a", "#c65d1c"),
  large_blue_circle: disc("#2f80ed", "#1f5fb8"),
  white_circle: disc("#e4e7eb", "#8e99a4"),
  black_circle: disc("#3b3f45", "#222"),
  hourglass_flowing_sand: [
    line("M6 2.5h12M6 21.5h12", "#8a5a2b", 2.4),
    ["path", { d: "M7.5 3.5h9v3.2L13 12l3.5 5.3v3.2h-9v-3.2L11 12 7.5 6.7z", fill: "#dcecf7", stroke: "#7c95a8" }],
    ["path", { d: "M9 6.5h6L12 11zM8.5 20h7v-1.7L12 15.5l-3.5 2.8z", fill: "#e8a93a" }],
  ],
  email: envelope,
  incoming_envelope: [...envelope, line("M12 1v7M9 5.5 12 8.5l3-3", "#2f80ed", 2)],
  envelope_with_arrow: [...envelope, line("M12 1v7M9 5.5 12 8.5l3-3", "#e01e5a", 2)],
  outbox_tray: [line("M3 14v6h18v-6M12 15V4M7.5 8.5 12 4l4.5 4.5", "#2f80ed", 2.3)],
  inbox_tray: [line("M3 14v6h18v-6M12 4v11M7.5 10.5 12 15l4.5-4.5", "#2f80ed", 2.3)],
  x: [line("M5 5l14 14M19 5 5 19", "#e01e5a", 3.6)],
  no_entry: [["circle", { cx: 12, cy: 12, r: 10, fill: "#e01e5a" }], ["rect", { x: 6, y: 10.3, width: 12, height: 3.4, rx: 1, fill: "#fff" }]],
  no_entry_sign: [["circle", { cx: 12, cy: 12, r: 9, fill: "none", stroke: "#e01e5a", "stroke-width": 2.8 }], line("M5.8 5.8l12.4 12.4", "#e01e5a", 2.8)],
  arrows_counterclockwise: [tile("#2f80ed"), line("M17.5 10a5.8 5.8 0 0 0-10.7-1M6.5 6v3.3h3.3M6.5 14a5.8 5.8 0 0 0 10.7 1M17.5 18v-3.3h-3.3", "#fff", 1.9)],
  repeat: [tile("#2f80ed"), line("M6.5 11V9h10l-2.5-2.5M17.5 13v2h-10l2.5 2.5", "#fff", 1.9)],
  fast_forward: [tile("#2f80ed"), ["path", { d: "M5.5 7.5l6 4.5-6 4.5zM12 7.5l6 4.5-6 4.5z", fill: "#fff" }]],
  double_vertical_bar: [tile("#2f80ed"), ["path", { d: "M8 7h2.8v10H8zM13.2 7H16v10h-2.8z", fill: "#fff" }]],
  black_square_for_stop: [tile("#2f80ed"), ["rect", { x: 8, y: 8, width: 8, height: 8, fill: "#fff" }]],
  arrow_forward: [tile("#2f80ed"), ["path", { d: "M9 7l8 5-8 5z", fill: "#fff" }]],
  information_source: [tile("#2f80ed"), line("M12 11v6", "#fff", 2.4), ["circle", { cx: 12, cy: 7.5, r: 1.5, fill: "#fff" }]],
  question: [line("M8 8.5a4 4 0 1 1 5.5 3.7c-1 .5-1.5 1.2-1.5 2.8", "#e01e5a", 2.8), ["circle", { cx: 12, cy: 19.5, r: 1.7, fill: "#e01e5a" }]],
  exclamation: [line("M12 3.5v11", "#e01e5a", 3.6), ["circle", { cx: 12, cy: 19.5, r: 2.1, fill: "#e01e5a" }]],
  rotating_light: [
    ["path", { d: "M6 17v-4.5a6 6 0 0 1 12 0V17z", fill: "#e01e5a" }], ["rect", { x: 4, y: 17, width: 16, height: 4, rx: 1, fill: "#59636e" }],
    line("M12 1.5v2.3M3.5 5l1.7 1.7M20.5 5l-1.7 1.7", "#f2803a", 1.8),
  ],
  lock: [["rect", { x: 4.5, y: 10.5, width: 15, height: 11, rx: 2, fill: "#f4b63f", stroke: "#c98a12" }], line("M8 10.5V7.5a4 4 0 0 1 8 0v3", "#8a939c", 2.3)],
  key: [["circle", { cx: 8, cy: 8, r: 4.5, fill: "none", stroke: "#e0a526", "stroke-width": 2.8 }], line("M11.5 11.5 20 20M17 17l2.5-2.5", "#e0a526", 2.6)],
  bulb: [["path", { d: "M12 2.5a6.5 6.5 0 0 0-3.5 12V17h7v-2.5a6.5 6.5 0 0 0-3.5-12z", fill: "#fcd34d", stroke: "#c79a10" }], line("M9.5 20h5", "#6b7280", 2.2)],
  bell: [["path", { d: "M5 17.5c2-2 2-4 2-7a5 5 0 0 1 10 0c0 3 0 5 2 7z", fill: "#fcc21b", stroke: "#d99a00" }], line("M10.5 20.5h3", "#d99a00", 2.2)],
  clock3: [["circle", { cx: 12, cy: 12, r: 9.5, fill: "#fff", stroke: "#59636e", "stroke-width": 1.8 }], line("M12 6.5V12h4.5", "#59636e", 1.8)],
  stopwatch: [["circle", { cx: 12, cy: 13.5, r: 8, fill: "#fff", stroke: "#59636e", "stroke-width": 1.8 }], line("M10 2.5h4M12 9v4.5l3 1.5", "#59636e", 1.8)],
  calendar: [["rect", { x: 3, y: 4, width: 18, height: 17, rx: 2, fill: "#fff", stroke: "#8a939c" }], ["path", { d: "M3 6a2 2 0 0 1 2-2h14a2 2 0 0 1 2 2v3.5H3z", fill: "#e01e5a" }], line("M7 13h2M11 13h2M15 13h2M7 17h2M11 17h2", "#59636e", 1.8)],
  memo: [...paper, line("M20.5 10.5 13 18l-.5 2.5", "#e8a93a", 2.2)],
  page_facing_up: paper,
  clipboard: [["rect", { x: 4, y: 4, width: 16, height: 18, rx: 2, fill: "#c98d4f" }], ["rect", { x: 6.5, y: 7, width: 11, height: 12.5, fill: "#fff" }], ["rect", { x: 8.5, y: 2, width: 7, height: 4, rx: 1, fill: "#8a939c" }]],
  bar_chart: [["rect", { x: 2.5, y: 2.5, width: 19, height: 19, rx: 2, fill: "#fff", stroke: "#c3c9d0" }], ["path", { d: "M5.5 12h3v7h-3z", fill: "#2eb67d" }], ["path", { d: "M10.5 6h3v13h-3z", fill: "#e01e5a" }], ["path", { d: "M15.5 9.5h3V19h-3z", fill: "#2f80ed" }]],
  chart_with_upwards_trend: [["rect", { x: 2.5, y: 2.5, width: 19, height: 19, rx: 2, fill: "#fff", stroke: "#c3c9d0" }], line("M5.5 17l4-4.5 3 2.5L18 7", "#e01e5a", 2)],
  speech_balloon: [["path", { d: "M3 4h18v12.5H11L6.5 21v-4.5H3z", fill: "#fff", stroke: "#8a939c", "stroke-width": 1.4, "stroke-linejoin": "round" }], ["path", { d: "M7 10.2h.01M12 10.2h.01M17 10.2h.01", stroke: "#59636e", "stroke-width": 2.4, "stroke-linecap": "round" }]],
  busts_in_silhouette: [["path", { d: "M1.5 19.5c0-4 2.7-6 6-6s6 2 6 6z", fill: "#59636e" }], ["circle", { cx: 7.5, cy: 8.5, r: 3.7, fill: "#59636e" }], ["path", { d: "M14.5 19.5c0-2.5-.7-4.5-2-5.8 4.5-1.5 10 .3 10 5.8z", fill: "#8a939c" }], ["circle", { cx: 16, cy: 8.5, r: 3.5, fill: "#8a939c" }]],
  bust_in_silhouette: [["path", { d: "M4.5 21c0-5 3.5-7.5 7.5-7.5s7.5 2.5 7.5 7.5z", fill: "#59636e" }], ["circle", { cx: 12, cy: 7.8, r: 4.6, fill: "#59636e" }]],
  mag: [["circle", { cx: 10, cy: 10, r: 6.5, fill: "#dcecf7", stroke: "#59636e", "stroke-width": 2 }], line("M15 15l6 6", "#59636e", 2.8)],
  gear: [["circle", { cx: 12, cy: 12, r: 6, fill: "none", stroke: "#6b7280", "stroke-width": 3.6 }], line("M12 2.5v3M12 18.5v3M2.5 12h3M18.5 12h3M5.3 5.3l2.1 2.1M16.6 16.6l2.1 2.1M18.7 5.3l-2.1 2.1M7.4 16.6l-2.1 2.1", "#6b7280", 2.4)],
  wrench: [line("M20 5.5a5 5 0 0 1-6.5 6.5L6.5 20.5 3.5 17.5 12 10.5A5 5 0 0 1 18.5 4L15 7.5l1.5 1.5z", "#6b7280", 2)],
  link: [line("M10.5 13.5 13.5 10.5M9 10.5 6.5 13a3.5 3.5 0 0 0 5 5l2.5-2.5M15 13.5l2.5-2.5a3.5 3.5 0 0 0-5-5L10 8.5", "#6b7280", 2)],
  electric_plug: [["path", { d: "M7 9h10v3a5 5 0 0 1-10 0z", fill: "#3b3f45" }], line("M9.5 8V3.5M14.5 8V3.5M12 17v4.5", "#3b3f45", 2.3)],
};

const UNICODE = {
  tada: "🎉", wave: "👋", thumbsup: "👍", "+1": "👍", "-1": "👎", thumbsdown: "👎", eyes: "👀", rocket: "🚀",
  pray: "🙏", clap: "👏", fire: "🔥", star: "⭐", sparkles: "✨", heart: "❤️", smile: "😄", slightly_smiling_face: "🙂",
  thinking_face: "🤔", raised_hands: "🙌", point_right: "👉", mailbox: "📫", mailbox_with_mail: "📬", package: "📦",
  telephone_receiver: "📞", phone: "☎️", iphone: "📱", pushpin: "📌", paperclip: "📎", file_folder: "📁", zap: "⚡",
  robot_face: "🤖", construction: "🚧", palm_tree: "🌴", zzz: "💤", mute: "🔇", no_bell: "🔕", mega: "📣",
  checkered_flag: "🏁", dart: "🎯", trophy: "🏆", label: "🏷️", ballot_box_with_check: "☑️", grey_question: "❔",
  grey_exclamation: "❕", arrow_right: "➡️", arrow_left: "⬅️", arrow_up: "⬆️", arrow_down: "⬇️", seedling: "🌱",
  coffee: "☕", bug: "🐛", wastebasket: "🗑️", unlock: "🔓", shield: "🛡️", globe_with_meridians: "🌐", new: "🆕",
  large_blue_diamond: "🔷", small_blue_diamond: "🔹", small_orange_diamond: "🔸", black_small_square: "▪️",
};

const ALIASES = {
  heavy_multiplication_x: "x", envelope: "email", green_circle: "large_green_circle", yellow_circle: "large_yellow_circle",
  large_red_circle: "red_circle", hourglass: "hourglass_flowing_sand", e_mail: "email", "e-mail": "email", pause_button: "double_vertical_bar",
  arrows_clockwise: "arrows_counterclockwise", heavy_exclamation_mark: "exclamation", date: "calendar", pencil: "memo",
  alarm_clock: "clock3", siren: "rotating_light", octagonal_sign: "no_entry", black_right_pointing_triangle: "arrow_forward",
  large_purple_circle: "large_blue_circle", medium_white_circle: "white_circle", hammer_and_wrench: "wrench", thought_balloon: "speech_balloon",
};

const FROM_UNICODE = {
  "✅": "white_check_mark", "⚠️": "warning", "⚠": "warning", "🔴": "red_circle", "🟢": "large_green_circle", "🟡": "large_yellow_circle",
  "⚪": "white_circle", "⏳": "hourglass_flowing_sand", "📧": "email", "✉️": "email", "📨": "incoming_envelope", "❌": "x",
  "🔄": "arrows_counterclockwise", "🚨": "rotating_light", "💬": "speech_balloon", "⏸️": "double_vertical_bar", "🔒": "lock",
};

/** The node for `:name:`, or null where the name is unknown and must stay text. */
export function emoji(name) {
  const key = ALIASES[name] || name;
  if (Object.hasOwn(DRAWN, key)) {
    const parts = DRAWN[key].map(([tag, props]) => svg(tag, props));
    return svg("svg", { viewBox: "0 0 24 24", class: "emoji", role: "img", "aria-label": name.replaceAll("_", " ") }, parts);
  }
  if (!Object.hasOwn(UNICODE, key)) return null;
  return el("span", { class: "emoji-char", role: "img", "aria-label": name.replaceAll("_", " ") }, UNICODE[key]);
}

/** Unicode characters that have a drawn sign, longest first, for text that carries the character itself. */
export const DRAWN_CHARACTERS = Object.keys(FROM_UNICODE).sort((a, b) => b.length - a.length);

export function emojiFromCharacter(character) {
  return emoji(FROM_UNICODE[character]);
}
