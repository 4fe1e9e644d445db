// Purpose: text, number, date and time inputs of Block Kit.
import { el } from "./dom.js";

const TEXT_TYPES = {
  plain_text_input: "text",
  email_text_input: "email",
  url_text_input: "url",
  number_input: "number",
};

export function textField(part, ctl) {
  const rich = part.type === "rich_text_input";
  const multiline = part.multiline || rich;
  const held = ctl.start(
    rich ? { rich_text_value: part.initial_value ?? null } : { value: part.initial_value ?? null },
  );
  const shown = rich ? plainOf(held.rich_text_value) : (held.value ?? "");
  const field = el(multiline ? "textarea" : "input", {
    class: "field",
    id: ctl.fieldId,
    "aria-label": ctl.fieldId ? null : ctl.label,
    placeholder: part.placeholder?.text,
    type: multiline ? null : TEXT_TYPES[part.type],
    rows: multiline ? 4 : null,
    "aria-describedby": ctl.describedBy,
    minlength: part.min_length,
    maxlength: part.max_length ?? 3000,
    step: part.is_decimal_allowed ? "any" : null,
    min: part.min_value,
    max: part.max_value,
    autocomplete: "off",
    value: shown,
    autofocus: part.focus_on_load,
    dataset: { actionId: part.action_id },
  });
  const triggers = part.dispatch_action_config?.trigger_actions_on || ["on_enter_pressed"];
  const state = () =>
    rich ? { rich_text_value: richOf(field.value) } : { value: field.value === "" ? null : field.value };
  field.addEventListener("input", () =>
    ctl.change(state(), { dispatch: ctl.dispatches && triggers.includes("on_character_entered") }),
  );
  field.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.isComposing || (multiline && !(event.metaKey || event.ctrlKey)))
      return;
    event.preventDefault();
    if (ctl.dispatches && triggers.includes("on_enter_pressed")) ctl.change(state());
    else ctl.submit?.();
  });
  return field;
}

function richOf(text) {
  if (!text) return null;
  return { type: "rich_text", elements: [{ type: "rich_text_section", elements: [{ type: "text", text }] }] };
}

function plainOf(rich) {
  const pieces = (part) => (part.elements ? part.elements.map(pieces).join("") : part.text || part.url || "");
  return rich ? pieces(rich) : "";
}

const PICKERS = {
  datepicker: { type: "date", key: "selected_date", initial: "initial_date" },
  timepicker: { type: "time", key: "selected_time", initial: "initial_time" },
  datetimepicker: { type: "datetime-local", key: "selected_date_time", initial: "initial_date_time" },
};

export function dateField(part, ctl) {
  const { type, key, initial } = PICKERS[part.type];
  const held = ctl.start({ [key]: part[initial] ?? null });
  const whole = part.type === "datetimepicker";
  const field = el("input", {
    class: `field field-${type}`,
    type,
    id: ctl.fieldId,
    "aria-label": ctl.fieldId ? null : ctl.label,
    "aria-describedby": ctl.describedBy,
    value: (whole ? localOf(held[key]) : held[key]) ?? "",
    dataset: { actionId: part.action_id },
  });
  field.addEventListener("change", async () => {
    const value = field.value || null;
    const kept = await ctl.change({
      [key]: whole && value ? Math.floor(new Date(value).getTime() / 1000) : value,
    });
    if (!kept) field.value = (whole ? localOf(ctl.held()?.[key]) : ctl.held()?.[key]) ?? "";
  });
  return field;
}

function localOf(seconds) {
  if (!seconds) return "";
  const date = new Date(seconds * 1000);
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}
