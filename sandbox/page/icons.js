// Purpose: the page's own line icons (24 × 24, drawn in the current text colour) and people's avatars.
import { el, svg } from "./dom.js";

const PATHS = {
  hash: ["M9.5 4 7.5 20", "M16.5 4l-2 16", "M4.5 9h16", "M3.5 15h16"],
  lock: ["M6 11h12v9H6z", "M8.5 11V8a3.5 3.5 0 0 1 7 0v3"],
  chevron: ["M6 9.5l6 6 6-6"],
  close: ["M6 6l12 12", "M18 6 6 18"],
  more: ["M5.5 12h.01", "M12 12h.01", "M18.5 12h.01"],
  send: ["M4.5 12 3 4l18.5 8L3 20l1.5-8z", "M4.5 12H12"],
  thread: ["M4 5h16v11H10l-4 4v-4H4z", "M8 9h8", "M8 12h5"],
  warning: ["M12 4 2.5 20h19z", "M12 10v4.5", "M12 17.3v.01"],
  mail: ["M3.5 6h17v12.5h-17z", "M3.5 7l8.5 6.5L20.5 7"],
  compose: ["M4 20h4L19.5 8.5l-4-4L4 16z", "M13 7l4 4"],
  calendar: ["M4 6h16v14H4z", "M4 10.5h16", "M8.5 3.5V8", "M15.5 3.5V8"],
  clock: ["M12 3.5a8.5 8.5 0 1 0 .01 0", "M12 7.5V12l3 2"],
  eye: ["M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12z", "M12 9.3a2.7 2.7 0 1 0 .01 0"],
  info: ["M12 3.5a8.5 8.5 0 1 0 .01 0", "M12 11v5", "M12 8v.01"],
  check: ["M5 12.5l4.5 4.5L19 7.5"],
  slash: ["M16.5 4l-9 16"],
  reply: ["M10 6 4 12l6 6", "M4.5 12H13c4 0 7 2 7 7"],
  file: ["M6 3.5h8l4 4v13H6z", "M14 3.5v4h4"],
  back: ["M14.5 5.5 8 12l6.5 6.5"],
};

export function icon(name, size = 18) {
  const paths = PATHS[name].map((d) => svg("path", { d }));
  return svg(
    "svg",
    {
      viewBox: "0 0 24 24",
      width: size,
      height: size,
      fill: "none",
      stroke: "currentColor",
      class: "icon",
      "stroke-width": name === "more" ? 3 : 1.9,
      "stroke-linecap": "round",
      "stroke-linejoin": "round",
      "aria-hidden": "true",
      focusable: "false",
    },
    paths,
  );
}

/** Initials on the person's colour; an app gets the thread mark. `person` is a user of the bootstrap answer. */
export function avatar(person, size = "large") {
  const color = /^#?[0-9a-f]{6}$/i.test(person?.color || "")
    ? `#${person.color.replace("#", "")}`
    : "#5b6b7f";
  const box = el("span", {
    class: `avatar avatar-${size}`,
    style: { background: color },
    "aria-hidden": "true",
  });
  box.append(person?.is_bot ? appMark() : initials(person?.real_name || person?.name || "?"));
  return box;
}

function initials(name) {
  const words = name.trim().split(/\s+/);
  return (words[0][0] + (words.length > 1 ? words[words.length - 1][0] : "")).toUpperCase();
}

function appMark() {
  const stroke = {
    fill: "none",
    stroke: "#fff",
    "stroke-width": 2.3,
    "stroke-linecap": "round",
    "stroke-linejoin": "round",
  };
  return svg(
    "svg",
    { viewBox: "0 0 24 24", width: "64%", height: "64%" },
    svg("path", { d: "M4 8.5h9.5a4 4 0 0 1 0 8H7", ...stroke }),
    svg("path", { d: "M10 13 6.5 16.5 10 20", ...stroke }),
    svg("circle", { cx: 19, cy: 5.5, r: 2, fill: "#ffd166" }),
  );
}
