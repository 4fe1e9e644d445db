// Purpose: short notices at the head of the page, where they hide no message and no button.
import { icon } from "./icons.js";
import { el } from "./dom.js";

const STAY = { error: 9000, info: 5000, success: 3500 };
const MOST = 3;

/** Show `text`; level is "info", "success" or "error". The same text twice shows once. */
export function toast(text, level = "info") {
  const place = document.getElementById("toasts");
  const same = [...place.children].find((node) => node.dataset.text === text);
  same?.remove();
  const close = el(
    "button",
    { type: "button", class: "icon-button", "aria-label": "Dismiss" },
    icon("close", 16),
  );
  const sign = { error: "warning", success: "check" }[level] || "info";
  const node = el(
    "div",
    { class: `toast toast-${level}`, dataset: { text, testid: "toast" } },
    icon(sign, 18),
    el("span", {}, text),
    close,
  );
  close.addEventListener("click", () => node.remove());
  place.append(node);
  while (place.children.length > MOST) place.firstElementChild.remove();
  setTimeout(() => node.remove(), STAY[level] ?? STAY.info);
}
