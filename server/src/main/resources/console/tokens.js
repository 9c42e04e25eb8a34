// The text of a stream, token by token, light enough for tens of thousands of them: tokens that look alike are one text node (a run), what
// has come is put in once a frame, and runs that are old lose their shades so that there are never many.
import { el } from "./dom.js";

const MAX_RUNS = 2500; // with a look of their own; older ones keep the colour of their version
const MERGE_RUNS = 500; // at a time
const BLOCK_CHARS = 2000; // a block is laid out anew while it grows, so it ends at a line break, ...
const BLOCK_MOST_CHARS = 6000; // ... or at a space in a text that has none
const MAX_DETAILS = 50000; // tokens whose alternatives are kept
const COLOURS = 6;
const DOUBT = [0.9, 0.5, 0.2, 0.05]; // a probability below the n-th is shade n

/** The class of a version's colour. */
export function colourOf(version) {
  return "v" + (version - 1) % COLOURS;
}

export function badge(version, text = "v" + version) {
  return el("span", { class: "badge " + colourOf(version) }, text);
}

function doubt(logprob) {
  if (logprob === undefined) {
    return 0;
  }
  const p = Math.exp(logprob);
  return DOUBT.filter(limit => p < limit).length;
}

export class TokenView {
  #tokens = []; // {seq, token, text, version, logprob, top}
  #runs = []; // {from, count, node, span, version, shade}
  #waiting = []; // of this frame
  #frame = 0;
  #block = null;
  #blockChars = 0;
  #selected = -1;
  #mark = -1;
  #onSelect;

  /** @param onSelect called with a token, or null, when the reader chooses one; absent: none can be chosen */
  constructor(label, onSelect, short = false) {
    this.#onSelect = onSelect;
    this.element = el("div", {
      class: short ? "tokens short" : "tokens", role: "region", "aria-label": label, tabIndex: 0,
      on: { click: event => this.#clicked(event), keydown: event => this.#key(event) },
    });
  }

  /** Empty but for what stands before the tokens. */
  reset(...before) {
    cancelAnimationFrame(this.#frame);
    this.#tokens = [];
    this.#runs = [];
    this.#waiting = [];
    this.#frame = 0;
    this.#block = null;
    this.#mark = -1;
    this.select(-1);
    this.markDifference(-1);
    this.element.replaceChildren(...before);
  }

  get tokens() {
    return this.#tokens;
  }

  get text() {
    return this.#tokens.map(token => token.text).join("");
  }

  /** Pieces of text with a look of their own; for tests of how light the page is. */
  get runs() {
    return this.#runs.length;
  }

  push(token) {
    this.#tokens.push(token);
    const old = this.#tokens[this.#tokens.length - 1 - MAX_DETAILS];
    if (old) {
      old.top = undefined;
    }
    this.#waiting.push(token);
    this.#frame ||= requestAnimationFrame(() => this.#flush());
  }

  #flush() {
    this.#frame = 0;
    const box = this.element;
    const atEnd = box.scrollHeight - box.scrollTop - box.clientHeight < 60;
    let pending = "";
    let run = this.#runs.at(-1);
    const write = () => {
      if (pending) {
        run.node.appendData(pending);
        pending = "";
      }
    };
    for (const token of this.#waiting) {
      const shade = doubt(token.logprob);
      const opens = this.#opensBlock(token);
      if (opens || run?.version !== token.version || run.shade !== shade) {
        write();
        run = this.#newRun(token, shade, opens, run?.version);
      }
      run.count++;
      pending += token.text;
      this.#blockChars += token.text.length;
    }
    write();
    this.#waiting = [];
    if (this.#runs.length > MAX_RUNS + MERGE_RUNS) {
      this.#mergeOldest();
    }
    if (atEnd) {
      box.scrollTop = box.scrollHeight;
    }
  }

  /** A line break at the end of a block would make an empty line of the next one's begin, so the token after it opens the block. */
  #opensBlock(token) {
    if (this.#block === null) {
      return true;
    }
    const last = this.#tokens[token.seq - this.#tokens[0].seq - 1]?.text ?? "";
    return (this.#blockChars > BLOCK_CHARS && /\n$/.test(last) && !token.text.startsWith("\n"))
      || (this.#blockChars > BLOCK_MOST_CHARS && token.text.startsWith(" "));
  }

  #newRun(token, shade, opensBlock, versionBefore) {
    if (opensBlock) {
      const beside = this.#block === null ? this.element.querySelector(".prompt") : null; // the text goes on behind its prompt
      this.#block = beside?.parentElement ?? el("div");
      if (!beside) {
        this.element.append(this.#block);
      }
      this.#blockChars = 0;
    }
    if (versionBefore !== undefined && versionBefore !== token.version) {
      this.#block.append(badge(token.version));
    }
    const node = document.createTextNode("");
    const span = el("span", { class: colourOf(token.version) + (shade ? " d" + shade : "") }, node);
    this.#block.append(span);
    const run = { from: token.seq, count: 0, node, span, version: token.version, shade };
    this.#runs.push(run);
    return run;
  }

  #mergeOldest() {
    const merged = [];
    let at = 0;
    for (let done = 0; done < MERGE_RUNS || at < MERGE_RUNS; done++) {
      const run = this.#runs[at++];
      const before = merged.at(-1);
      if (before && before.version === run.version && before.span.nextSibling === run.span) {
        before.node.appendData(run.node.data);
        before.count += run.count;
        run.span.remove();
      } else {
        run.span.className = colourOf(run.version);
        run.shade = 0;
        merged.push(run);
      }
    }
    this.#runs = merged.concat(this.#runs.slice(at));
    this.#highlight("selected", this.#selected);
    this.#highlight("different", this.#mark);
  }

  /** Shows where this stream and another part; -1: nowhere. */
  markDifference(index) {
    this.#mark = index;
    this.#highlight("different", index);
  }

  /** Chooses a token by its index; -1: none. */
  select(index) {
    this.#selected = index;
    this.#highlight("selected", index);
    this.#onSelect?.(this.#tokens[index] ?? null, index);
  }

  #highlight(name, index) {
    if (!CSS.highlights) {
      return; // an older browser
    }
    const ranges = CSS.highlights.get(name) ?? new Highlight();
    [...ranges].filter(range => this.element.contains(range.startContainer) || !range.startContainer.isConnected)
      .forEach(range => ranges.delete(range));
    const range = this.#range(index);
    if (range) {
      ranges.add(range);
    }
    CSS.highlights.set(name, ranges);
  }

  #range(index) {
    const token = this.#tokens[index];
    const run = token && this.#runAt(token.seq);
    if (!run) {
      return null;
    }
    let offset = 0;
    for (let i = index - (token.seq - run.from); i < index; i++) {
      offset += this.#tokens[i].text.length;
    }
    const end = Math.min(run.node.length, offset + token.text.length);
    if (offset >= end) {
      return null; // completes no character, or is not shown yet
    }
    const range = new Range();
    range.setStart(run.node, offset);
    range.setEnd(run.node, end);
    return range;
  }

  #runAt(seq) {
    let low = 0;
    let high = this.#runs.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#runs[middle].from <= seq) {
        low = middle;
      } else {
        high = middle - 1;
      }
    }
    return this.#runs[low];
  }

  #clicked(event) {
    const at = document.caretPositionFromPoint?.(event.clientX, event.clientY);
    const run = at && this.#runs.find(r => r.node === at.offsetNode);
    if (!run || !this.#onSelect) {
      return;
    }
    const first = run.from - this.#tokens[0].seq;
    let offset = at.offset;
    let index = first;
    while (index < first + run.count - 1 && offset >= this.#tokens[index].text.length) {
      offset -= this.#tokens[index++].text.length;
    }
    this.select(index);
  }

  #key(event) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step || !this.#onSelect || this.#tokens.length === 0) {
      return;
    }
    event.preventDefault();
    const from = this.#selected < 0 ? (step > 0 ? -1 : this.#tokens.length) : this.#selected;
    this.select(Math.max(0, Math.min(this.#tokens.length - 1, from + step)));
    this.#reveal();
  }

  #reveal() {
    const range = this.#range(this.#selected);
    if (range) {
      const box = this.element.getBoundingClientRect();
      const at = range.getBoundingClientRect();
      this.element.scrollTop += at.top < box.top ? at.top - box.top - 20 : at.bottom > box.bottom ? at.bottom - box.bottom + 20 : 0;
    }
  }
}
