// Purpose: draw a part of the page anew under a person's hands. What is typed, the focus and the scroll stay; a click
// that has begun comes to its end first, and an open menu is chosen from or closed first.

let pressed = null;
const holds = new Set();
const waiting = new Map();
const places = new WeakMap();

const listen = (type, heard) => addEventListener(type, heard, true);
listen("pointerdown", (event) => (pressed = event.target));
listen("pointerup", () => setTimeout(release)); // the click itself comes after its pointerup
listen("pointercancel", release);
// The end of a press may never be told: the menu of a native select swallows it.
listen("pointermove", (event) => pressed && !event.buttons && release());

function release() {
  pressed = null;
  drawWaiting();
}

function drawWaiting() {
  const free = [...waiting].filter(([root]) => !inHand(root));
  for (const [root, draw] of free) {
    waiting.delete(root);
    draw();
  }
}

function inHand(root) {
  return [pressed, ...holds].some((node) => node && root.contains(node));
}

/** Whatever holds `node` is not drawn anew until the function that this returns is called. */
export function hold(node) {
  holds.add(node);
  return () => {
    holds.delete(node);
    setTimeout(drawWaiting); // what the same click has chosen is remembered by then
  };
}

/** Run `draw`, which puts new nodes into `root`, once nothing in it is pressed or held; the newest drawing is then done. */
export function whenFree(root, draw) {
  waiting.delete(root);
  if (inHand(root)) waiting.set(root, draw);
  else draw();
}

/**
 * Run `draw`, which puts new nodes into `root`. Controls are known again by their test ids: the focus goes back to
 * the same one. While `place` stays what it was (another mailbox is another place), typed text and the scroll of
 * `scroller` are kept too. It waits as `whenFree` does.
 */
export function repaint(root, draw, kept = {}) {
  whenFree(root, () => drawKeeping(root, draw, kept));
}

function drawKeeping(root, draw, { place = null, scroller = null }) {
  const stays = places.get(root) === place;
  places.set(root, place);
  const typed = stays ? typedText(root) : [];
  const top = stays && scroller ? root.querySelector(scroller)?.scrollTop : 0;
  const focused = focusedControl(root);
  draw();
  for (const [testid, value] of typed) putBack(control(root, testid), value);
  if (top) root.querySelector(scroller)?.scrollTo(0, top);
  if (focused) giveFocus(control(root, focused.testid), focused);
}

/** `value` was sent from a field and taken: it is no draft any more, unless more was typed meanwhile. */
export function settle(root, testid, value) {
  const field = control(root, testid);
  if (field?.value === value) field.defaultValue = value;
}

function control(root, testid) {
  return root.querySelector(`[data-testid="${CSS.escape(testid)}"]`);
}

// dom.js draws a field's text as its default, so what differs from it was typed.
function typedText(root) {
  return [...root.querySelectorAll("input:not([type=checkbox])[data-testid], textarea[data-testid]")]
    .filter((field) => field.value !== field.defaultValue)
    .map((field) => [field.dataset.testid, field.value]);
}

function putBack(field, value) {
  if (!field) return;
  field.value = value;
  field.closest("details")?.setAttribute("open", "");
}

function focusedControl(root) {
  const held = document.activeElement;
  if (!root.contains(held) || !held.dataset.testid) return null;
  return { testid: held.dataset.testid, from: held.selectionStart ?? null, to: held.selectionEnd ?? null };
}

function giveFocus(field, { from, to }) {
  field?.focus({ preventScroll: true });
  if (from !== null) field?.setSelectionRange?.(from, to);
}
