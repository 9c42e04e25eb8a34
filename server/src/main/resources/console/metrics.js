// The Prometheus text of /metrics, as far as the console wants it.
import { url } from "./access.js";

const LINE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)/;

/** All samples of these families: name -> [{labels, value}]. */
export async function scrape() {
  const response = await fetch(url("metrics"), { cache: "no-store" });
  if (!response.ok) {
    throw new Error(`/metrics: HTTP ${response.status}`);
  }
  const families = new Map();
  for (const line of (await response.text()).split("\n")) {
    const match = line.startsWith("tidestream_") ? LINE.exec(line) : null;
    if (match) {
      const [, name, labels, value] = match;
      (families.get(name) ?? families.set(name, []).get(name)).push({ labels: labels ?? "", value: Number(value) });
    }
  }
  return families;
}

export function gauge(families, name) {
  return families.get("tidestream_" + name)?.reduce((sum, sample) => sum + sample.value, 0) ?? NaN;
}

/** Counts of a histogram by upper bounds, cumulative: [[bound, count], …]. */
export function buckets(families, name) {
  return (families.get(`tidestream_${name}_bucket`) ?? []).map(({ labels, value }) => {
    const bound = /le="([^"]+)"/.exec(labels)[1];
    return [bound === "+Inf" ? Infinity : Number(bound), value];
  }).sort((a, b) => a[0] - b[0]);
}

/** A quantile of what has come between two scrapes, as Prometheus computes it; NaN if nothing has. */
export function quantile(q, now, before) {
  const earlier = new Map(before);
  const counts = now.map(([bound, count]) => [bound, count - (earlier.get(bound) ?? 0)]);
  const all = counts.at(-1)?.[1] ?? 0;
  if (!(all > 0)) {
    return NaN;
  }
  const rank = q * all;
  let lower = 0;
  let below = 0;
  for (const [bound, count] of counts) {
    if (count >= rank) {
      return bound === Infinity ? lower : lower + (bound - lower) * (rank - below) / Math.max(count - below, 1e-9);
    }
    lower = bound;
    below = count;
  }
  return lower;
}
