// Purpose: the forms of the mail drawer: answer a mail, write a new one.
import { el } from "./dom.js";
import { icon } from "./icons.js";

const READY = [
  [
    "Interested",
    "Thanks for getting in touch, this sounds interesting. Could we talk on Thursday afternoon?",
  ],
  ["Not now", "Thank you, but I am happy where I am at the moment. Please do keep me in mind for next year."],
  ["A question", "Happy to hear more. What is the salary range, and is the role remote?"],
];

function input(name, label, value, testid) {
  const id = `mail-field-${name}`;
  return [
    el("label", { class: "input-label", for: id }, label),
    el("input", {
      class: "field",
      id,
      name,
      value,
      autocomplete: "off",
      required: true,
      dataset: { testid },
    }),
  ];
}

function sendButton(testid) {
  return el("button", { type: "submit", class: "btn btn-primary", dataset: { testid } }, "Send");
}

/** A box under a mail. A candidate gets ready sentences. `send(button, body)` takes {uid, text, from?}. */
export function answerForm(account, mail, send) {
  const candidate = account.role === "candidate";
  const box = el("textarea", {
    class: "field",
    rows: "5",
    "aria-label": "Your answer",
    dataset: { testid: "mail-reply-text" },
    value: candidate ? READY[0][1] : "",
  });
  const fill = (text) => () => {
    box.value = text;
    box.focus();
  };
  const ready = READY.map(([label, text]) =>
    el("button", { type: "button", class: "chip-button", onClick: fill(text) }, label),
  );
  const button = sendButton("mail-reply-send");
  const form = el(
    "form",
    { class: "mail-answer" },
    el("h4", {}, icon("reply", 16), `Answer as ${account.name}`),
    candidate && el("div", { class: "ready" }, ready),
    box,
    el(
      "details",
      { class: "other-sender" },
      el("summary", {}, "From another address"),
      input("from", "From", account.address, "mail-reply-from"),
    ),
    el("div", { class: "dialog-buttons" }, button),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (!box.value.trim()) return box.focus();
    const from = new FormData(form).get("from").trim();
    const other = from && from !== account.address ? { from } : {};
    return send(button, { uid: mail.uid, text: box.value, ...other });
  });
  return form;
}

/** A new mail from `account`. `send(button, body)` takes {to, subject, text}. */
export function composeForm(account, to, { send, cancel }) {
  const button = sendButton("mail-compose-send");
  const form = el(
    "form",
    { class: "mail-body mail-compose" },
    el("h3", { class: "mail-title" }, "New mail"),
    input("to", "To", to, "mail-compose-to"),
    input("subject", "Subject", "", "mail-compose-subject"),
    el("label", { class: "input-label", for: "mail-field-text" }, "Text"),
    el("textarea", {
      class: "field",
      id: "mail-field-text",
      name: "text",
      rows: "8",
      dataset: { testid: "mail-compose-text" },
    }),
    el(
      "div",
      { class: "dialog-buttons" },
      el("button", { type: "button", class: "btn", onClick: cancel }, "Cancel"),
      button,
    ),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send(button, Object.fromEntries(new FormData(form)));
  });
  return form;
}
