// Purpose: modal windows: a focus trap, Esc, focus return; and the confirm dialog of Block Kit.
import { el, uid } from "./dom.js";
import { textObject } from "./mrkdwn.js";

const FOCUSABLE =
  "button:not([disabled]), a[href], input:not([disabled]), select, textarea:not([disabled]), [tabindex='0']";

/**
 * Put `content` (a node with role=dialog) over the page. Tab stays inside, Esc calls onEscape.
 * Returns {layer, close()}; close gives the focus back to where it was.
 */
export function openLayer(content, onEscape) {
  const before = document.activeElement;
  const layer = el("div", { class: "layer" }, content);
  document.getElementById("layers").append(layer);
  layer.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      event.stopPropagation();
      onEscape();
    }
    if (event.key === "Tab") trap(event, content);
  });
  focusFirst(content);
  const close = () => {
    if (!layer.isConnected) return;
    layer.remove();
    if (before?.isConnected) before.focus();
  };
  return { layer, close };
}

function visible(root) {
  return [...root.querySelectorAll(FOCUSABLE)].filter((node) => node.offsetParent !== null);
}

function trap(event, root) {
  const nodes = visible(root);
  if (!nodes.length) return event.preventDefault();
  const edge = event.shiftKey ? nodes[0] : nodes[nodes.length - 1];
  if (document.activeElement !== edge && root.contains(document.activeElement)) return undefined;
  event.preventDefault();
  return (event.shiftKey ? nodes[nodes.length - 1] : nodes[0]).focus();
}

/** The field that asks for it, else the first field, else the dialog itself. */
export function focusFirst(root) {
  const fields = visible(root).filter((node) => node.matches(".field, .select, input"));
  (root.querySelector("[autofocus]") || fields[0] || root).focus();
}

/** Block Kit's confirm object as a dialog. Resolves to whether the person agreed. */
export function confirmDialog(confirm, names) {
  return new Promise((resolve) => {
    const titleId = uid("confirm-title");
    const settle = (answer) => {
      opened.close();
      resolve(answer);
    };
    const yes = el(
      "button",
      {
        type: "button",
        class: `btn btn-${confirm.style === "danger" ? "danger" : "primary"}`,
        autofocus: true,
        dataset: { testid: "confirm-yes" },
        onClick: () => settle(true),
      },
      confirm.confirm?.text || "Yes",
    );
    const no = el(
      "button",
      { type: "button", class: "btn", dataset: { testid: "confirm-no" }, onClick: () => settle(false) },
      confirm.deny?.text || "Cancel",
    );
    const box = el(
      "div",
      {
        class: "dialog confirm",
        role: "alertdialog",
        "aria-modal": "true",
        "aria-labelledby": titleId,
        tabindex: "-1",
        dataset: { testid: "confirm" },
      },
      el("h2", { id: titleId }, confirm.title?.text || "Are you sure?"),
      el("div", { class: "confirm-text" }, textObject(confirm.text, names)),
      el("div", { class: "dialog-buttons" }, no, yes),
    );
    const opened = openLayer(box, () => settle(false));
  });
}
