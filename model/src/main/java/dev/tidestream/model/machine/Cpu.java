package dev.tidestream.model.machine;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Optional;

/**
 * What the processor can do, asked with its own instruction (Intel Software Developer's Manual, volume 2: CPUID). Whether the
 * operating system keeps the registers is XGETBV's to say.
 */
public final class Cpu {
    private static final int HIGHEST_ASKED = 7; // leaf
    private static final int FMA = 1 << 12; // leaf 1, ECX
    private static final int OSXSAVE = 1 << 27;
    private static final int AVX = 1 << 28;
    private static final int F16C = 1 << 29;
    private static final int AVX2 = 1 << 5; // leaf 7, EBX
    private static final int AVX512F = 1 << 16;
    private static final int AVX512BW = 1 << 30;
    private static final int VBMI = 1 << 1; // leaf 7, ECX
    private static final int VNNI = 1 << 11;
    private static final int XMM_AND_YMM = 6; // XCR0
    private static final int MASKS_AND_ZMM = 0xe0;
    private static final int EBX = 0; // where answers lie; XCR0, too
    private static final int ECX = Integer.BYTES;
    private static final int EAX = 2 * Integer.BYTES;
    /** mov r8, rdi; mov r9, rbx; mov eax, esi; xor ecx, ecx; cpuid; mov [r8], ebx; mov [r8+4], ecx; mov [r8+8], eax; mov rbx, r9; ret. */
    private static final int[] CPUID = {0x49, 0x89, 0xf8, 0x49, 0x89, 0xd9, 0x89, 0xf0, 0x31, 0xc9, 0x0f, 0xa2,
        0x41, 0x89, 0x18, 0x41, 0x89, 0x48, 0x04, 0x41, 0x89, 0x40, 0x08, 0x4c, 0x89, 0xcb, 0xc3};
    /** xor ecx, ecx; xgetbv; mov [rdi], eax; ret. */
    private static final int[] XGETBV = {0x31, 0xc9, 0x0f, 0x01, 0xd0, 0x89, 0x07, 0xc3};

    private Cpu() {}

    /** What code may be made of here. */
    public enum Level {
        /** No code can be run: not x86-64, no {@link ExecutableMemory}, or an old processor. */
        NONE,
        /** AVX2, FMA and F16C. */
        AVX2,
        /** And AVX-512: F, BW, VBMI and VNNI. */
        AVX512_VNNI
    }

    /** The most that this processor and its operating system can do. */
    public static Level level() {
        if (!System.getProperty("os.arch", "").equals("amd64")) {
            return Level.NONE;
        }
        Optional<MemorySegment> cpuid = ExecutableMemory.of(code(CPUID));
        Optional<MemorySegment> xgetbv = ExecutableMemory.of(code(XGETBV));
        if (cpuid.isEmpty() || xgetbv.isEmpty()) {
            return Level.NONE;
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment answer = arena.allocate(3 * Integer.BYTES);
            ask(cpuid.get(), answer, 0);
            if (Integer.compareUnsigned(answer.get(ValueLayout.JAVA_INT, EAX), HIGHEST_ASKED) < 0) {
                return Level.NONE; // an unknown leaf is answered with what the highest one says
            }
            ask(cpuid.get(), answer, 1);
            if (!has(answer, ECX, FMA | OSXSAVE | AVX | F16C)) {
                return Level.NONE;
            }
            ask(cpuid.get(), answer, HIGHEST_ASKED);
            boolean avx2 = has(answer, EBX, AVX2);
            boolean avx512 = has(answer, EBX, AVX512F | AVX512BW) && has(answer, ECX, VBMI | VNNI);
            ask(xgetbv.get(), answer, 0);
            return !avx2 || !has(answer, EBX, XMM_AND_YMM) ? Level.NONE
                    : avx512 && has(answer, EBX, MASKS_AND_ZMM) ? Level.AVX512_VNNI : Level.AVX2;
        }
    }

    /** Whether an answer has all these bits. */
    private static boolean has(MemorySegment answer, int register, int bits) {
        return (answer.get(ValueLayout.JAVA_INT, register) & bits) == bits;
    }

    @SuppressWarnings("restricted") // native access is enabled, see PageArena
    private static void ask(MemorySegment program, MemorySegment answer, int leaf) {
        MethodHandle call = Linker.nativeLinker().downcallHandle(
                program, FunctionDescriptor.ofVoid(ValueLayout.ADDRESS, ValueLayout.JAVA_INT));
        try {
            call.invokeExact(answer, leaf);
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new AssertionError("a native call threw", e);
        }
    }

    private static byte[] code(int[] bytes) {
        Assembler code = new Assembler();
        code.bytes(bytes);
        return code.toByteArray();
    }
}
