// Weights: the versions there are, a new one from here, and what running streams make of it.
import { ask } from "./admin.js";
import { hasAdminToken, onAccessChange, tokenWanted } from "./access.js";
import { bytes, count, el, field, notice, number, segments, select, whole } from "./dom.js";
import { paceSlider } from "./pace.js";
import { TokenView, badge, colourOf } from "./tokens.js";
import { run, streamTiles } from "./transcript.js";
import { push, rowsPayload, tokensOf } from "./updates.js";
import { watchVersions } from "./wire.js";

const MAX_SHOWN = 100;
const PAUSE_MS = 500; // between two looks at the versions, and before a stream that made nothing begins again

export function weights() {
  const place = el("div");
  const live = liveStream();
  const line = timeline();
  const note = notice();
  const forms = pushForms(note, line.load);

  function layOut() {
    if (hasAdminToken()) {
      place.replaceChildren(el("div", { class: "halves" },
        el("div", { class: "stack" }, live.element, forms),
        el("div", { class: "stack" }, line.element)));
      line.load();
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
      forget.forEach(end => end());
    },
  };

  function timeline() {
    const list = el("ol", { class: "timeline" });
    const summary = el("p", { class: "soft" });

    let loading = false;
    let changed = false; // meanwhile

    /** One look at a time, however fast a trainer makes versions. */
    async function load() {
      changed = true;
      if (loading) {
        return;
      }
      loading = true;
      while (changed) {
        changed = false;
        await show();
        await new Promise(resolve => setTimeout(resolve, PAUSE_MS));
      }
      loading = false;
    }

    async function show() {
      try {
        const [status, history] = await Promise.all([ask("weights.status"), ask("weights.history")]);
        const versions = history.versions.slice(-MAX_SHOWN).reverse();
        const left = history.committed_versions - versions.length;
        list.replaceChildren(...versions.map(v => item(v, status)),
          ...(left > 0 ? [el("li", {}, `${left} older ones`)] : []),
          item({ weights_version: history.base_version, what: "base" }, status));
        const memory = status.memory;
        summary.textContent = `Weights of all versions: ${bytes(memory.weights_bytes)}; KV cache: ${bytes(memory.kv_bytes)}; budget: `
          + `${bytes(memory.budget_bytes)}.`
          + (status.durable ? "" : " The server has no --data-dir: weights cannot be changed.");
      } catch (error) {
        note.show(error.message, "bad");
      }
    }

    function item(v, status) {
      const version = v.weights_version;
      const alive = status.live_versions.filter(l => l.weights_version === version);
      const current = version === status.weights_version;
      const facts = [v.committed_at ? new Date(v.committed_at).toLocaleString() : null,
        alive.length ? `in memory for ${count(alive.reduce((sum, l) => sum + l.leases, 0), "stream")}` : null,
        status.checkpoints?.includes(version) ? "checkpoint" : null].filter(Boolean).join(" · ");
      const back = current || !status.durable ? null : el("button", {
        type: "button", class: "plain small", "aria-label": `Roll back to version ${version}`, on: { click: () => rollback(version) } },
          "Roll back to this");
      return el("li", { class: colourOf(version), ...(current ? { "aria-current": "true" } : {}) },
        el("div", { class: "row ends" }, el("span", { class: "row" }, badge(version), el("strong", {}, title(v)), current ? el("span",
          { class: "soft" }, "current") : null), back),
        el("div", { class: "soft" }, facts));
    }

    function title(v) {
      switch (v.what) {
        case "base": return "the model file";
        case "rollback": return `rollback to v${v.to_version}`;
        default: return `${v.kind} of ${v.tensor}, ${v.shape.map(whole).join(" × ")}, ${bytes(v.byte_length)}`;
      }
    }

    async function rollback(version) {
      note.show(`Rolling back to version ${version} …`);
      try {
        const ack = await ask("weights.rollback", { to_version: version });
        note.show(`Version ${ack.weights_version} has the weights of version ${version}, after ${number(ack.build_ms)} ms.`, "good");
      } catch (error) {
        note.show(error.message, "bad");
      }
      load();
    }
    return { element: el("section", { class: "card", "aria-label": "Versions" }, el("h2", {}, "Versions"), list, summary), load };
  }
}

function pushForms(note, done) {
  const tensor = id => el("input", { id, value: "token_embd.weight", maxLength: 256, spellcheck: false });
  const rowsTensor = tensor("rows-tensor");
  const tokens = el("input", { id: "rows-tokens", value: " the", maxLength: 400, spellcheck: false });
  const content = select([["0", "zeros"], ["0.05", "small noise"], ["0.5", "large noise"]], "0", { id: "rows-content" });
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
      const { update, payload } = await make();
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
    field("Tensor", rowsTensor, "wide"), el("div", { class: "wide" }, el("button", { id: "push-rows" }, "Push rows")));
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

/** A stream that follows the weights, slowly enough to see them change; begun again while it is wanted. */
function liveStream() {
  const view = new TokenView("Text of a stream that follows the weights", null, true);
  const figures = streamTiles();
  const slider = paceSlider(10, rate => stream?.rate(rate));
  const toggle = el("button", { id: "follow", type: "button", on: { click: () => wanted ? stop() : begin() } }, "Start a stream");
  const note = notice();
  let stream = null;
  let wanted = false;
  let timer = 0;

  function begin() {
    wanted = true;
    note.clear();
    toggle.textContent = "Stop it";
    view.reset(el("div", {}, el("span", { class: "prompt" }, "Once upon a time")));
    stream = run({ prompt: "Once upon a time", max_tokens: 400, weights: "follow", logprobs: 0, sampling: { temperature: 0.8, top_k: 40 } },
      { view, figures, rate: slider.rate, slider, quiet: true }, message => {
        stream = null;
        toggle.textContent = "Start a stream";
        if (message.code) {
          wanted = false;
          note.show(`${message.code}: ${message.message}`, "bad");
        } else if (wanted && view.tokens.length > 0) {
          begin();
        } else if (wanted) { // a model that has nothing to say is not asked as fast as it answers
          toggle.textContent = "Stop it";
          timer = setTimeout(begin, PAUSE_MS);
        }
      });
  }

  function stop() {
    wanted = false;
    clearTimeout(timer);
    toggle.textContent = "Start a stream";
    stream?.abandon();
    stream = null;
  }
  view.reset(el("p", {}, "A stream that follows the weights changes its colour when a version is published."));
  return {
    element: el("section", { class: "card stack", "aria-label": "A running stream" },
      el("div", { class: "row ends" }, el("h2", {}, "A running stream"), toggle), slider.element, figures.element, view.element,
        note.element),
    stop,
  };
}
