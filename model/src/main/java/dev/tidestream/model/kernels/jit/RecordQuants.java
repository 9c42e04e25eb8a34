package dev.tidestream.model.kernels.jit;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

import dev.tidestream.model.kernels.jit.base.ActivationRecord;
import dev.tidestream.model.tensor.ActivationEncoding;
import dev.tidestream.model.tensor.Activations;
import dev.tidestream.model.tensor.WorkerTeam;

import static dev.tidestream.model.format.base.PanelLayout.BLOCK;

/**
 * Quantised activations as generated programs read them: {@link ActivationRecord}s in the order {@code (columns / 32, rows)},
 * made by a program. Programs take rows two at a time, so there is room for an even number of rows if there is more than one.
 */
final class RecordQuants implements ActivationEncoding {
    private final Activations x;
    private final GeneratedKernels maker;
    private final int blocks;
    private final MemorySegment records;

    RecordQuants(Activations x, GeneratedKernels maker) {
        this.x = x;
        this.maker = maker;
        this.blocks = x.columns() / BLOCK;
        long bytes = (long) even(x.maxRows()) * blocks * ActivationRecord.BYTES;
        this.records = Arena.ofAuto().allocate(bytes, ActivationRecord.BYTES);
    }

    @Override
    public void encode(WorkerTeam team) {
        if (x.rows() == 1) {
            encodeBlocks(0, blocks);
            return;
        }
        team.forEachRange(x.rows(), 1, (from, to) -> {
            for (int b = from; b < to; b++) {
                encode(b, 0, blocks);
            }
        });
    }

    @Override
    public void encodeBlocks(int fromBlock, int toBlock) {
        encode(0, fromBlock, toBlock);
    }

    private void encode(int b, int from, int to) {
        long stride = (long) even(x.rows()) * ActivationRecord.BYTES;
        maker.quantise(
                x.values(), b * x.columns() + from * BLOCK, x.leastMagnitude(b), records, recordAt(b, from), to - from, stride);
    }

    private long recordAt(int b, int block) {
        return ((long) block * even(x.rows()) + b) * ActivationRecord.BYTES;
    }

    /** Rows that there is room for in a block. */
    static int even(int rows) {
        return rows == 1 ? 1 : rows + (rows & 1);
    }

    /** All of them; an {@link Activations} that is reachable keeps them. */
    MemorySegment records() {
        return records;
    }

    @Override
    public int quant(int row, int column) {
        return records.get(ValueLayout.JAVA_BYTE, recordAt(row, column / BLOCK) + column % BLOCK);
    }

    @Override
    public float scale(int row, int block) {
        return records.get(ValueLayout.JAVA_FLOAT, recordAt(row, block) + ActivationRecord.SCALE);
    }
}
