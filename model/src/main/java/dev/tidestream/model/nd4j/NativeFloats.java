package dev.tidestream.model.nd4j;

import java.lang.foreign.MemorySegment;

import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.Pointer;

/** JavaCPP's view of floats that somebody else owns. */
final class NativeFloats extends FloatPointer {

    /** @param length floats from {@code address} on */
    NativeFloats(long address, long length) {
        super((Pointer) null);
        this.address = address;
        this.capacity = length;
        this.limit = length;
    }

    static NativeFloats of(MemorySegment floats) {
        return new NativeFloats(floats.address(), floats.byteSize() / Float.BYTES);
    }

    /** Pointers to every {@code step}th float. */
    static NativeFloats[] every(int step, int count, long address, long length) {
        NativeFloats[] pointers = new NativeFloats[count];
        for (int i = 0; i < count; i++) {
            long skipped = (long) i * step;
            pointers[i] = new NativeFloats(address + skipped * Float.BYTES, length - skipped);
        }
        return pointers;
    }
}
