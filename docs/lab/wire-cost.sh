#!/usr/bin/env bash
# What the wires cost: decode of the model alone (bench), and through the server over WebSocket and over server-sent events, at 1, 4 and 16
# streams; llama.cpp beside it, if its programs are there. Rounds in turn, medians; nothing else should run on the machine.
#
#   docs/lab/wire-cost.sh MODEL.gguf [FOLDER of llama-server and llama-batched-bench]
#
# A 1B model: java model/src/test/java/dev/tidestream/model/tools/RandomModelFile.java out=model.gguf format=q4_0
# Environment, with defaults: ROUNDS=3 STREAMS="1 4 16" TOKENS=256 THREADS=2, TIDESTREAM=./tidestream, LOADTEST="$TIDESTREAM loadtest",
# WIRES="websocket completions" (also chat, responses, responses-ws: they need a model with a tokenizer for words, and get a chat template).
#
# All streams of a run begin together and have TOKENS tokens, greedy, after 16 tokens of prompt: so they decode in step, and the rate is the
# number of streams times the median of their own rates after the first token (loadtest: stream_tokens_per_s). Prefill is in none of the figures.
set -euo pipefail

[ $# -ge 1 ] || { sed -n '2,14s/^# \{0,1\}//p' "$0" >&2; exit 2; }
model=$1 llama=${2:-}
rounds=${ROUNDS:-3} streams=${STREAMS:-1 4 16} tokens=${TOKENS:-256} threads=${THREADS:-2}
tidestream=${TIDESTREAM:-$(cd "$(dirname "$0")/../.." && pwd)/tidestream}
loadtest=${LOADTEST:-$tidestream loadtest}
wires=${WIRES:-websocket completions}
prompt=16 most=0
for n in $streams; do [ "$n" -le $most ] || most=$n; done
[ -f "$model" ] || { echo "no such file: $model" >&2; exit 1; }

work=$(mktemp -d)
pids=()
cleanup() {
    for pid in ${pids[@]+"${pids[@]}"}; do
        kill "$pid" 2>/dev/null && wait "$pid" 2>/dev/null || true
    done
    rm -rf "$work"
}
trap cleanup EXIT

free_port() {
    local port
    while :; do
        port=$((20000 + RANDOM % 12000))
        (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { echo $port; return; }
    done
}

# await PID FILE PATTERN: until a line of the file matches
await() {
    local i
    for i in $(seq 600); do
        grep -qE "$3" "$2" 2>/dev/null && return
        kill -0 "$1" 2>/dev/null || { tail -n 20 "$2" >&2; exit 1; }
        sleep 0.5
    done
    echo "not ready after 300 s: $2" >&2
    exit 1
}

# Figures are lines: NAME STREAMS TOKENS_PER_S
figures=$work/figures
note() { printf '%s %s %s\n' "$1" "$2" "$3" | tee -a "$figures" >&2; }

# through NAME URL WIRE STREAMS
through() {
    local target=(--target openai --api "$3" --url "$2")
    [ "$3" != websocket ] || target=(--url "$2")
    # shellcheck disable=SC2086 # words
    $loadtest "${target[@]}" --requests "$4" --concurrency "$4" --warmup 0s --prompt-tokens $prompt --output-tokens "$tokens" --temperature 0 \
        --json >"$work/report.json"
    note "$1" "$4" "$(awk -F '[:,]' -v n="$4" '/"stream_tokens_per_s"/ { print n * $2; exit }' "$work/report.json")"
}

cat >"$work/chat.jinja" <<'JINJA'
{% for message in messages %}{{ message.content }} {% endfor %}
JINJA
mkdir "$work/packed"
# shellcheck disable=SC2086
$tidestream serve -m "$model" --port 0 --threads "$threads" --max-sequences "$most" --cache-packed "$work/packed" --chat-template "$work/chat.jinja" \
    >"$work/ours.log" 2>&1 &
pids+=($!)
await $! "$work/ours.log" 'ready on ws://'
ours=$(grep -oE 'ready on ws://[^ ]+' "$work/ours.log" | tail -n 1 | cut -d' ' -f3)
base=${ours/ws:/http:}
base=${base%/v1/stream}
if [ -n "$llama" ]; then
    port=$(free_port)
    "$llama/llama-server" -m "$model" -t "$threads" -np "$most" -c $((most * (prompt + tokens + 16))) --host 127.0.0.1 --port "$port" >"$work/llama.log" 2>&1 &
    pids+=($!)
    await $! "$work/llama.log" 'listening on|server is listening|all slots are idle'
fi

url_of() { [ "$1" = websocket ] && echo "$ours" || echo "$base"; }

for wire in $wires; do # the compilers of the JVM come first
    through warm-up "$(url_of "$wire")" "$wire" "$most"
done
: >"$figures"
for round in $(seq "$rounds"); do
    echo "round $round of $rounds" >&2
    # shellcheck disable=SC2086
    $tidestream bench -m "$model" --prompt-tokens $prompt --gen-tokens "$tokens" --threads "$threads" --batch "${streams// /,}" --repeat 1 --json \
        --cache-packed "$work/packed" >"$work/bench.jsonl"
    while read -r n rate; do
        note bench "$n" "$rate"
    done < <(awk -F '[:,]' '/"decode"/ { for (i = 1; i < NF; i++) { if ($i ~ /"batch"/) n = $(i + 1); if ($i ~ /"tokens_per_s"/) rate = $(i + 1) }; print n, rate }' "$work/bench.jsonl")
    for n in $streams; do
        for wire in $wires; do
            through "$wire" "$(url_of "$wire")" "$wire" "$n"
        done
    done
    [ -n "$llama" ] || continue
    "$llama/llama-batched-bench" -m "$model" -t "$threads" -c $((most * (prompt + tokens + 16))) -npp $prompt -ntg "$tokens" -npl "${streams// /,}" \
        --output-format jsonl >"$work/llama-bench.jsonl" 2>/dev/null
    while read -r n rate; do
        note llama-bench "$n" "$rate"
    done < <(awk -F '[:,]' '/speed_tg/ { for (i = 1; i < NF; i++) { if ($i ~ /"pl"/) n = $(i + 1); if ($i ~ /"speed_tg"/) rate = $(i + 1) }; print n + 0, rate + 0 }' "$work/llama-bench.jsonl")
    for n in $streams; do
        through llama-completions "http://127.0.0.1:$port" completions "$n"
    done
done

median() { awk -v name="$1" -v n="$2" '$1 == name && $2 == n { print $3 }' "$figures" | sort -g | awk '{ v[NR] = $1 } END { if (NR) print (v[int((NR + 1) / 2)] + v[int(NR / 2) + 1]) / 2 }'; }

# row NAME YARDSTICK
row() {
    local n line="| $1 |"
    for n in $streams; do
        line+=$(awk -v a="$(median "$1" "$n")" -v b="$(median "$2" "$n")" 'BEGIN { printf " %.1f, %.3f |", a, (b > 0 ? a / b : 0) }')
    done
    echo "$line"
}

echo "tokens/s of all streams together, and the share of what the model alone does; medians of $rounds"
echo
printf '| | %s |\n' "${streams// / | }"
printf '|---%s|\n' "$(for n in $streams; do printf '|---'; done)"
row bench bench
for wire in $wires; do
    row "$wire" bench
done
if [ -n "$llama" ]; then
    row llama-bench llama-bench
    row llama-completions llama-bench
fi
echo
echo "all figures: $(tr '\n' ';' <"$figures")"
