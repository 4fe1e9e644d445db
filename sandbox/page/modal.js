// Purpose: the stack of modal views: open, push, update, submit, close, errors under their fields.
import { attempt } from "./api.js";
import { renderBlocks, showErrors } from "./blocks.js";
import { openLayer, focusFirst } from "./dialog.js";
import { el, replace, uid } from "./dom.js";
import { FormState, warningSign } from "./elements.js";
import { avatar, icon } from "./icons.js";
import { plainText } from "./mrkdwn.js";
import { whenFree } from "./repaint.js";
import { makeSurface } from "./surface.js";
import { missingAnswers } from "./validation.js";

export class ViewStack {
  constructor(store) {
    this.store = store;
    this.stack = [];
  }

  open(view) {
    this.closeAll();
    this.push(view);
  }

  push(view) {
    if (this.find(view.id)) return this.update(view);
    this.top()?.hide();
    const entry = new ModalView(view, this);
    this.stack.push(entry);
    return entry.show();
  }

  update(view) {
    const entry = this.find(view.id);
    if (entry) entry.update(view);
    else this.push(view);
  }

  /** Take one view, and those above it, off; the one below comes back. An unknown id does nothing. */
  close(viewId) {
    const entry = this.find(viewId);
    if (!entry) return;
    for (const gone of this.stack.splice(this.stack.indexOf(entry)).reverse()) gone.hide();
    const below = this.top();
    if (below && !below.opened) below.show();
  }

  closeAll() {
    for (const entry of this.stack.splice(0).reverse()) entry.hide();
  }

  find(id) {
    return this.stack.find((entry) => entry.view.id === id);
  }

  top() {
    return this.stack[this.stack.length - 1];
  }
}

class ModalView {
  constructor(view, stack) {
    this.stack = stack;
    this.store = stack.store;
    this.user = stack.store.user;
    this.view = view;
    this.state = new FormState(view.state?.values);
    this.opened = null;
    this.build();
  }

  build() {
    const titleId = uid("modal-title");
    this.body = el("div", { class: "modal-body" });
    this.foot = el("div", { class: "modal-foot" });
    this.title = el("h2", { id: titleId });
    const pushed = this.stack.stack.length > 0;
    const leave = el(
      "button",
      {
        type: "button",
        class: "icon-button",
        "aria-label": pushed ? "Back" : "Close",
        dataset: { testid: "modal-x" },
        onClick: () => this.leave(),
      },
      icon(pushed ? "back" : "close", 20),
    );
    const sign = avatar(this.store.person(this.store.app.bot_user) || { is_bot: true }, "small");
    const head = el(
      "div",
      { class: "modal-head" },
      pushed ? [leave, sign, this.title] : [sign, this.title, leave],
    );
    this.box = el(
      "div",
      {
        class: "dialog modal",
        role: "dialog",
        "aria-modal": "true",
        "aria-labelledby": titleId,
        tabindex: "-1",
        dataset: { testid: "modal" },
      },
      head,
      this.body,
      this.foot,
    );
    this.draw();
  }

  draw() {
    const { view } = this;
    this.state.keep(view.blocks);
    const surface = makeSurface(
      this.store,
      { type: "view", view_id: view.id },
      this.state,
      () => view.submit && this.submit(),
    );
    replace(this.title, plainText(view.title.text));
    replace(this.body, renderBlocks(view.blocks, surface));
    this.problem = el("div", { class: "modal-problem", role: "alert" });
    const close = el(
      "button",
      { type: "button", class: "btn", dataset: { testid: "modal-close" }, onClick: () => this.leave() },
      plainText(view.close?.text || (view.submit ? "Cancel" : "Close")),
    );
    this.send =
      view.submit &&
      el(
        "button",
        {
          type: "button",
          class: "btn btn-primary",
          dataset: { testid: "modal-submit" },
          onClick: () => this.submit(),
        },
        plainText(view.submit.text),
      );
    replace(this.foot, this.problem, close, this.send);
  }

  show() {
    this.opened = openLayer(this.box, () => this.leave());
  }

  hide() {
    this.opened?.close();
    this.opened = null;
  }

  update(view) {
    whenFree(this.box, () => this.redraw(view));
  }

  redraw(view) {
    const held = document.activeElement;
    const action = this.box.contains(held) ? held.dataset.actionId : null;
    const caret = held?.selectionStart ?? null;
    this.view = view;
    this.draw();
    if (!this.opened || this.stack.top() !== this) return;
    const again = action && this.box.querySelector(`[data-action-id="${CSS.escape(action)}"]`);
    if (!again) return focusFirst(this.box);
    again.focus();
    if (caret !== null && again.setSelectionRange && again.type === "text")
      again.setSelectionRange(caret, caret);
  }

  async submit() {
    if (this.send?.getAttribute("aria-busy") === "true") return;
    const missing = missingAnswers(this.view.blocks, this.state);
    showErrors(this.body, missing);
    replace(this.problem);
    if (Object.keys(missing).length) return;
    const sender = this.send;
    this.busy(sender, true);
    const answer = await attempt("/page/view_submit", {
      user: this.user,
      view_id: this.view.id,
      state: { values: this.state.values },
    });
    this.busy(sender, false);
    this.settle(answer);
  }

  busy(button, on) {
    button?.setAttribute("aria-busy", String(on));
    this.box.setAttribute("aria-busy", String(on));
  }

  settle(answer) {
    const errors = answer.errors || {};
    if (answer.response_action === "errors" || Object.keys(errors).length) {
      const homeless = showErrors(this.body, errors).map((key) => errors[key]);
      if (homeless.length) this.complain(homeless.join(" "));
    } else if (!answer.ok) {
      this.complain(answer.message || "We had some trouble connecting. Try again?");
    } else if (answer.response_action === "clear") {
      this.stack.closeAll();
    } else if (["update", "push"].includes(answer.response_action)) {
      if (answer.view) this.stack[answer.response_action](answer.view);
    } else {
      this.stack.close(this.view.id);
    }
  }

  complain(message) {
    replace(this.problem, warningSign(message), message);
  }

  leave() {
    const { view } = this;
    if (view.clear_on_close) this.stack.closeAll();
    else this.stack.close(view.id);
    attempt("/page/view_close", { user: this.user, view_id: view.id });
  }
}
