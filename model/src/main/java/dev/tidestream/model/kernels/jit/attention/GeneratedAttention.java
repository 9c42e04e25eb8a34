package dev.tidestream.model.kernels.jit.attention;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.ref.Reference;
import java.util.Objects;
import java.util.Optional;

import dev.tidestream.model.kernels.jit.attention.AttentionPrograms.Program;
import dev.tidestream.model.tensor.AttentionShape;
import dev.tidestream.model.tensor.FloatExp;
import dev.tidestream.model.tensor.Kernels;
import dev.tidestream.model.tensor.KvHead;

import static dev.tidestream.model.kernels.jit.attention.AttentionMemory.FOUR;
import static dev.tidestream.model.kernels.jit.attention.AttentionMemory.GROUP_BYTES;
import static dev.tidestream.model.kernels.jit.attention.AttentionMemory.WEIGHTS_ROW_BYTES;

/**
 * {@link Kernels#attend} in machine code, for a tile of queries: those of the first row, then those of the next. This class is the
 * order of things; the arithmetic is in the programs of {@link AttentionEmitter} and {@link SoftmaxEmitter}. A position is seen by
 * consecutive queries of the tile: by all from some query on, or with a window up to some query.
 *
 * <p>Keys and values that are F16 become floats in the program that multiplies with them, or, where more than four queries are to be
 * served, once before.
 */
public final class GeneratedAttention {
    private static final int BLOCK = KvHead.BLOCK_POSITIONS;
    private static final int SEGMENT = Kernels.SEGMENT;
    private static final int PARTIALS = Kernels.PARTIALS;

    private final AttentionPrograms programs;

    private GeneratedAttention(AttentionPrograms programs) {
        this.programs = programs;
    }

    /**
     * None where the system has no memory for programs.
     *
     * @param wide with AVX-512
     */
    public static Optional<GeneratedAttention> assemble(boolean wide) {
        return AttentionPrograms.assemble(wide).map(GeneratedAttention::new);
    }

    /** As {@link Kernels#attend}. */
    public void attend(
            AttentionShape shape, KvHead head, float[] query, int queryOffset, float[] out, int outOffset, int rows, int positions) {
        if (rows < 1 || positions < 1 || head.headDim() != shape.headDim()) { // programs count down to 0
            throw new IllegalArgumentException("no such tile: rows=%d, positions=%d, headDim=%d, shape=%s"
                    .formatted(rows, positions, head.headDim(), shape));
        }
        Tile tile = new Tile(shape, head, rows, positions);
        tile.copyQueries(query, queryOffset);
        int last = positions + rows - 1;
        try {
            for (int from = shape.firstSeen(positions) / SEGMENT * SEGMENT; from < last; from += SEGMENT) {
                tile.segment(from, Math.min(last, from + SEGMENT));
            }
        } finally {
            Reference.reachabilityFence(head); // whose blocks were addresses
        }
        tile.finish(out, outOffset);
    }

    /** One call of {@link #attend}. */
    private final class Tile {
        private final AttentionShape shape;
        private final KvHead head;
        private final int positions;
        private final int group;
        private final int queries;
        private int past; // those that see something of the open segment
        private final int lastBlock; // its first position
        private final int laneGroups; // of a value
        private final boolean halves;
        private final AttentionMemory memory;
        private final Values ofBlock = new Values();

        Tile(AttentionShape shape, KvHead head, int rows, int positions) {
            this.shape = shape;
            this.head = head;
            this.positions = positions;
            this.group = shape.group();
            this.queries = rows * group;
            this.past = queries;
            this.lastBlock = (positions + rows - 2) / BLOCK * BLOCK;
            this.laneGroups = head.paddedDim() / BLOCK;
            this.halves = switch (head.type()) {
                case F16 -> true;
                case F32 -> false;
            };
            this.memory = AttentionMemory.ofThread(queries, head.headDim(), head.paddedDim());
            memory.set(AttentionMemory.HEAD_DIM, (long) head.headDim());
            memory.set(AttentionMemory.QUERY_BYTES, (long) head.headDim() * Float.BYTES);
        }

        void copyQueries(float[] query, int offset) {
            for (int i = 0; i < queries; i++) {
                MemorySegment.copy(query, shape.queryAt(offset, i), memory.queries, ValueLayout.JAVA_FLOAT,
                        (long) i * head.headDim() * Float.BYTES, head.headDim());
            }
        }

        void segment(int from, int end) {
            past = pastThoseThatSee(end);
            int begin = Math.max(from, firstSeen(firstThatSees(from))); // nobody sees what is before
            int firstBlock = begin / BLOCK * BLOCK;
            for (int t = firstBlock; t < end; t += BLOCK) {
                memory.set(AttentionMemory.NEXT,
                        t + BLOCK < end ? address(t + BLOCK, head.keyOffset()) : address(firstBlock, head.valueOffset()));
                scores(t, t - from);
            }
            softmax(from);
            clearFresh(from);
            for (int t = firstBlock; t < end; t += BLOCK) {
                int next = Math.min(t + BLOCK, lastBlock);
                memory.set(AttentionMemory.NEXT, address(next, next < end ? head.valueOffset() : head.keyOffset()));
                values(t, t - from);
            }
            join(from);
        }

        /** The first query that sees this position, or would without a window. */
        private int firstThatSees(int position) {
            return Math.max(0, position + 1 - positions) * group;
        }

        /** The number of queries whose window begins before this position: those are the first ones. */
        private int pastThoseThatSee(int position) {
            int end = queries;
            while (firstSeen(end - 1) >= position) {
                end -= group;
            }
            return end;
        }

        /** Where what a query sees begins. */
        private int firstSeen(int query) {
            return shape.firstSeen(positions + query / group);
        }

        /** Positions of a run from {@code from} on that a query does not see, being before its window; not more than some. */
        private int unseen(int query, int from, int most) {
            return Math.clamp(firstSeen(query) - from, 0, most);
        }

        /** Positions of a run of some from {@code from} on that a query sees. */
        private int seen(int query, int from, int most) {
            return Math.clamp(positions + query / group - from, 0, most);
        }

        /** Scores of a block. Beyond what a query sees they are made of whatever is there, and not used. */
        private void scores(int t, int column) {
            int first = firstThatSees(t) / FOUR;
            int fours = Math.ceilDiv(past, FOUR);
            if (first >= fours) {
                return; // windows begin later
            }
            long keys = block(t, head.keyOffset(), KvHead.keyBytes(head.headDim(), head.type()));
            boolean unpacked = halves && fours - first > 1;
            memory.set(AttentionMemory.SOURCE, unpacked ? unpack(keys, head.headDim()) : keys);
            memory.set(AttentionMemory.QUERY, memory.queries.address() + (long) first * FOUR * head.headDim() * Float.BYTES);
            memory.set(AttentionMemory.WEIGHTS, weights(first * FOUR, column));
            memory.set(AttentionMemory.FOURS, (long) fours - first);
            memory.set(AttentionMemory.SCALE, shape.scale());
            run(unpacked ? Program.SCORES_UNPACKED : halves ? Program.SCORES_HALVES : Program.SCORES_FLOATS);
        }

        private long block(int t, long at, long bytes) {
            return address(t, Objects.checkFromIndexSize(at, bytes, head.blocks()[t / BLOCK].byteSize()));
        }

        private long address(int t, long at) {
            return head.blocks()[t / BLOCK].address() + at;
        }

        /** Groups of 32 halves to the tile. */
        private long unpack(long source, int groups) {
            memory.set(AttentionMemory.SOURCE, source);
            memory.set(AttentionMemory.TO, memory.tile.address());
            memory.set(AttentionMemory.GROUPS, (long) groups);
            run(Program.UNPACK);
            return memory.tile.address();
        }

        private long weights(int query, int column) {
            return memory.weights.address() + (long) query * WEIGHTS_ROW_BYTES + (long) column * Float.BYTES;
        }

        /** Rows that see equally much of the segment go together. */
        private void softmax(int from) {
            for (int i = firstThatSees(from); i < past; ) {
                int start = unseen(i, from, SEGMENT);
                int count = seen(i, from, SEGMENT);
                int end = i + group;
                while (end < past && seen(end, from, SEGMENT) == count && unseen(end, from, SEGMENT) == start) {
                    end += group;
                }
                softmax(i, end, start, count);
                i = end;
            }
        }

        /** Of positions {@code start <= t < count}. Programs take whole groups: others in these have no effect on what is left. */
        private void softmax(int first, int end, int start, int count) {
            int firstGroup = start / PARTIALS;
            int groups = Math.ceilDiv(count, PARTIALS);
            memory.set(AttentionMemory.WEIGHTS, weights(first, firstGroup * PARTIALS));
            memory.set(AttentionMemory.GROUPS, (long) groups - firstGroup);
            memory.set(AttentionMemory.QUERIES, (long) end - first);
            memory.set(AttentionMemory.TO, memory.results.address());
            if (shape.softcap() != 0) {
                memory.set(AttentionMemory.SCALE, 2f / shape.softcap());
                memory.set(AttentionMemory.CAP, shape.softcap());
                memory.set(AttentionMemory.TWICE_CAP, 2f * shape.softcap());
                run(Program.SOFTCAP);
            }
            for (int i = first; i < end; i++) {
                fill(i, firstGroup * PARTIALS, start);
                fill(i, count, groups * PARTIALS);
            }
            run(Program.SOFTMAX);
            for (int i = first; i < end; i++) {
                long result = (long) (i - first) * AttentionMemory.RESULT_BYTES;
                memory.freshMax[i] = memory.results.get(ValueLayout.JAVA_FLOAT, result);
                memory.freshSum[i] = sum(i, start, count, result + AttentionMemory.PARTIAL_SUMS);
            }
        }

        /** Scores that do not count. */
        private void fill(int query, int from, int to) {
            for (int t = from; t < to; t++) {
                memory.weights.set(ValueLayout.JAVA_FLOAT, AttentionMemory.weightAt(query, t), Float.NEGATIVE_INFINITY);
            }
        }

        /** Of the weights of a query: 16 sums, the last weights added to theirs, in order. */
        private float sum(int query, int start, int count, long partialSums) {
            int last = (count - 1) / PARTIALS * PARTIALS;
            float sum = 0f;
            for (int lane = 0; lane < PARTIALS; lane++) {
                float partial = lane < start % PARTIALS
                        ? laterWeights(query, start / PARTIALS * PARTIALS + PARTIALS + lane, last) // in its first group nothing counts
                        : memory.results.get(ValueLayout.JAVA_FLOAT, partialSums + (long) lane * Float.BYTES);
                boolean counts = last + lane >= start && last + lane < count;
                sum += counts ? partial + memory.weights.get(ValueLayout.JAVA_FLOAT, AttentionMemory.weightAt(query, last + lane)) : partial;
            }
            return sum;
        }

        /** The sum of one weight of each group, but for the last. */
        private float laterWeights(int query, int from, int last) {
            float sum = 0f;
            for (int t = from; t < last; t += PARTIALS) {
                sum += memory.weights.get(ValueLayout.JAVA_FLOAT, AttentionMemory.weightAt(query, t));
            }
            return sum;
        }

        private void clearFresh(int from) {
            long at = sumAt(firstThatSees(from) / FOUR * FOUR);
            memory.fresh.asSlice(at, (long) Math.ceilDiv(past, FOUR) * fourBytes() - at).fill((byte) 0);
        }

        private long fourBytes() {
            return (long) FOUR * laneGroups * GROUP_BYTES;
        }

        /** Where the sums of a query begin. */
        private long sumAt(int query) {
            return query / FOUR * fourBytes() + (long) (query % FOUR) * GROUP_BYTES;
        }

        /** Adds the weighted values of a block. */
        private void values(int t, int column) {
            int first = firstThatSees(t) / FOUR;
            int fours = Math.ceilDiv(past, FOUR);
            if (first >= fours) {
                return; // windows begin later
            }
            long values = block(t, head.valueOffset(), KvHead.valueBytes(head.headDim(), head.type()));
            boolean unpacked = halves && fours - first > 1;
            ofBlock.begin(unpacked ? unpack(values, laneGroups * BLOCK) : values, halves && !unpacked, column);
            for (int four = first; four < fours; ) {
                int whole = four;
                while (whole < fours && seesAll(whole, t)) {
                    whole++;
                }
                ofBlock.add(four * FOUR, FOUR, whole - four, 0, BLOCK);
                if (whole < fours) {
                    valuesOfFour(whole, t);
                }
                four = whole + 1;
            }
        }

        private int lastOf(int four) {
            return Math.min(queries, (four + 1) * FOUR) - 1;
        }

        private boolean seesAll(int four, int t) {
            return seen(four * FOUR, t, BLOCK) == BLOCK && unseen(lastOf(four), t, BLOCK) == 0;
        }

        /** Four queries, of which some do not see all of the block. */
        private void valuesOfFour(int four, int t) {
            boolean allFromTheFirst = unseen(lastOf(four), t, BLOCK) == 0;
            int common = allFromTheFirst ? seen(four * FOUR, t, BLOCK) : 0;
            ofBlock.add(four * FOUR, FOUR, 1, 0, common);
            for (int i = four * FOUR; i <= lastOf(four); i++) { // queries of a later row see more behind, and less before
                ofBlock.add(i, 1, 1, Math.max(common, unseen(i, t, BLOCK)), seen(i, t, BLOCK));
            }
        }

        /** The values of one block after the other. */
        private final class Values {
            private long source;
            private boolean packed;
            private int column;
            private long rowBytes;

            /** Those of the next block lie at an address, as F16 or F32; their weights begin at a column. */
            void begin(long address, boolean f16, int ofWeights) {
                source = address;
                packed = f16;
                column = ofWeights;
                rowBytes = (long) head.paddedDim() * (packed ? Short.BYTES : Float.BYTES);
                memory.set(AttentionMemory.ROW_BYTES, rowBytes);
                memory.set(AttentionMemory.GROUPS, (long) laneGroups);
            }

            /** Positions {@code from <= t < to}, for some times four queries, or for one. */
            void add(int query, int together, int times, int from, int to) {
                if (from >= to || times == 0) {
                    return;
                }
                memory.set(AttentionMemory.SOURCE, source + from * rowBytes);
                memory.set(AttentionMemory.WEIGHTS, weights(query, column + from));
                memory.set(AttentionMemory.SUMS, memory.fresh.address() + sumAt(query));
                memory.set(AttentionMemory.COUNT, (long) to - from);
                memory.set(AttentionMemory.FOURS, (long) times);
                run(together == FOUR
                        ? packed ? Program.VALUES_HALVES : Program.VALUES_FLOATS
                        : packed ? Program.VALUE_HALVES : Program.VALUE_FLOATS);
            }
        }

        private void join(int from) {
            if (from == 0 && past == queries) { // the first segment of all
                System.arraycopy(memory.freshMax, 0, memory.max, 0, queries);
                System.arraycopy(memory.freshSum, 0, memory.sum, 0, queries);
                MemorySegment.copy(memory.fresh, 0, memory.values, 0, Math.ceilDiv(queries, FOUR) * fourBytes());
                return;
            }
            memory.set(AttentionMemory.GROUPS, (long) laneGroups);
            for (int i = firstThatSees(from); i < past; i++) {
                if (firstSeen(i) >= from) { // its first segment
                    begin(i);
                    continue;
                }
                float max = Math.max(memory.max[i], memory.freshMax[i]);
                float old = FloatExp.exp(memory.max[i] - max);
                float fresh = FloatExp.exp(memory.freshMax[i] - max);
                memory.set(AttentionMemory.SUMS, memory.values.address() + sumAt(i));
                memory.set(AttentionMemory.SOURCE, memory.fresh.address() + sumAt(i));
                memory.set(AttentionMemory.SCALE, old);
                memory.set(AttentionMemory.OTHER_SCALE, fresh);
                run(Program.JOIN);
                memory.sum[i] = Math.fma(memory.freshSum[i], fresh, memory.sum[i] * old);
                memory.max[i] = max;
            }
        }

        private void begin(int query) {
            memory.max[query] = memory.freshMax[query];
            memory.sum[query] = memory.freshSum[query];
            for (int g = 0; g < laneGroups; g++) {
                long at = sumAt(query) + (long) g * FOUR * GROUP_BYTES;
                MemorySegment.copy(memory.fresh, at, memory.values, at, GROUP_BYTES);
            }
        }

        void finish(float[] out, int offset) {
            memory.set(AttentionMemory.GROUPS, (long) laneGroups);
            memory.set(AttentionMemory.TO, memory.results.address());
            for (int i = 0; i < queries; i++) {
                memory.set(AttentionMemory.SUMS, memory.values.address() + sumAt(i));
                memory.set(AttentionMemory.SCALE, 1f / memory.sum[i]);
                run(halves ? Program.FINISH_PAIRS : Program.FINISH);
                MemorySegment.copy(memory.results, ValueLayout.JAVA_FLOAT, 0, out, shape.outputAt(offset, i), head.headDim());
            }
        }

        private void run(Program program) {
            programs.run(program, memory.arguments());
        }
    }
}
