// Purpose: Block Kit's file_input: files go to the sandbox as soon as they are chosen, the window keeps what it answers.
import { el, replace } from "./dom.js";
import { plainText } from "./mrkdwn.js";

export function fileField(part, ctl, surface) {
  const held = ctl.start({ files: [] });
  const most = part.max_files ?? 10;
  const field = el("input", {
    class: "field field-file",
    type: "file",
    id: ctl.fieldId,
    multiple: most > 1,
    accept: (part.filetypes || []).map((kind) => `.${kind}`).join(",") || null,
    "aria-label": ctl.fieldId ? null : ctl.label,
    "aria-describedby": ctl.describedBy,
    dataset: { actionId: part.action_id },
  });
  const list = el("div", { class: "file-list", role: "status" });
  const show = (words) => replace(list, plainText(words));
  show(named(held.files));
  field.addEventListener("change", async () => {
    const chosen = [...field.files].slice(0, most);
    show(chosen.length ? "Uploading …" : "");
    try {
      const files = await Promise.all(chosen.map((file) => surface.upload(file)));
      await ctl.change({ files });
      show(named(files));
    } catch (error) {
      show(error.message);
    }
  });
  return el("div", { class: "file-field" }, field, list);
}

function named(files) {
  return (files || []).map((file) => `${file.name} (${Math.max(1, Math.round(file.size / 1024))} KB)`).join(", ");
}
