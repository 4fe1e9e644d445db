// Purpose: tie the elements of one message, modal or Home view to the server: actions, suggestions, state.
import { attempt, post, upload } from "./api.js";
import { toast } from "./toast.js";

/**
 * The `surface` that elements.js draws on. `container` is {type:"message",channel,ts}, {type:"view",view_id} or
 * {type:"home"}; `state` a FormState; `submit` what Enter in a field does.
 */
export function makeSurface(store, container, state, submit = null) {
  const user = store.user;
  return {
    names: store.names,
    state,
    submit,
    people: () => store.viewers(),
    channels: (onlyChannels) =>
      store.boot.channels
        .filter((channel) => channel.kind !== "dm" || !onlyChannels)
        .map((channel) => ({ ...channel, name: store.label(channel) })),
    act: async (action) => {
      const answer = await attempt("/page/action", {
        user,
        container,
        action,
        state: { values: state.values },
      });
      if (!answer.ok) toast(answer.message || `${store.app.name} did not respond to that click.`, "error");
      return { ...answer, message: answer.message || "The app did not respond." };
    },
    upload: async (file) => (await upload(user, file)).file,
    suggest: (blockId, actionId, value) =>
      post("/page/suggest", { user, container, block_id: blockId, action_id: actionId, value }),
  };
}
