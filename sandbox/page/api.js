// Purpose: talk to the sandbox: JSON over HTTP, and the live socket that reconnects by itself.

/** What the sandbox refused, or that it could not be reached. `message` is fit for people. */
export class ApiError extends Error {
  constructor(code, message, status) {
    super(message);
    this.code = code;
    this.status = status;
  }
}

export async function get(path, params = {}) {
  return request(`${path}?${new URLSearchParams(params)}`, { headers: { accept: "application/json" } });
}

export async function post(path, body) {
  return request(path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
}

/** Put a file into a window; the answer holds its file object. */
export async function upload(user, file) {
  return request(`/page/file_input?${new URLSearchParams({ user, name: file.name })}`, {
    method: "POST",
    headers: { "content-type": "application/octet-stream" },
    body: file,
  });
}

/** Like post, but every failure comes back as {ok: false, error, message}. */
export async function attempt(path, body) {
  try {
    return await post(path, body);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return { ok: false, error: error.code, message: error.message };
  }
}

async function request(path, options) {
  let response;
  try {
    response = await fetch(path, { ...options, cache: "no-store" });
  } catch {
    throw new ApiError("unreachable", "The sandbox does not answer. Is it still running?", 0);
  }
  const body = await response.json().catch(() => null);
  if (response.ok && body) return body;
  const message = body?.message || `The sandbox answered with status ${response.status}.`;
  throw new ApiError(body?.error || "http_error", message, response.status);
}

const FIRST_WAIT = 400;
const LONGEST_WAIT = 5000;

/**
 * Follow /page/live for one user. `onEvent` gets each event; `onState` gets "open" (with again: true after a
 * break, when events may have been missed) and "lost". Returns {stop()}.
 */
export function live(user, onEvent, onState) {
  let socket = null;
  let wait = FIRST_WAIT;
  let stopped = false;
  let opened = 0;

  const connect = () => {
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    socket = new WebSocket(`${scheme}//${location.host}/page/live?user=${encodeURIComponent(user)}`);
    socket.addEventListener("open", () => {
      wait = FIRST_WAIT;
      opened += 1;
      onState("open", { again: opened > 1 });
    });
    socket.addEventListener("message", (message) => onEvent(JSON.parse(message.data)));
    socket.addEventListener("close", () => {
      if (stopped) return;
      onState("lost", {});
      setTimeout(() => stopped || connect(), wait);
      wait = Math.min(LONGEST_WAIT, wait * 2);
    });
  };
  connect();
  return {
    stop() {
      stopped = true;
      socket.close();
    },
  };
}
