package dev.tidestream.model.kernels.jit.base;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/**
 * How programs are called, {@code void f(scratch, a, b, c)}, in rdi, rsi, rdx and rcx. One linkage for all of them: each
 * costs a start some milliseconds. Arrays may be passed; a call must be short, since no collection can take place meanwhile.
 */
public final class NativeCall {
    @SuppressWarnings("restricted") // native access is enabled, see PageArena
    private static final MethodHandle CALL = Linker.nativeLinker().downcallHandle(
            FunctionDescriptor.ofVoid(ValueLayout.ADDRESS, ValueLayout.ADDRESS, ValueLayout.ADDRESS, ValueLayout.ADDRESS),
            Linker.Option.critical(true));

    private NativeCall() {}

    /** A program that looks at one argument. */
    public static void run(MemorySegment program, MemorySegment scratch) {
        run(program, scratch, MemorySegment.NULL, MemorySegment.NULL, MemorySegment.NULL);
    }

    /** A program that looks at three. */
    public static void run(MemorySegment program, MemorySegment scratch, MemorySegment a, MemorySegment b) {
        run(program, scratch, a, b, MemorySegment.NULL);
    }

    /** Calls a program. Nothing is checked in it. */
    public static void run(
            MemorySegment program, MemorySegment scratch, MemorySegment a, MemorySegment b, MemorySegment c) {
        try {
            CALL.invokeExact(program, scratch, a, b, c);
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new AssertionError("a native call threw", e);
        }
    }
}
