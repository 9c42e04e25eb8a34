package dev.tidestream.model.machine;

import java.io.ByteArrayOutputStream;
import java.util.Objects;

import org.jspecify.annotations.Nullable;

/**
 * Writes x86-64 machine code, instruction by instruction: the Intel Software Developer's Manual, volume 2, in the order of its
 * operands (what receives the result first). Vector registers are numbers: 0–15 of 256 bits, or 0–31 of 512, which are the same
 * registers. Used by one thread.
 *
 * <p>{@link #withListing} gives one that keeps a {@link Listing} of what it writes; any other keeps bytes only.
 */
public final class Assembler {
    private static final int VECTORS = 16;
    private static final int WIDE_VECTORS = 32;
    private static final int NO_REGISTER = 0;
    private static final int REX_W = 0x48;
    private static final int BYTE_MIN = -128;
    private static final int BYTE_MAX = 127;

    private final ByteArrayOutputStream code = new ByteArrayOutputStream();
    private final @Nullable ListingRecorder listing;

    /**
     * A place to jump back to.
     *
     * @param offset bytes from the beginning of the code
     * @param name in a listing
     */
    public record Label(int offset, String name) {}

    /** An assembler that keeps bytes only. */
    public Assembler() {
        this(false);
    }

    private Assembler(boolean listed) {
        this.listing = listed ? new ListingRecorder(code) : null;
    }

    /** An assembler that keeps a listing beside the bytes, which are the same. */
    public static Assembler withListing() {
        return new Assembler(true);
    }

    /**
     * What has been written, as text.
     *
     * @throws IllegalStateException if this assembler was not made by {@link #withListing}
     */
    public Listing listing() {
        if (listing == null) {
            throw new IllegalStateException("this assembler keeps no listing");
        }
        return listing.finish();
    }

    /** What has been written. */
    public byte[] toByteArray() {
        return code.toByteArray();
    }

    /**
     * A label here.
     *
     * @param name what begins here, as a listing calls it; a second label of a name gets a number
     */
    public Label label(String name) {
        return new Label(code.size(), listing == null ? name : listing.label(name));
    }

    // ---- vectors

    /** {@code d = op(a, b)}. */
    public void vector(VectorOp op, int d, int a, int b) {
        encode(op, d, a, b);
        if (listing != null) {
            listing.vector(op, d, a, ListingRecorder.register(op, b));
        }
    }

    /** {@code d = op(a, memory)}. */
    public void vector(VectorOp op, int d, int a, Address b) {
        encode(op, d, a, b);
        if (listing != null) {
            listing.vector(op, d, a, ListingRecorder.memory(b));
        }
    }

    /** {@code d = op(a, b)} as a number says. */
    public void vector(VectorOp op, int d, int a, int b, int choice) {
        encode(op, d, a, b);
        code.write(choice);
        if (listing != null) {
            listing.vector(op, d, a, ListingRecorder.register(op, b), choice);
        }
    }

    /** {@code d = op(a, memory)} as a number says. */
    public void vector(VectorOp op, int d, int a, Address b, int choice) {
        encode(op, d, a, b);
        code.write(choice);
        if (listing != null) {
            listing.vector(op, d, a, ListingRecorder.memory(b), choice);
        }
    }

    /** {@code d = op(a)}. */
    public void vector(VectorOp op, int d, int a) {
        vector(op, d, NO_REGISTER, a);
    }

    /** {@code d = op(memory)}, or a store of d. */
    public void vector(VectorOp op, int d, Address a) {
        vector(op, d, NO_REGISTER, a);
    }

    /** The low half of d becomes the upper half of a. */
    public void extractUpperHalf(int d, int a) {
        vector(VectorOp.VEXTRACTI128, a, NO_REGISTER, d, 1);
    }

    /** The signs of the floats of a, in the lowest eight bits of d. */
    public void signs(Register d, int a) {
        vector(VectorOp.VMOVMSKPS, d.number(), a);
    }

    /** {@code d = a}, shifted. */
    public void shift(Shift op, int d, int a, int count) {
        check(d);
        check(a);
        prefix(1, 1, false, NO_REGISTER, a, d);
        code.write(op.opcode());
        registers(op.extension(), a);
        code.write(count);
        if (listing != null) {
            listing.shift(op, "ymm", d, a, count);
        }
    }

    /** Clears the upper halves, as code without AVX expects it. */
    public void zeroUpper() {
        write(0xC5, 0xF8, 0x77);
        note("vzeroupper");
    }

    private void encode(VectorOp op, int d, int a, int b) {
        check(b);
        vex(op, d, a, b);
        registers(d, b);
    }

    private void encode(VectorOp op, int d, int a, Address b) {
        vex(op, d, a, b.base().number());
        memory(d, b);
    }

    private void vex(VectorOp op, int d, int a, int b) {
        check(d);
        check(a);
        prefix(op.map(), op.prefix(), op.wide(), d, b, a);
        code.write(op.opcode());
    }

    /** Three bytes: the registers' fourth bits inverted and the map; W, the second operand inverted, 256 bits, the prefix. */
    private void prefix(int map, int implied, boolean wide, int reg, int rm, int second) {
        int r = reg < 8 ? 0x80 : 0;
        int b = rm < 8 ? 0x20 : 0;
        write(0xC4, r | 0x40 | b | map, (wide ? 0x80 : 0) | ((~second & 15) << 3) | 4 | implied);
    }

    // ---- vectors of 512 bits

    /** {@code d = op(a, b)}. */
    public void wide(WideOp op, int d, int a, int b) {
        encode(op, d, a, b);
        if (listing != null) {
            listing.wide(op, d, a, ListingRecorder.register(op, b));
        }
    }

    /** {@code d = op(a, memory)}. */
    public void wide(WideOp op, int d, int a, Address b) {
        evex(op.map(), op.prefix(), op.w(), false, d, a, b.base().number());
        code.write(op.opcode());
        memory(d, b, op.memoryBytes());
        if (listing != null) {
            listing.wide(op, d, a, ListingRecorder.memory(b));
        }
    }

    /** {@code d = op(a, 32 bits of memory, sixteen times)}. */
    public void wideEach(WideOp op, int d, int a, Address b) {
        encodeEach(op, d, a, b);
        if (listing != null) {
            listing.wide(op, d, a, ListingRecorder.each(b));
        }
    }

    /** {@code d = op(a)}. */
    public void wide(WideOp op, int d, int a) {
        wide(op, d, NO_REGISTER, a);
    }

    /** {@code d = op(memory)}, or a store of d. */
    public void wide(WideOp op, int d, Address a) {
        wide(op, d, NO_REGISTER, a);
    }

    /** Each bit of d is the one of {@code truth} at the place 4 d + 2 a + b. */
    public void truth(int d, int a, int b, int truth) {
        encode(WideOp.VPTERNLOGD, d, a, b);
        code.write(truth);
        if (listing != null) {
            listing.wide(WideOp.VPTERNLOGD, d, a, ListingRecorder.register(WideOp.VPTERNLOGD, b), truth);
        }
    }

    /** The same, with 32 bits of memory, sixteen times. */
    public void truthEach(int d, int a, Address b, int truth) {
        encodeEach(WideOp.VPTERNLOGD, d, a, b);
        code.write(truth);
        if (listing != null) {
            listing.wide(WideOp.VPTERNLOGD, d, a, ListingRecorder.each(b), truth);
        }
    }

    /** {@code d = a}, shifted. */
    public void wideShift(Shift op, int d, int a, int count) {
        evex(1, 1, op.w(), false, NO_REGISTER, wideRegister(d), wideRegister(a));
        code.write(op.opcode());
        registers(op.extension(), a);
        code.write(count);
        if (listing != null) {
            listing.shift(op, "zmm", d, a, count);
        }
    }

    private void encode(WideOp op, int d, int a, int b) {
        evex(op.map(), op.prefix(), op.w(), false, d, a, wideRegister(b));
        code.write(op.opcode());
        registers(d, b);
    }

    private void encodeEach(WideOp op, int d, int a, Address b) {
        if (!op.hasEach()) {
            throw new IllegalArgumentException("this instruction reads whole vectors: " + op);
        }
        evex(op.map(), op.prefix(), op.w(), true, d, a, b.base().number());
        code.write(op.opcode());
        memory(d, b, Integer.BYTES);
    }

    /**
     * Four bytes: the registers' upper bits inverted and the map; W, the second operand inverted, the prefix; 512 bits, once or
     * each.
     */
    private void evex(int map, int implied, int w, boolean each, int reg, int second, int rm) {
        wideRegister(reg);
        wideRegister(second);
        int upper = ((~reg >> 3 & 1) << 7) | ((~rm >> 4 & 1) << 6) | ((~rm >> 3 & 1) << 5) | ((~reg >> 4 & 1) << 4);
        write(0x62, upper | map, (w << 7) | ((~second & 15) << 3) | 4 | implied,
                0x40 | (each ? 0x10 : 0) | (~second >> 4 & 1) << 3);
    }

    private static int wideRegister(int vector) {
        return Objects.checkIndex(vector, WIDE_VECTORS);
    }

    // ---- integers

    /** {@code d = memory}, 64 bits. */
    public void load(Register d, Address a) {
        rex(d.number(), a.base().number());
        code.write(0x8B);
        memory(d.number(), a);
        note("mov", d, a);
    }

    /** {@code memory = a}, 64 bits. */
    public void store(Address d, Register a) {
        rex(a.number(), d.base().number());
        code.write(0x89);
        memory(a.number(), d);
        note("mov", d, a);
    }

    /** {@code d = a}. */
    public void move(Register d, Register a) {
        rex(a.number(), d.number());
        code.write(0x89);
        registers(a.number(), d.number());
        note("mov", d, a);
    }

    /** {@code d = number}, sign-extended to 64 bits. */
    public void load(Register d, int number) {
        rex(0, d.number());
        code.write(0xC7);
        registers(0, d.number());
        number(number);
        note("mov", d, number);
    }

    /** {@code d = d + memory}. */
    public void add(Register d, Address a) {
        rex(d.number(), a.base().number());
        code.write(0x03);
        memory(d.number(), a);
        note("add", d, a);
    }

    /** {@code d = d + number}; says whether the result is 0, for {@link #jumpIfNotZero}. */
    public void add(Register d, int number) {
        rex(0, d.number());
        code.write(0x81);
        registers(0, d.number());
        number(number);
        note("add", d, number);
    }

    /** Jumps back if the last sum was not 0. */
    public void jumpIfNotZero(Label to) {
        write(0x0F, 0x85);
        number(to.offset() - (code.size() + Integer.BYTES));
        note("jnz", to.name());
    }

    /** Asks for the line of an address. */
    public void prefetch(Address a) {
        if (a.base().number() >= 8) {
            code.write(0x41);
        }
        write(0x0F, 0x18);
        memory(1, a);
        note("prefetcht0", a);
    }

    /** Returns to the caller. */
    public void ret() {
        code.write(0xC3);
        note("ret");
    }

    /** Writes bytes as they are. */
    public void bytes(int... values) {
        write(values);
        note("db", values.length);
    }

    private void write(int... values) {
        for (int value : values) {
            code.write(value);
        }
    }

    /** The listing's line for what has been written since the last one. */
    private void note(String mnemonic, Object... operands) {
        if (listing != null) {
            listing.instruction(mnemonic, operands);
        }
    }

    private void rex(int reg, int rm) {
        code.write(REX_W | ((reg >> 3) << 2) | (rm >> 3));
    }

    private void registers(int reg, int rm) {
        code.write(0xC0 | ((reg & 7) << 3) | (rm & 7));
    }

    private void memory(int reg, Address a) {
        memory(reg, a, 1);
    }

    /** A short offset counts so many bytes. */
    private void memory(int reg, Address a, int unit) {
        int base = a.base().number() & 7; // none of ours needs a further byte, as 4 would
        int units = a.offset() / unit;
        if (a.offset() % unit == 0 && units >= BYTE_MIN && units <= BYTE_MAX) {
            write(0x40 | ((reg & 7) << 3) | base, units);
        } else {
            code.write(0x80 | ((reg & 7) << 3) | base);
            number(a.offset());
        }
    }

    private void number(int value) {
        write(value, value >> 8, value >> 16, value >> 24);
    }

    private static void check(int vector) {
        Objects.checkIndex(vector, VECTORS);
    }
}
