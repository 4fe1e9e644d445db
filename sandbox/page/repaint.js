// Purpose: draw a part of the page anew under a person's hands. What is typed, the focus and the scroll stay, and a
// click that has begun comes to its end first.

let pressed = null;
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
  const drawn = [...waiting.values()];
  waiting.clear();
  drawn.forEach((draw) => draw());
}

/**
 * Run `draw`, which puts new nodes into `root`. Controls are known again by their test ids: the focus goes back to
 * the same one. While `place` stays what it was (another mailbox is another place), typed text and the scroll of
 * `scroller` are kept too. Under a pressed pointer it waits for the release; the newest drawing is then the one done.
 */
export function repaint(root, draw, { place = null, scroller = null } = {}) {
  if (pressed && root.contains(pressed)) {
    waiting.set(root, () => repaint(root, draw, { place, scroller }));
    return;
  }
  waiting.delete(root);
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
