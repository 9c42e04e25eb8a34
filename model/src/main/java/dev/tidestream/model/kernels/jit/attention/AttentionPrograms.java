package dev.tidestream.model.kernels.jit.attention;

import java.io.ByteArrayOutputStream;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Consumer;

import dev.tidestream.model.kernels.jit.base.Lanes;
import dev.tidestream.model.kernels.jit.base.NativeCall;
import dev.tidestream.model.machine.Assembler;
import dev.tidestream.model.machine.ExecutableMemory;

import static dev.tidestream.model.kernels.jit.attention.AttentionMemory.FOUR;

/** The programs that {@link GeneratedAttention} calls, {@code void f(arguments)}, written once. */
public final class AttentionPrograms {
    private static final int LINE_BYTES = 64; // of the cache

    enum Program {
        UNPACK,
        /** With F16 keys. */
        SCORES_HALVES,
        /** With keys that were F16, and whose lanes have the order of pairs. */
        SCORES_UNPACKED,
        SCORES_FLOATS,
        /** Caps scores. */
        SOFTCAP,
        SOFTMAX,
        VALUES_HALVES,
        VALUES_FLOATS,
        /** Of one query. */
        VALUE_HALVES,
        VALUE_FLOATS,
        JOIN,
        /** Lanes have the order of pairs. */
        FINISH_PAIRS,
        FINISH
    }

    private final Map<Program, MemorySegment> programs = new EnumMap<>(Program.class);

    private AttentionPrograms(Map<Program, Long> places, MemorySegment memory) {
        places.forEach((program, place) -> programs.put(program, memory.asSlice(place)));
    }

    /**
     * None where the system has no memory for programs.
     *
     * @param wide with AVX-512
     */
    static Optional<AttentionPrograms> assemble(boolean wide) {
        Map<Program, Long> places = new EnumMap<>(Program.class);
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        for (Program program : Program.values()) {
            Assembler code = new Assembler();
            write(program, new Lanes(code, wide));
            places.put(program, (long) all.size());
            byte[] bytes = code.toByteArray();
            all.writeBytes(Arrays.copyOf(bytes, Math.ceilDiv(bytes.length, LINE_BYTES) * LINE_BYTES));
        }
        return ExecutableMemory.of(all.toByteArray()).map(memory -> new AttentionPrograms(places, memory));
    }

    private static void write(Program program, Lanes lanes) {
        AttentionEmitter writer = new AttentionEmitter(lanes);
        switch (program) {
            case UNPACK -> writer.unpack();
            case SCORES_HALVES -> writer.scores(true, true);
            case SCORES_UNPACKED -> writer.scores(false, true);
            case SCORES_FLOATS -> writer.scores(false, false);
            case SOFTCAP -> new SoftmaxEmitter(lanes).softcap();
            case SOFTMAX -> new SoftmaxEmitter(lanes).softmax();
            case VALUES_HALVES -> writer.values(true, FOUR);
            case VALUES_FLOATS -> writer.values(false, FOUR);
            case VALUE_HALVES -> writer.values(true, 1);
            case VALUE_FLOATS -> writer.values(false, 1);
            case JOIN -> writer.join();
            case FINISH_PAIRS -> writer.finish(true);
            case FINISH -> writer.finish(false);
        }
    }

    /** What {@link #assemble} writes: name and code, in the order in which programs lie in memory. */
    public static Map<String, Consumer<Assembler>> sources(boolean wide) {
        Map<String, Consumer<Assembler>> sources = new LinkedHashMap<>();
        for (Program program : Program.values()) {
            sources.put(program.name(), code -> write(program, new Lanes(code, wide)));
        }
        return sources;
    }

    /** Calls one; nothing is checked in it. */
    void run(Program program, MemorySegment arguments) {
        NativeCall.run(Objects.requireNonNull(programs.get(program)), arguments);
    }
}
