// Purpose: the app's Home tab.
import { attempt } from "./api.js";
import { renderBlocks } from "./blocks.js";
import { el, replace } from "./dom.js";
import { FormState } from "./elements.js";
import { avatar } from "./icons.js";
import { whenFree } from "./repaint.js";
import { makeSurface } from "./surface.js";

export class HomeTab {
  constructor(root, store) {
    this.root = root;
    this.store = store;
    this.state = new FormState();
  }

  /** Tell the app that its Home was opened, and draw what it has published so far. */
  async open() {
    replace(this.root, el("div", { class: "loading", role: "status" }, "Loading…"));
    const answer = await attempt("/page/home_open", { user: this.store.user });
    if (!this.drawn || answer.view) this.draw(answer.view, answer.ok === false ? answer.message : null);
  }

  draw(view, problem = null) {
    this.drawn = true;
    whenFree(this.root, () => this.redraw(view, problem));
  }

  redraw(view, problem) {
    if (!view) {
      replace(
        this.root,
        el(
          "div",
          { class: "home-empty" },
          avatar({ is_bot: true, color: "5b4bd6" }, "large"),
          el("h3", {}, problem ? "Home could not be opened" : "Nothing here yet"),
          el(
            "p",
            {},
            problem ||
              `${this.store.app.name} has not published a Home tab for you so far. It shows up here by itself.`,
          ),
        ),
      );
      return;
    }
    this.state.keep(view.blocks);
    const surface = makeSurface(this.store, { type: "home" }, this.state);
    const scroll = this.root.scrollTop;
    replace(this.root, el("div", { class: "home-view" }, renderBlocks(view.blocks, surface)));
    this.root.scrollTop = scroll;
  }
}
