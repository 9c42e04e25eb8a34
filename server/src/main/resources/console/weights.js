// Weights: the versions there are, a new one from here, and what running streams make of it.
import { ask } from "./admin.js";
import { hasAdminToken, onAccessChange, tokenWanted } from "./access.js";
import { adapterCard } from "./adapters.js";
import { canaryCard } from "./canary.js";
import { check, count, el, field, notice, number, segments, select } from "./dom.js";
import { liveStream } from "./live.js";
import { push, pushHeld, rowsPayload, tokensOf } from "./updates.js";
import { timeline } from "./versions.js";
import { watchVersions } from "./wire.js";

export function weights() {
  const place = el("div");
  const live = liveStream();
  const canary = canaryCard(() => line.load());
  const line = timeline(canary.show);
  const adapters = adapterCard();
  const forms = pushForms(line.load);

  function layOut() {
    if (hasAdminToken()) {
      place.replaceChildren(el("div", { class: "halves" },
        el("div", { class: "stack" }, live.element, forms),
        el("div", { class: "stack" }, line.element, canary.element, adapters.element)));
      line.load();
      adapters.load();
    } else {
      place.replaceChildren(el("div", { class: "stack" }, tokenWanted("To see and change versions of the weights"), live.element));
    }
  }
  const forget = [onAccessChange(layOut), watchVersions(() => hasAdminToken() && line.load())];
  layOut();
  return {
    title: "Weights",
    element: el("div", {}, el("h1", {}, "Weights"),
      el("p", { class: "lead" },
        "An update becomes a version between two steps, durably, while streams run. Each token shows by its colour whose weights made "
          + "it."), place),
    leave() {
      live.stop();
      canary.stop();
      forget.forEach(end => end());
    },
  };
}

function pushForms(done) {
  const note = notice();
  const tensor = id => el("input", { id, value: "token_embd.weight", maxLength: 256, spellcheck: false });
  const rowsTensor = tensor("rows-tensor");
  const tokens = el("input", { id: "rows-tokens", value: " the", maxLength: 400, spellcheck: false });
  const content = select([["0", "zeros"], ["0.05", "small noise"], ["0.5", "large noise"]], "0", { id: "rows-content" });
  const hold = el("input", { type: "checkbox", id: "hold" });
  const fileTensor = tensor("file-tensor");
  const kind = select([["rows", "rows"], ["delta", "delta"], ["replace", "replace"], ["low_rank", "low rank"]], "rows",
    { id: "file-kind" });
  const dtype = select([["f32", "f32"], ["f16", "f16"], ["bf16", "bf16"]], "f32", { id: "file-dtype" });
  const shape = el("input", { id: "file-shape", placeholder: "rows, elements", spellcheck: false });
  const rank = el("input", { id: "file-rank", type: "number", min: "1" });
  const file = el("input", { id: "file", type: "file" });

  async function send(what, make) {
    note.show(`${what}: preparing …`);
    try {
      const { update, payload, held } = await make();
      if (held) {
        note.show(held, "good");
        done();
        return;
      }
      const ack = await push(update, payload, p => note.show(`${what}: ${p.stage}, ${number(100 * p.done / p.of)} %`));
      const error = ack.requantisation_error;
      note.show(`Version ${ack.weights_version}: ${count(ack.changed_rows, "row")} changed, built in ${number(ack.build_ms)} ms; stored `
        + `as ${error.format} with an error of ${number(error.rms)} (rms).`, "good");
    } catch (error) {
      note.show(error.message, "bad");
    }
    done();
  }
  const rows = event => {
    event.preventDefault();
    send("Rows", async () => {
      const numbers = await tokensOf(tokens.value);
      const { hidden_size: width } = await ask("optimization.status");
      if (hold.checked) {
        const payload = rowsPayload(numbers, width, Number(content.value));
        const made = await pushHeld(rowsTensor.value, numbers.length, width, payload);
        return { held: `Version ${made.version} is held: ${count(Object.values(made.changed)[0] ?? 0, "row")} changed. Nobody gets it `
          + "before it is published." };
      }
      return { update: { tensor: rowsTensor.value, kind: "rows", shape: [numbers.length, width], dtype: "f32" },
        payload: rowsPayload(numbers, width, Number(content.value)) };
    });
  };
  const wholeFile = event => {
    event.preventDefault();
    send("File", async () => {
      if (file.files.length === 0) {
        throw new Error("choose a file with the payload");
      }
      const update = { tensor: fileTensor.value, kind: kind.value, shape: shape.value.split(/[\s,x×]+/).filter(Boolean).map(Number),
        dtype: dtype.value };
      return { update: kind.value === "low_rank" ? { ...update, rank: Number(rank.value) } : update,
        payload: new Uint8Array(await file.files[0].arrayBuffer()) };
    });
  };
  const rankField = field("Rank", rank);
  const ofRank = () => rankField.hidden = kind.value !== "low_rank";
  kind.addEventListener("change", ofRank);
  ofRank();
  const rowsForm = el("form", { class: "fields", on: { submit: rows } }, field("Tokens: a text, or numbers", tokens), field("New rows",
    content),
    field("Tensor", rowsTensor, "wide"), el("div", { class: "wide" }, check("hold it: publish it later, or try it as a canary", hold)),
    el("div", { class: "wide" }, el("button", { id: "push-rows" }, "Push rows")));
  const fileForm = el("form", { class: "fields", hidden: true, on: { submit: wholeFile } }, field("Payload, as docs/admin.md has it",
    file, "wide"),
    field("Tensor", fileTensor), field("Kind", kind), field("Shape", shape), field("Elements", dtype), rankField,
    el("div", { class: "wide" }, el("button", {}, "Push the file")));
  const choice = segments("Update", "update", [["rows", "Rows of tokens"], ["file", "A file"]], "rows", value => {
    rowsForm.hidden = value !== "rows";
    fileForm.hidden = value !== "file";
  });
  return el("section", { class: "card stack", "aria-label": "New version" }, el("h2", {}, "New version"), choice, rowsForm, fileForm,
    note.element);
}
