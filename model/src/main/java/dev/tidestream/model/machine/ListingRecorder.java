package dev.tidestream.model.machine;

import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.StringJoiner;

/**
 * Makes the {@link Listing} of what an {@link Assembler} writes: mnemonics and operands in Intel's order. Each call is for the
 * bytes that were written since the one before. Used by the thread of its assembler.
 */
final class ListingRecorder {
    private static final String STORE = "_STORE";
    private static final HexFormat HEX = HexFormat.ofDelimiter(" ");

    /** Without a second operand; the assembler is given register 0 for it. */
    private static final Set<VectorOp> TWO_OPERANDS = EnumSet.of(
            VectorOp.VPABSB, VectorOp.VCVTDQ2PS, VectorOp.VCVTPH2PS, VectorOp.VCVTPS2PD, VectorOp.VPMOVSXBD, VectorOp.VPBROADCASTD,
            VectorOp.VBROADCASTSS, VectorOp.VBROADCASTSD, VectorOp.VMOVDQU, VectorOp.VMOVDQU_STORE, VectorOp.VPERMQ, VectorOp.VPSHUFD,
            VectorOp.VROUNDPD, VectorOp.VMOVMSKPS, VectorOp.VEXTRACTI128);

    /** From 128 bits or fewer. */
    private static final Set<VectorOp> NARROW_SOURCE = EnumSet.of(
            VectorOp.VCVTPH2PS, VectorOp.VCVTPS2PD, VectorOp.VPMOVSXBD, VectorOp.VPBROADCASTD, VectorOp.VBROADCASTSS, VectorOp.VBROADCASTSD);

    private static final Set<WideOp> TWO_OPERANDS_WIDE = EnumSet.of(
            WideOp.VCVTDQ2PS, WideOp.VCVTPH2PS, WideOp.VPMOVDW, WideOp.VPBROADCASTD, WideOp.VMOVDQA64, WideOp.VMOVUPS, WideOp.VMOVUPS_STORE);

    /** An instruction whose bytes are in {@code code}. */
    private record Line(int offset, int end, String mnemonic, String operands) {}

    /** A name and how many bytes stand before it. */
    private record Name(int offset, String name) {}

    private final ByteArrayOutputStream code;
    private final List<Line> lines = new ArrayList<>();
    private final List<Name> labels = new ArrayList<>();
    private final Map<String, Integer> uses = new HashMap<>();
    private int end;

    ListingRecorder(ByteArrayOutputStream code) {
        this.code = code;
    }

    /** A label at the end of what has been written; returns its name, which no other label has. */
    String label(String name) {
        int use = uses.merge(name, 1, Integer::sum);
        String unique = use == 1 ? name : name + "_" + use;
        labels.add(new Name(code.size(), unique));
        return unique;
    }

    static String register(VectorOp op, int number) {
        return (NARROW_SOURCE.contains(op) ? "xmm" : "ymm") + number;
    }

    static String register(WideOp op, int number) {
        return (op == WideOp.VCVTPH2PS || op == WideOp.VPMOVDW ? "ymm" : "zmm") + number;
    }

    static String memory(Address address) {
        return "[%s%+d]".formatted(name(address.base()), address.offset());
    }

    /** 32 bits of memory, for all lanes. */
    static String each(Address address) {
        return memory(address) + "{1to16}";
    }

    private static String name(Register register) {
        return register.name().toLowerCase(Locale.ROOT);
    }

    private static String mnemonic(Enum<?> op) {
        return op.name().replace(STORE, "").toLowerCase(Locale.ROOT);
    }

    /** The lower 32 bits of a general register. */
    private static String lower(int number) {
        for (Register register : Register.values()) {
            if (register.number() == number) {
                return number < 8 ? "e" + name(register).substring(1) : name(register) + "d";
            }
        }
        throw new IllegalArgumentException("no such register: number=" + number);
    }

    /** {@code d = op(a, b)}, perhaps as numbers say. */
    void vector(VectorOp op, int d, int a, String b, int... choice) {
        switch (op) {
            case VMOVDQU_STORE -> add(mnemonic(op), b + ", ymm" + d, choice);
            case VEXTRACTI128 -> add(mnemonic(op), b.replace("ymm", "xmm") + ", ymm" + d, choice);
            case VMOVMSKPS -> add(mnemonic(op), lower(d) + ", " + b, choice);
            default -> add(mnemonic(op), "ymm" + d + (TWO_OPERANDS.contains(op) ? "" : ", ymm" + a) + ", " + b, choice);
        }
    }

    /** {@code d = op(a, b)} with 512 bits, perhaps as numbers say. */
    void wide(WideOp op, int d, int a, String b, int... choice) {
        switch (op) {
            case VMOVUPS_STORE, VPMOVDW -> add(mnemonic(op), b + ", zmm" + d, choice);
            default -> add(mnemonic(op), "zmm" + d + (TWO_OPERANDS_WIDE.contains(op) ? "" : ", zmm" + a) + ", " + b, choice);
        }
    }

    /** A shift by a number; {@code kind} of registers is ymm or zmm. */
    void shift(Shift op, String kind, int d, int a, int count) {
        add(mnemonic(op), kind + d + ", " + kind + a, count);
    }

    /** Any other: operands are registers, addresses, numbers or names of labels. */
    void instruction(String mnemonic, Object... operands) {
        StringJoiner joined = new StringJoiner(", ");
        for (Object operand : operands) {
            joined.add(operand instanceof Register register ? name(register)
                    : operand instanceof Address address ? memory(address) : operand.toString());
        }
        add(mnemonic, joined.toString());
    }

    private void add(String mnemonic, String operands, int... numbers) {
        StringBuilder all = new StringBuilder(operands);
        for (int number : numbers) {
            all.append(", ").append(number);
        }
        lines.add(new Line(end, code.size(), mnemonic, all.toString()));
        end = code.size();
    }

    /** All of it so far. */
    Listing finish() {
        byte[] bytes = code.toByteArray();
        return new Listing(lines.stream().map(line -> new Listing.Instruction(
                line.offset(),
                labels.stream().filter(label -> label.offset() == line.offset()).map(Name::name).toList(),
                HEX.formatHex(bytes, line.offset(), line.end()),
                line.mnemonic(),
                line.operands())).toList());
    }
}
