// Purpose: the ways to break a mailbox and to mend it, its out-of-office, and what one needs to connect it.
import { el, uid } from "./dom.js";
import { toast } from "./toast.js";

const OOO_TEXT = "I am away until Monday and will answer then.";

/** Whether a switch stands on something that hurts; one without a `well` never does. */
export function isBroken(info, value) {
  return info.well !== null && info.well !== undefined && value !== info.well;
}

/** Which switches of an account stand on something that hurts, in words. */
export function brokenWords(account, help) {
  const switches = account.switches || {};
  return Object.keys(switches)
    .filter((name) => help[name] && isBroken(help[name], switches[name]))
    .map((name) => help[name].label);
}

/**
 * All switches of the account, by groups. `broken` says in words what hurts; `flip(name, value)` turns a switch,
 * `mend()` puts everything right.
 */
export function switchList(account, help, { broken, flip, mend }) {
  // Out of office has a tab of its own.
  const names = Object.keys(account.switches || {}).filter((name) => help[name] && name !== "ooo");
  const groups = Map.groupBy(names, (name) => help[name].group || "Mailbox");
  return el(
    "div",
    { class: "switches" },
    mendRow(broken, mend),
    [...groups].map(([title, members]) =>
      switchGroup(
        title,
        members.map((name) =>
          switchRow(name, help[name], account.switches[name], (value) => flip(name, value)),
        ),
      ),
    ),
  );
}

function mendRow(broken, mend) {
  return el(
    "div",
    { class: `switch mend${broken.length ? " mend-needed" : ""}` },
    el(
      "div",
      { class: "grow" },
      el("b", {}, broken.length ? `Broken: ${broken.join(", ")}` : "Nothing is broken"),
      el("small", {}, "Mending puts back everything, the password too."),
    ),
    el(
      "button",
      { type: "button", class: "btn btn-primary", dataset: { testid: "switch-mend" }, onClick: mend },
      "Mend everything",
    ),
  );
}

/** A titled card of switches. */
export function switchGroup(title, rows, lead = null) {
  return el(
    "section",
    { class: "switch-group" },
    el("h3", {}, title),
    lead && el("p", { class: "lead" }, lead),
    rows,
  );
}

/** The test id of a switch's control. */
export function switchId(name) {
  return `switch-${name}`;
}

/** One switch: what it is called, what it does, and the control. `flip(value)` turns it. */
export function switchRow(name, info, value, flip) {
  const ids = { label: uid("switch"), help: uid("switch-help") };
  const about = { "aria-labelledby": ids.label, "aria-describedby": ids.help };
  const control = CONTROLS[info.kind] || CONTROLS.action;
  const stacked = info.kind === "text" || info.kind === "choice";
  const broken = isBroken(info, value) ? " switch-broken" : "";
  return el(
    "div",
    { class: `switch${stacked ? " stacked" : ""}${broken}` },
    el(
      "div",
      { class: "grow" },
      el("b", { id: ids.label }, info.label),
      el("small", { id: ids.help }, info.help, info.kind === "text" && value && ` Now: ${value}`),
    ),
    control(name, info, value, flip, about),
  );
}

const CONTROLS = {
  toggle: (name, info, value, flip, about) => {
    const box = el("input", {
      type: "checkbox",
      role: "switch",
      class: "toggle",
      checked: Boolean(value),
      dataset: { testid: switchId(name) },
      ...about,
    });
    box.addEventListener("change", () => flip(box.checked));
    return box;
  },
  choice: (name, info, value, flip, about) => {
    const options = (info.options || []).map((one) =>
      el("option", { value: one.value, selected: one.value === value }, one.label),
    );
    const box = el("select", { class: "field", dataset: { testid: switchId(name) }, ...about }, options);
    box.addEventListener("change", () => flip(box.value));
    return box;
  },
  text: (name, info, value, flip, about) => {
    const box = el("input", {
      class: "field",
      value: name === "password" ? otherPassword() : (value ?? ""),
      autocomplete: "off",
      dataset: { testid: switchId(name) },
      ...about,
    });
    const form = el(
      "form",
      { class: "inline-form" },
      box,
      el("button", { type: "submit", class: "btn", dataset: { testid: `${switchId(name)}-apply` } }, "Change"),
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      flip(box.value);
    });
    return form;
  },
  action: (name, info, value, flip, about) =>
    el(
      "button",
      {
        type: "button",
        class: "btn",
        dataset: { testid: switchId(name) },
        ...about,
        onClick: () => flip(true),
      },
      "Do it",
    ),
};

// Something to change it to is offered, so that one click breaks the mailbox.
function otherPassword() {
  return `changed-${Math.floor(1000 + Math.random() * 9000)}`;
}

export function oooForm(account, save) {
  const box = el("textarea", {
    class: "field",
    id: "mail-ooo",
    rows: "5",
    value: account.ooo || OOO_TEXT,
    dataset: { testid: "mail-ooo-text" },
  });
  const form = el(
    "form",
    { class: "mail-answer" },
    el(
      "p",
      { class: "lead" },
      account.ooo
        ? `${account.name} is away: whoever writes gets this answer.`
        : "Whoever writes gets this answer by itself, once.",
    ),
    el("label", { class: "input-label", for: "mail-ooo" }, "Automatic answer"),
    box,
    el(
      "div",
      { class: "dialog-buttons" },
      account.ooo &&
        el(
          "button",
          { type: "button", class: "btn", dataset: { testid: "mail-ooo-clear" }, onClick: () => save(null) },
          "Turn off",
        ),
      el(
        "button",
        { type: "submit", class: "btn btn-primary", dataset: { testid: "mail-ooo-save" } },
        account.ooo ? "Save" : "Turn on",
      ),
    ),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    save(box.value.trim() || null);
  });
  return form;
}

/** What a person types to connect the mailbox, each with a button that copies it. */
export function connectionFacts(account) {
  return el(
    "section",
    { class: "facts" },
    el("h3", {}, "To connect this mailbox"),
    (account.facts || []).map(({ term, value }) => copyRow(term, value)),
  );
}

function copyRow(term, value) {
  const copy = el("button", { type: "button", class: "link-button", "aria-label": `Copy ${term}` }, "Copy");
  copy.addEventListener("click", () =>
    navigator.clipboard?.writeText(value).then(
      () => toast(`${term} copied.`, "success"),
      () => toast("The browser did not allow copying.", "error"),
    ),
  );
  return el("div", { class: "fact" }, el("span", {}, term), el("code", {}, value), copy);
}
