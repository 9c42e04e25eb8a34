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
 * operating system keeps 256-bit registers is XGETBV's to say.
 */
public final class Cpu {
    private static final int HIGHEST_ASKED = 7; // leaf
    private static final int FMA = 1 << 12; // leaf 1, ECX
    private static final int OSXSAVE = 1 << 27;
    private static final int AVX = 1 << 28;
    private static final int F16C = 1 << 29;
    private static final int AVX2 = 1 << 5; // leaf 7, EBX
    private static final int XMM_AND_YMM = 6; // XCR0
    /** mov r8, rdi; mov r9, rbx; mov eax, esi; xor ecx, ecx; cpuid; mov [r8], ebx; mov [r8+4], ecx; mov [r8+8], eax; mov rbx, r9; ret. */
    private static final int[] CPUID = {0x49, 0x89, 0xf8, 0x49, 0x89, 0xd9, 0x89, 0xf0, 0x31, 0xc9, 0x0f, 0xa2,
        0x41, 0x89, 0x18, 0x41, 0x89, 0x48, 0x04, 0x41, 0x89, 0x40, 0x08, 0x4c, 0x89, 0xcb, 0xc3};
    /** xor ecx, ecx; xgetbv; mov [rdi], eax; ret. */
    private static final int[] XGETBV = {0x31, 0xc9, 0x0f, 0x01, 0xd0, 0x89, 0x07, 0xc3};

    private Cpu() {}

    /** Whether code with AVX2, FMA and F16C can be run here: on x86-64, where there is {@link ExecutableMemory}. */
    public static boolean hasAvx2() {
        if (!System.getProperty("os.arch", "").equals("amd64")) {
            return false;
        }
        Optional<MemorySegment> cpuid = ExecutableMemory.of(code(CPUID));
        Optional<MemorySegment> xgetbv = ExecutableMemory.of(code(XGETBV));
        if (cpuid.isEmpty() || xgetbv.isEmpty()) {
            return false;
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment answer = arena.allocate(3 * Integer.BYTES); // EBX, ECX, EAX
            ask(cpuid.get(), answer, 0);
            if (Integer.compareUnsigned(answer.get(ValueLayout.JAVA_INT, 2 * Integer.BYTES), HIGHEST_ASKED) < 0) {
                return false; // an unknown leaf is answered with what the highest one says
            }
            ask(cpuid.get(), answer, 1);
            int wanted = FMA | OSXSAVE | AVX | F16C;
            if ((answer.get(ValueLayout.JAVA_INT, Integer.BYTES) & wanted) != wanted) {
                return false;
            }
            ask(cpuid.get(), answer, HIGHEST_ASKED);
            if ((answer.get(ValueLayout.JAVA_INT, 0) & AVX2) == 0) {
                return false;
            }
            ask(xgetbv.get(), answer, 0);
            return (answer.get(ValueLayout.JAVA_INT, 0) & XMM_AND_YMM) == XMM_AND_YMM;
        }
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
