// Purpose: build DOM nodes. Data only ever becomes text nodes and attributes, so it is never parsed as HTML.

const SVG_NS = "http://www.w3.org/2000/svg";

/**
 * Make an element. `props`: "class", "dataset" and "style" (objects), "on<Event>" handlers, DOM properties
 * listed in LIVE, and everything else as an attribute (true: present, null/undefined/false: left out).
 */
export function el(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  setProps(node, props);
  append(node, children);
  return node;
}

export function svg(tag, props = {}, ...children) {
  const node = document.createElementNS(SVG_NS, tag);
  setProps(node, props);
  append(node, children);
  return node;
}

const LIVE = new Set(["value", "checked", "disabled", "indeterminate"]);

function setProps(node, props) {
  for (const [key, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) node.addEventListener(key.slice(2).toLowerCase(), value);
    else if (key === "dataset") Object.assign(node.dataset, value);
    else if (key === "style") for (const [name, v] of Object.entries(value)) node.style.setProperty(name, v);
    else if (LIVE.has(key)) setLive(node, key, value);
    else node.setAttribute(key, value === true ? "" : String(value));
  }
}

// A field's text is its default too, so that repaint.js can tell what was typed since.
function setLive(node, key, value) {
  if (key === "value" && "defaultValue" in node) node.defaultValue = value;
  node[key] = value;
}

/** Append nodes, strings and nested arrays of both; empty values are skipped. */
export function append(node, children) {
  for (const child of [children].flat(Infinity)) {
    if (child === null || child === undefined || child === false || child === "") continue;
    node.append(child instanceof Node ? child : document.createTextNode(String(child)));
  }
  return node;
}

export function replace(node, ...children) {
  node.replaceChildren();
  return append(node, children);
}

/** The address if a click on it is harmless (web and mail), else null: javascript:, data: and the like stay text. */
export function safeUrl(address) {
  try {
    const url = new URL(String(address), location.href);
    return ["http:", "https:", "mailto:", "tel:"].includes(url.protocol) ? url.href : null;
  } catch {
    return null;
  }
}

export function link(address, ...label) {
  const href = safeUrl(address);
  if (!href) return el("span", {}, ...label);
  return el("a", { href, target: "_blank", rel: "noopener noreferrer" }, ...label);
}

/** Make `nodes` the children of `root`, leaving those in place that already are. */
export function reconcile(root, nodes) {
  const wanted = new Set(nodes);
  for (const child of [...root.childNodes]) if (!wanted.has(child)) child.remove();
  nodes.forEach((node, index) => {
    if (root.childNodes[index] !== node) root.insertBefore(node, root.childNodes[index] ?? null);
  });
}

let counter = 0;
/** An id for label/for and aria-* pairs, unique on this page. */
export function uid(prefix) {
  counter += 1;
  return `${prefix}-${counter}`;
}

export function clip(text, length) {
  return text.length > length ? `${text.slice(0, length - 1)}…` : text;
}
