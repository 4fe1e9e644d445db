// Purpose: what Slack's own client checks before it submits a modal: required answers, lengths, number and address forms.

const EMPTY = "Please complete this required field.";

/** {block_id: message} for every input block that cannot be sent as it stands. */
export function missingAnswers(blocks, state) {
  const problems = {};
  for (const block of blocks) {
    if (block.type !== "input") continue;
    const message = problemOf(block, state.get(block.block_id, block.element.action_id));
    if (message) problems[block.block_id] = message;
  }
  return problems;
}

function problemOf(block, held) {
  const answer = answerOf(held);
  if (answer === null) return block.optional ? null : EMPTY;
  return typeof answer === "string" ? formProblem(block.element, answer) : null;
}

/** The one value of a state, whatever its key; null where nothing was given. */
function answerOf(held) {
  if (!held) return null;
  const { type, ...rest } = held;
  const [value] = Object.values(rest);
  if (value === null || value === undefined || (Array.isArray(value) && !value.length)) return null;
  if (typeof value === "string" && !value.trim()) return null;
  return value;
}

function formProblem(part, answer) {
  if (part.min_length && answer.length < part.min_length)
    return `Please enter at least ${part.min_length} characters.`;
  if (part.type === "email_text_input" && !/^[^\s@]+@[^\s@]+$/.test(answer))
    return "Please enter a valid email address.";
  if (part.type === "url_text_input" && !URL.canParse(answer)) return "Please enter a valid URL.";
  if (part.type === "number_input") return numberProblem(part, answer);
  return null;
}

function numberProblem(part, answer) {
  const number = Number(answer);
  if (!Number.isFinite(number)) return "Please enter a number.";
  if (!part.is_decimal_allowed && !Number.isInteger(number)) return "Please enter a whole number.";
  if (part.min_value !== undefined && number < Number(part.min_value))
    return `Please enter ${part.min_value} or more.`;
  if (part.max_value !== undefined && number > Number(part.max_value))
    return `Please enter ${part.max_value} or less.`;
  return null;
}
