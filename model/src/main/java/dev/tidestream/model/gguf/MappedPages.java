package dev.tidestream.model.gguf;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Optional;

/**
 * Says to the system what a mapped file is about to be used for: {@code madvise}, with Linux's numbers. Advice changes speed and
 * resident memory, never what is read; on other systems none is given.
 */
@SuppressWarnings("restricted") // native access is enabled for ND4J and Netty, too
public final class MappedPages {
    private static final int WILL_NEED = 3; // MADV_WILLNEED
    private static final int DONT_NEED = 4; // MADV_DONTNEED
    private static final Optional<MappedPages> LINUX = find();

    private final MethodHandle madvise;
    private final long pageBytes;

    private MappedPages(MethodHandle madvise, long pageBytes) {
        this.madvise = madvise;
        this.pageBytes = pageBytes;
    }

    private static Optional<MappedPages> find() {
        if (!System.getProperty("os.name", "").equals("Linux")) {
            return Optional.empty();
        }
        Linker linker = Linker.nativeLinker();
        FunctionDescriptor advise = FunctionDescriptor.of(
                ValueLayout.JAVA_INT, ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG, ValueLayout.JAVA_INT);
        return linker.defaultLookup().find("getpagesize").flatMap(pageSize ->
                linker.defaultLookup().find("madvise").map(madvise -> new MappedPages(
                        linker.downcallHandle(madvise, advise),
                        pageBytes(linker.downcallHandle(pageSize, FunctionDescriptor.of(ValueLayout.JAVA_INT))))));
    }

    private static long pageBytes(MethodHandle pageSize) {
        try {
            return (int) pageSize.invokeExact();
        } catch (Throwable e) {
            throw new AssertionError("a native call threw", e);
        }
    }

    /** Has the system begin to read a part of a mapping from disk. */
    public static void willNeed(MemorySegment part) {
        LINUX.ifPresent(pages -> pages.advise(part, WILL_NEED));
    }

    /**
     * Takes a part of a read-only mapping of a file out of this process's resident memory. The system may keep it
     * cached; whoever reads it again gets the same bytes.
     */
    public static void release(MemorySegment part) {
        LINUX.ifPresent(pages -> pages.advise(part, DONT_NEED));
    }

    /** A page that the part shares with others is meant, too: that costs them a page fault at most. */
    private void advise(MemorySegment part, int advice) {
        long from = part.address() / pageBytes * pageBytes;
        long to = part.address() + part.byteSize();
        try {
            int _ = (int) madvise.invokeExact(from, to - from, advice); // refused: then the pages stay as they are
        } catch (Throwable e) {
            throw new AssertionError("a native call threw", e);
        }
    }
}
