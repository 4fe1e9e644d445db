// Purpose: a floating panel under a control (menus, option lists): placement, outside click, Esc, focus return.
import { hold } from "./repaint.js";

let open = null;

/**
 * Show `panel` at `anchor`, closing any other; what `anchor` stands in is not drawn anew meanwhile. Returns the function
 * that closes it. `onClose` runs once.
 */
export function openPopup(anchor, panel, { onClose = () => {}, minWidth = 180 } = {}) {
  open?.close(false);
  const home = anchor.closest("dialog, [role=dialog]") || document.body;
  panel.classList.add("popup");
  panel.style.minWidth = `${Math.max(minWidth, anchor.offsetWidth)}px`;
  home.append(panel);
  place(anchor, panel);
  const entry = { anchor, panel, close: null };
  const letGo = hold(anchor);
  const outside = (event) => {
    if (!panel.contains(event.target) && !anchor.contains(event.target)) entry.close(false);
  };
  const escape = (event) => {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    event.preventDefault();
    entry.close(true);
  };
  const moved = (event) => {
    if (!panel.contains(event.target)) place(anchor, panel);
  };
  entry.close = (refocus = true) => {
    if (open !== entry) return;
    open = null;
    panel.remove();
    document.removeEventListener("pointerdown", outside, true);
    document.removeEventListener("keydown", escape, true);
    document.removeEventListener("scroll", moved, true);
    anchor.setAttribute("aria-expanded", "false");
    if (refocus && anchor.isConnected) anchor.focus();
    letGo();
    onClose();
  };
  document.addEventListener("pointerdown", outside, true);
  document.addEventListener("keydown", escape, true);
  document.addEventListener("scroll", moved, true);
  anchor.setAttribute("aria-expanded", "true");
  open = entry;
  return entry.close;
}

function place(anchor, panel) {
  const box = anchor.getBoundingClientRect();
  const height = panel.offsetHeight;
  const below = window.innerHeight - box.bottom - 8;
  const top = below >= height || below > box.top ? box.bottom + 4 : Math.max(8, box.top - height - 4);
  panel.style.top = `${top}px`;
  panel.style.left = `${Math.max(8, Math.min(box.left, window.innerWidth - panel.offsetWidth - 8))}px`;
}

/** Arrow keys, Home and End over `items()`; Enter and Space click. Call from a keydown listener. */
export function moveByKeys(event, items, current, focus) {
  const list = items();
  if (!list.length) return false;
  const steps = { ArrowDown: 1, ArrowUp: -1 };
  let next = null;
  if (event.key in steps) next = (list.indexOf(current) + steps[event.key] + list.length) % list.length;
  if (event.key === "ArrowUp" && !list.includes(current)) next = list.length - 1;
  if (event.key === "Home") next = 0;
  if (event.key === "End") next = list.length - 1;
  if (next === null) return false;
  event.preventDefault();
  focus(list[next]);
  return true;
}
