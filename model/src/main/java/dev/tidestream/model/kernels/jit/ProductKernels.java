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
import java.util.function.Consumer;
import java.util.function.Function;

import org.jspecify.annotations.Nullable;

import dev.tidestream.model.format.TensorFormat;
import dev.tidestream.model.kernels.jit.avx2.FloatEmitter;
import dev.tidestream.model.kernels.jit.avx2.Int8Emitter;
import dev.tidestream.model.kernels.jit.avx2.PlainEmitter;
import dev.tidestream.model.kernels.jit.avx2.RecordEmitter;
import dev.tidestream.model.kernels.jit.avx512.WideFloatEmitter;
import dev.tidestream.model.kernels.jit.avx512.WideInt8Emitter;
import dev.tidestream.model.kernels.jit.base.Lanes;
import dev.tidestream.model.kernels.jit.chain.ChainCode;
import dev.tidestream.model.kernels.jit.chain.ChainEmitter;
import dev.tidestream.model.kernels.jit.chain.PlainRowsEmitter;
import dev.tidestream.model.machine.Assembler;
import dev.tidestream.model.machine.ExecutableMemory;

/** The programs that {@link GeneratedKernels} calls, written once. */
final class ProductKernels {
    private static final int LINE_BYTES = 64; // of the cache

    /** What a program multiplies with: one row of quants or some, one row of floats or a multiple of {@link #floatRows}. */
    enum Kind { ROW, ROWS, FLOAT_ROW, FLOAT_ROWS }

    /** How a program is written. */
    record Source(TensorFormat format, Kind kind, Consumer<Assembler> writer) {
        private byte[] code() {
            Assembler code = new Assembler();
            writer.accept(code);
            byte[] bytes = code.toByteArray();
            return Arrays.copyOf(bytes, Math.ceilDiv(bytes.length, LINE_BYTES) * LINE_BYTES);
        }
    }

    private record Program(Source source, byte[] code) {}

    private final Map<TensorFormat, Map<Kind, MemorySegment>> places = new EnumMap<>(TensorFormat.class);

    private final int floatRows;
    private final MemorySegment quantiser;

    private ProductKernels(List<Program> written, MemorySegment memory, int floatRows) {
        this.floatRows = floatRows;
        long offset = 0;
        for (Program program : written) {
            places.computeIfAbsent(program.source().format(), format -> new EnumMap<>(Kind.class))
                    .put(program.source().kind(), memory.asSlice(offset, program.code().length));
            offset += program.code().length;
        }
        quantiser = memory.asSlice(offset);
    }

    /**
     * All programs in one piece of memory: all, or none where the system has no such memory.
     *
     * @param wide with AVX-512
     */
    static Optional<ProductKernels> assemble(boolean wide) {
        List<Program> written = sources(wide).stream().map(source -> new Program(source, source.code())).toList();
        Assembler quantiser = new Assembler();
        RecordEmitter.write(quantiser);
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        written.forEach(program -> all.writeBytes(program.code()));
        all.writeBytes(quantiser.toByteArray());
        return ExecutableMemory.of(all.toByteArray()).map(memory -> new ProductKernels(written, memory, wide ? 4 : 2));
    }

    /** All programs but the quantiser, in the order in which they lie in memory. */
    static List<Source> sources(boolean wide) {
        List<Source> sources = new ArrayList<>();
        for (TensorFormat format : TensorFormat.values()) {
            addChains(sources, format, wide);
            addPlain(sources, format, wide);
            if (wide) {
                addWide(sources, format);
            } else {
                addNarrow(sources, format);
            }
        }
        return sources;
    }

    /** Of one chain for all columns; narrow ones, too. */
    private static void addChains(List<Source> sources, TensorFormat format, boolean wide) {
        Optional.ofNullable(Recipes.CHAINS.get(format)).ifPresent(weights -> {
            Function<Assembler, ChainCode> chains = code -> weights.apply(new Lanes(code, wide));
            sources.add(source(format, Kind.FLOAT_ROW, chains, (_, chain) -> ChainEmitter.writeRow(chain)));
            sources.add(source(format, Kind.FLOAT_ROWS, chains, (_, chain) -> ChainEmitter.writeBatch(chain)));
        });
    }

    private static void addPlain(List<Source> sources, TensorFormat format, boolean wide) {
        Optional.ofNullable(Recipes.PLAIN.get(format)).ifPresent(column -> {
            sources.add(source(format, Kind.FLOAT_ROW, code -> column, PlainEmitter::writeRow));
            sources.add(source(format, Kind.FLOAT_ROWS, code -> new Lanes(code, wide),
                    (_, lanes) -> PlainRowsEmitter.write(lanes, column)));
        });
    }

    private static void addNarrow(List<Source> sources, TensorFormat format) {
        Optional.ofNullable(Recipes.QUADS.get(format)).ifPresent(weights -> {
            sources.add(source(format, Kind.ROW, weights, Int8Emitter::writeRow));
            sources.add(source(format, Kind.ROWS, weights, Int8Emitter::writeBatch));
        });
        Optional.ofNullable(Recipes.FLOATS.get(format)).ifPresent(weights -> {
            sources.add(source(format, Kind.FLOAT_ROW, weights, FloatEmitter::writeRow));
            sources.add(source(format, Kind.FLOAT_ROWS, weights, FloatEmitter::writeBatch));
        });
    }

    private static void addWide(List<Source> sources, TensorFormat format) {
        Optional.ofNullable(Recipes.WIDE.get(format)).ifPresent(weights -> {
            sources.add(source(format, Kind.ROW, weights, WideInt8Emitter::writeRow));
            sources.add(source(format, Kind.ROWS, weights, WideInt8Emitter::writeBatch));
            if (weights.apply(new Assembler()).pairs() > 0) {
                sources.add(source(format, Kind.FLOAT_ROW, weights, WideFloatEmitter::writeRow));
                sources.add(source(format, Kind.FLOAT_ROWS, weights, WideFloatEmitter::writeBatch));
            }
        });
    }

    /** Its length becomes a multiple of a line of the cache. */
    private static <T> Source source(
            TensorFormat format, Kind kind, Function<Assembler, T> weights, BiConsumer<Assembler, T> writer) {
        return new Source(format, kind, code -> writer.accept(code, weights.apply(code)));
    }

    /** Null if there is none. */
    @Nullable
    MemorySegment find(TensorFormat format, Kind kind) {
        return places.getOrDefault(format, Map.of()).get(kind);
    }

    /** Makes records of quants, see {@link RecordEmitter}. */
    MemorySegment quantiser() {
        return quantiser;
    }

    /** Rows of floats that a program takes at a time. */
    int floatRows() {
        return floatRows;
    }
}
