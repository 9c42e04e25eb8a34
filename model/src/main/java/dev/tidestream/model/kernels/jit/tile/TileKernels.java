package dev.tidestream.model.kernels.jit.tile;

import java.io.ByteArrayOutputStream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Consumer;

import dev.tidestream.model.format.base.QuantFormat;
import dev.tidestream.model.kernels.jit.base.ActivationRecord;
import dev.tidestream.model.kernels.jit.base.NativeCall;
import dev.tidestream.model.machine.Assembler;
import dev.tidestream.model.machine.ExecutableMemory;
import dev.tidestream.model.tensor.Activations;
import dev.tidestream.model.tensor.Kernels;
import dev.tidestream.model.tensor.PanelMatrix;

import static dev.tidestream.model.format.base.PanelLayout.BLOCK;
import static dev.tidestream.model.format.base.PanelLayout.ROWS;

/**
 * Products with a format that has no recipe of its own: it unpacks 32 columns of a panel ({@link QuantFormat#tile}), and a kernel
 * of {@link TileEmitter} multiplies them with all rows of activations. Any thread.
 */
public final class TileKernels {
    private static final int LINE_BYTES = 64; // of the cache
    private static final ThreadLocal<TileScratch> SCRATCH = ThreadLocal.withInitial(TileScratch::new);

    private final Map<TileKind, MemorySegment> kernels = new EnumMap<>(TileKind.class);

    private TileKernels(Map<TileKind, Long> places, MemorySegment memory) {
        places.forEach((kind, place) -> kernels.put(kind, memory.asSlice(place)));
    }

    /** None where the system has no memory for code. */
    public static Optional<TileKernels> assemble() {
        Map<TileKind, Long> places = new EnumMap<>(TileKind.class);
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        for (TileKind kind : TileKind.values()) {
            Assembler code = new Assembler();
            TileEmitter.write(code, kind);
            places.put(kind, (long) all.size());
            byte[] bytes = code.toByteArray();
            all.writeBytes(Arrays.copyOf(bytes, Math.ceilDiv(bytes.length, LINE_BYTES) * LINE_BYTES));
        }
        return ExecutableMemory.of(all.toByteArray()).map(memory -> new TileKernels(places, memory));
    }

    /** What {@link #assemble} writes: name and code, in the order in which kernels lie in memory. */
    public static Map<String, Consumer<Assembler>> sources() {
        Map<String, Consumer<Assembler>> sources = new LinkedHashMap<>();
        for (TileKind kind : TileKind.values()) {
            sources.put(kind.name(), code -> TileEmitter.write(code, kind));
        }
        return sources;
    }

    /**
     * Arguments as in {@link Kernels#multiply}, checked before.
     *
     * @param w in a quantised format
     * @param records address of the {@link ActivationRecord}s of x, (columns / 32, rows); 0 for float activations
     * @param recordRows rows that there are records for, in each block
     */
    public void multiply(
            PanelMatrix w, Activations x, long records, int recordRows, float[] out, int outStride, int outOffset,
            int fromPanel, int toPanel) {
        QuantFormat format = w.format().quants();
        MemorySegment kernel = Objects.requireNonNull(kernels.get(TileKind.of(format.rounding(), records != 0)));
        MemorySegment values = MemorySegment.ofArray(x.values());
        TileScratch scratch = SCRATCH.get();
        scratch.set(TileScratch.VALUES_STRIDE, (long) x.columns() * Float.BYTES);
        for (int panel = fromPanel; panel < toPanel; panel++) {
            MemorySegment sums = scratch.clearedSums(x.rows());
            for (int k = 0; k < w.columns(); k += BLOCK) {
                long unit = w.panelOffset(panel) + format.shape().unitOf(k);
                format.tile(w.panelData(), unit, k % format.shape().columns() / BLOCK, scratch.block());
                scratch.takeScales();
                scratch.set(TileScratch.VALUES_OFFSET, (long) k * Float.BYTES);
                scratch.set(TileScratch.RECORDS, records + (long) k / BLOCK * recordRows * ActivationRecord.BYTES);
                NativeCall.run(kernel, scratch.memory(), scratch.quants(), values);
            }
            for (int b = 0; b < x.rows(); b++) {
                int to = outOffset + b * outStride + panel * ROWS;
                for (int i = 0; i < ROWS; i++) {
                    int row = TileEmitter.ROW_OF[i];
                    if (row < w.rowsOf(panel)) {
                        out[to + row] = sums.get(ValueLayout.JAVA_FLOAT, ((long) b * ROWS + i) * Float.BYTES);
                    }
                }
            }
        }
    }
}
