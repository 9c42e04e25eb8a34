package dev.tidestream.model.kernels.jit;

import java.io.ByteArrayOutputStream;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BiConsumer;
import java.util.function.Function;

import org.jspecify.annotations.Nullable;

import dev.tidestream.model.kernels.jit.avx2.FloatCode;
import dev.tidestream.model.kernels.jit.avx2.FloatCodeQ40;
import dev.tidestream.model.kernels.jit.avx2.FloatCodeQ6K;
import dev.tidestream.model.kernels.jit.avx2.FloatCodeQ80;
import dev.tidestream.model.kernels.jit.avx2.FloatWriter;
import dev.tidestream.model.kernels.jit.avx2.MachineWriter;
import dev.tidestream.model.kernels.jit.avx2.PlainWriter;
import dev.tidestream.model.kernels.jit.avx2.QuadCode;
import dev.tidestream.model.kernels.jit.avx2.QuadCodeQ40;
import dev.tidestream.model.kernels.jit.avx2.QuadCodeQ4K;
import dev.tidestream.model.kernels.jit.avx2.QuadCodeQ5K;
import dev.tidestream.model.kernels.jit.avx2.QuadCodeQ6K;
import dev.tidestream.model.kernels.jit.avx2.QuadCodeQ80;
import dev.tidestream.model.kernels.jit.avx2.RecordWriter;
import dev.tidestream.model.kernels.jit.avx512.WideCode;
import dev.tidestream.model.kernels.jit.avx512.WideCodeQ40;
import dev.tidestream.model.kernels.jit.avx512.WideCodeQ4K;
import dev.tidestream.model.kernels.jit.avx512.WideCodeQ5K;
import dev.tidestream.model.kernels.jit.avx512.WideCodeQ6K;
import dev.tidestream.model.kernels.jit.avx512.WideCodeQ80;
import dev.tidestream.model.kernels.jit.avx512.WideFloatWriter;
import dev.tidestream.model.kernels.jit.avx512.WideWriter;
import dev.tidestream.model.kernels.jit.base.Lanes;
import dev.tidestream.model.kernels.jit.chain.ChainCode;
import dev.tidestream.model.kernels.jit.chain.ChainCodeQ4K;
import dev.tidestream.model.kernels.jit.chain.ChainCodeQ5K;
import dev.tidestream.model.kernels.jit.chain.ChainWriter;
import dev.tidestream.model.kernels.jit.chain.PlainRowsWriter;
import dev.tidestream.model.machine.Assembler;
import dev.tidestream.model.machine.ExecutableMemory;
import dev.tidestream.model.tensor.TensorFormat;

/** The programs that {@link MachineKernels} calls, written once. */
final class MachinePrograms {
    private static final int LINE_BYTES = 64; // of the cache

    /** What a program multiplies with: one row of codes or some, one row of floats or a multiple of {@link #floatRows}. */
    enum Kind { ROW, ROWS, FLOAT_ROW, FLOAT_ROWS }

    private record Program(TensorFormat format, Kind kind, byte[] code) {}

    private final Map<TensorFormat, Map<Kind, MemorySegment>> places = new EnumMap<>(TensorFormat.class);

    private final int floatRows;
    private final MemorySegment quantiser;

    private MachinePrograms(List<Program> written, MemorySegment memory, int floatRows) {
        this.floatRows = floatRows;
        long offset = 0;
        for (Program program : written) {
            places.computeIfAbsent(program.format(), format -> new EnumMap<>(Kind.class))
                    .put(program.kind(), memory.asSlice(offset, program.code().length));
            offset += program.code().length;
        }
        quantiser = memory.asSlice(offset);
    }

    /**
     * All programs in one piece of memory: all, or none where the system has no such memory.
     *
     * @param wide with AVX-512
     */
    static Optional<MachinePrograms> assemble(boolean wide) {
        List<Program> written = new ArrayList<>();
        for (TensorFormat format : TensorFormat.values()) {
            addChains(written, format, wide);
            if (!format.quantised()) {
                written.add(program(format, Kind.FLOAT_ROW, code -> format, PlainWriter::writeRow));
                written.add(program(format, Kind.FLOAT_ROWS, code -> new Lanes(code, wide), (_, lanes) -> PlainRowsWriter.write(lanes, format)));
            } else if (wide) {
                addWide(written, format);
            } else {
                addNarrow(written, format);
            }
        }
        Assembler quantiser = new Assembler();
        RecordWriter.write(quantiser);
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        written.forEach(program -> all.writeBytes(program.code()));
        all.writeBytes(quantiser.toByteArray());
        return ExecutableMemory.of(all.toByteArray()).map(memory -> new MachinePrograms(written, memory, wide ? 4 : 2));
    }

    /** Of one chain for all columns; narrow ones, too. */
    private static void addChains(List<Program> written, TensorFormat format, boolean wide) {
        chains(format).ifPresent(weights -> {
            written.add(program(format, Kind.FLOAT_ROW, code -> weights.apply(new Lanes(code, wide)), (_, chain) -> ChainWriter.writeRow(chain)));
            written.add(program(format, Kind.FLOAT_ROWS, code -> weights.apply(new Lanes(code, wide)), (_, chain) -> ChainWriter.writeBatch(chain)));
        });
    }

    private static Optional<Function<Lanes, ChainCode>> chains(TensorFormat format) {
        return switch (format) {
            case Q4_K -> Optional.of(ChainCodeQ4K::new);
            case Q5_K -> Optional.of(ChainCodeQ5K::new);
            case F32, F16, BF16, Q4_0, Q8_0, Q6_K -> Optional.empty();
        };
    }

    private static void addNarrow(List<Program> written, TensorFormat format) {
        quads(format).ifPresent(weights -> {
            written.add(program(format, Kind.ROW, weights, MachineWriter::writeRow));
            written.add(program(format, Kind.ROWS, weights, MachineWriter::writeBatch));
        });
        floats(format).ifPresent(weights -> {
            written.add(program(format, Kind.FLOAT_ROW, weights, FloatWriter::writeRow));
            written.add(program(format, Kind.FLOAT_ROWS, weights, FloatWriter::writeBatch));
        });
    }

    private static void addWide(List<Program> written, TensorFormat format) {
        wide(format).ifPresent(weights -> {
            written.add(program(format, Kind.ROW, weights, WideWriter::writeRow));
            written.add(program(format, Kind.ROWS, weights, WideWriter::writeBatch));
            if (weights.apply(new Assembler()).pairs() > 0) {
                written.add(program(format, Kind.FLOAT_ROW, weights, WideFloatWriter::writeRow));
                written.add(program(format, Kind.FLOAT_ROWS, weights, WideFloatWriter::writeBatch));
            }
        });
    }

    /** Its length a multiple of a line of the cache. */
    private static <T> Program program(
            TensorFormat format, Kind kind, Function<Assembler, T> weights, BiConsumer<Assembler, T> writer) {
        Assembler code = new Assembler();
        writer.accept(code, weights.apply(code));
        byte[] bytes = code.toByteArray();
        return new Program(format, kind, Arrays.copyOf(bytes, Math.ceilDiv(bytes.length, LINE_BYTES) * LINE_BYTES));
    }

    private static Optional<Function<Assembler, QuadCode>> quads(TensorFormat format) {
        return switch (format) {
            case Q4_0 -> Optional.of(QuadCodeQ40::new);
            case Q8_0 -> Optional.of(QuadCodeQ80::new);
            case Q4_K -> Optional.of(QuadCodeQ4K::new);
            case Q5_K -> Optional.of(QuadCodeQ5K::new);
            case Q6_K -> Optional.of(QuadCodeQ6K::new);
            case F32, F16, BF16 -> Optional.empty();
        };
    }

    private static Optional<Function<Assembler, FloatCode>> floats(TensorFormat format) {
        return switch (format) {
            case Q4_0 -> Optional.of(FloatCodeQ40::new);
            case Q8_0 -> Optional.of(FloatCodeQ80::new);
            case Q6_K -> Optional.of(FloatCodeQ6K::new);
            case F32, F16, BF16, Q4_K, Q5_K -> Optional.empty();
        };
    }

    private static Optional<Function<Assembler, WideCode>> wide(TensorFormat format) {
        return switch (format) {
            case Q4_0 -> Optional.of(WideCodeQ40::new);
            case Q8_0 -> Optional.of(WideCodeQ80::new);
            case Q4_K -> Optional.of(WideCodeQ4K::new);
            case Q5_K -> Optional.of(WideCodeQ5K::new);
            case Q6_K -> Optional.of(WideCodeQ6K::new);
            case F32, F16, BF16 -> Optional.empty();
        };
    }

    /** Null if there is none. */
    @Nullable
    MemorySegment find(TensorFormat format, Kind kind) {
        return places.getOrDefault(format, Map.of()).get(kind);
    }

    /** Makes records of codes, see {@link RecordWriter}. */
    MemorySegment quantiser() {
        return quantiser;
    }

    /** Rows of floats that a program takes at a time. */
    int floatRows() {
        return floatRows;
    }
}
