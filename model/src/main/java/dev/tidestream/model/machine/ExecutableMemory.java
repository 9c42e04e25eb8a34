package dev.tidestream.model.machine;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Optional;

/**
 * Memory that holds code: written first, then made executable and read-only, never both. It stays for the life of the process.
 * Linux only.
 */
public final class ExecutableMemory {
    private static final int READ_WRITE = 1 | 2; // PROT_READ, PROT_WRITE
    private static final int READ_EXECUTE = 1 | 4; // PROT_READ, PROT_EXEC
    private static final int PRIVATE_ANONYMOUS = 0x02 | 0x20; // MAP_PRIVATE, MAP_ANONYMOUS
    private static final long FAILED = -1;

    private ExecutableMemory() {}

    /**
     * Puts code where it can be called.
     *
     * @return its first byte, or nothing where the system has no such memory or refuses it
     */
    @SuppressWarnings("restricted") // native access is enabled, see PageArena
    public static Optional<MemorySegment> of(byte[] code) {
        if (!System.getProperty("os.name", "").equals("Linux")) {
            return Optional.empty();
        }
        Linker linker = Linker.nativeLinker();
        FunctionDescriptor map = FunctionDescriptor.of(ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG,
                ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_LONG);
        FunctionDescriptor protect = FunctionDescriptor.of(
                ValueLayout.JAVA_INT, ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG, ValueLayout.JAVA_INT);
        return linker.defaultLookup().find("mmap").flatMap(mmap ->
                linker.defaultLookup().find("mprotect").flatMap(mprotect ->
                        load(code, linker.downcallHandle(mmap, map), linker.downcallHandle(mprotect, protect))));
    }

    @SuppressWarnings("restricted")
    private static Optional<MemorySegment> load(byte[] code, MethodHandle mmap, MethodHandle mprotect) {
        try {
            long bytes = code.length;
            long address = (long) mmap.invokeExact(0L, bytes, READ_WRITE, PRIVATE_ANONYMOUS, -1, 0L);
            if (address == FAILED) {
                return Optional.empty();
            }
            MemorySegment memory = MemorySegment.ofAddress(address).reinterpret(bytes);
            memory.copyFrom(MemorySegment.ofArray(code));
            return (int) mprotect.invokeExact(address, bytes, READ_EXECUTE) == 0 ? Optional.of(memory) : Optional.empty();
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new AssertionError("a native call threw", e);
        }
    }
}
