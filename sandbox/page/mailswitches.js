// Purpose: the ways to break a mailbox and to mend it, its out-of-office, and what one needs to connect it.
import { el, uid } from "./dom.js";
import { toast } from "./toast.js";

const OOO_TEXT = "I am away until Monday and will answer then.";

/** Whether a switch is meant for this kind of account. */
export function fits(info, account) {
  return !info.roles || info.roles.includes(account.role);
}

/** All switches that fit the account's role. `flip(name, value)` turns one, `mend()` puts everything right. */
export function switchList(account, help, { flip, mend }) {
  // Out of office has a tab of its own.
  const names = Object.keys(help).filter((name) => name !== "ooo" && fits(help[name], account));
  return el(
    "div",
    { class: "switches" },
    el(
      "div",
      { class: "switch mend" },
      el(
        "div",
        { class: "grow" },
        el("b", {}, "Mend"),
        el("small", {}, "Puts everything about this mailbox back in order, the password too."),
      ),
      el(
        "button",
        { type: "button", class: "btn btn-primary", dataset: { testid: "switch-mend" }, onClick: mend },
        "Mend",
      ),
    ),
    names.map((name) => row(name, help[name], account.switches?.[name], flip)),
  );
}

function row(name, info, value, flip) {
  const ids = { label: uid("switch"), help: uid("switch-help") };
  const about = { "aria-labelledby": ids.label, "aria-describedby": ids.help };
  const control = CONTROLS[info.kind] || CONTROLS.action;
  const stacked = info.kind === "text" || info.kind === "choice";
  return el(
    "div",
    { class: `switch${stacked ? " stacked" : ""}` },
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
      dataset: { testid: `switch-${name}` },
      ...about,
    });
    box.addEventListener("change", () => flip(name, box.checked));
    return box;
  },
  choice: (name, info, value, flip, about) => {
    const options = (info.options || []).map((one) =>
      el("option", { value: one.value, selected: one.value === value }, one.label),
    );
    const box = el("select", { class: "field", dataset: { testid: `switch-${name}` }, ...about }, options);
    box.addEventListener("change", () => flip(name, box.value));
    return box;
  },
  text: (name, info, value, flip, about) => {
    const box = el("input", {
      class: "field",
      value: name === "password" ? otherPassword() : (value ?? ""),
      autocomplete: "off",
      dataset: { testid: `switch-${name}` },
      ...about,
    });
    const form = el(
      "form",
      { class: "inline-form" },
      box,
      el("button", { type: "submit", class: "btn", dataset: { testid: `switch-${name}-apply` } }, "Change"),
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      flip(name, box.value);
    });
    return form;
  },
  action: (name, info, value, flip, about) =>
    el(
      "button",
      {
        type: "button",
        class: "btn",
        dataset: { testid: `switch-${name}` },
        ...about,
        onClick: () => flip(name, true),
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

/** Host, port, user and password of a recruiter's mailbox, each with a button that copies it. */
export function connectionFacts(account) {
  const facts = [
    ["User name", account.address],
    ["Password", account.password],
    ["IMAP", account.imap],
    ["SMTP", account.smtp],
  ];
  return el(
    "section",
    { class: "facts" },
    el("h3", {}, "To connect this mailbox"),
    facts.filter(([, value]) => value).map(([term, value]) => copyRow(term, endpoint(value))),
  );
}

function endpoint(value) {
  return typeof value === "object" ? `${value.host}:${value.port}` : String(value);
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
