package dev.tidestream.model.machine;

/**
 * AVX-512 instructions (F, BW, VBMI, VNNI) on 512-bit registers, as the Intel Software Developer's Manual (volume 2) encodes them
 * with EVEX: the opcode map (1: 0F, 2: 0F 38, 3: 0F 3A), the implied prefix (0: none, 1: 66, 2: F3), the bit W, the opcode, and
 * how many bytes of memory an operand has, by which short offsets are counted.
 */
public enum WideOp {
    /** {@code d = a & b}. */
    VPANDD(1, 1, 0, 0xDB, 64),
    /** {@code d = a ^ b}. */
    VPXORD(1, 1, 0, 0xEF, 64),
    /** Any function of the bits of d, a and b, by its table of truth. */
    VPTERNLOGD(3, 1, 0, 0x25, 64),
    /** 32-bit sums. */
    VPADDD(1, 1, 0, 0xFE, 64),
    /** 32-bit products, modulo 2^32. */
    VPMULLD(2, 1, 0, 0x40, 64),
    /** {@code d} and four products of unsigned bytes of a with signed bytes of b, added in 32 bits. */
    VPDPBUSD(2, 1, 0, 0x50, 64),
    /** Bytes of d (0–63) and of b (64–127) that the bytes of a name. */
    VPERMT2B(2, 1, 0, 0x7D, 64),
    /** 16-bit words of d (0–31) and of b (32–63) that the words of a name. */
    VPERMT2W(2, 1, 1, 0x7D, 64),
    /** Floats of d (0–15) and of b (16–31) that each 32 bits of a name. */
    VPERMT2PS(2, 1, 0, 0x7F, 64),
    /** Of each 64 bits of b eight bytes, from the bits that the bytes of a name. */
    VPMULTISHIFTQB(2, 1, 1, 0x83, 64),
    /** In each 128 bits, the bytes of a that the low four bits of each byte of b name, or 0 where its top bit is set. */
    VPSHUFB(2, 1, 0, 0x00, 64),
    /** Of the sixteen floats of b those that the low four bits of each 32 of a name. */
    VPERMPS(2, 1, 0, 0x16, 64),
    /** Float sums. */
    VADDPS(1, 0, 0, 0x58, 64),
    /** Float products. */
    VMULPS(1, 0, 0, 0x59, 64),
    /** Float differences. */
    VSUBPS(1, 0, 0, 0x5C, 64),
    /** The float of a where it is larger, else that of b. */
    VMAXPS(1, 0, 0, 0x5F, 64),
    /** The float of a where it is smaller, else that of b. */
    VMINPS(1, 0, 0, 0x5D, 64),
    /** Float quotients. */
    VDIVPS(1, 0, 0, 0x5E, 64),
    /** {@code d = fma(a, d, b)}. */
    VFMADD213PS(2, 1, 0, 0xA8, 64),
    /** {@code d = fma(a, d, -b)}. */
    VFMSUB213PS(2, 1, 0, 0xAA, 64),
    /** {@code d = fma(a, b, d)}. */
    VFMADD231PS(2, 1, 0, 0xB8, 64),
    /** Signed 32-bit integers to floats. */
    VCVTDQ2PS(1, 0, 0, 0x5B, 64),
    /** Sixteen half-precision numbers (256 bits) to floats. */
    VCVTPH2PS(2, 1, 0, 0x13, 32),
    /** The low 16 bits of each 32, 256 bits of them; the register that receives them is b. */
    VPMOVDW(2, 2, 0, 0x33, 32),
    /** 32 bits of memory, sixteen times. */
    VPBROADCASTD(2, 1, 0, 0x58, 4),
    /** A register. */
    VMOVDQA64(1, 1, 1, 0x6F, 64),
    /** 64 bytes from memory that need not be aligned. */
    VMOVUPS(1, 0, 0, 0x10, 64),
    /** 64 bytes to memory. */
    VMOVUPS_STORE(1, 0, 0, 0x11, 64);

    private final int map;
    private final int prefix;
    private final int w;
    private final int opcode;
    private final int memoryBytes;

    WideOp(int map, int prefix, int w, int opcode, int memoryBytes) {
        this.map = map;
        this.prefix = prefix;
        this.w = w;
        this.opcode = opcode;
        this.memoryBytes = memoryBytes;
    }

    int map() {
        return map;
    }

    int prefix() {
        return prefix;
    }

    int w() {
        return w;
    }

    int opcode() {
        return opcode;
    }

    int memoryBytes() {
        return memoryBytes;
    }

    /** Whether its operand in memory may be 32 bits that count for each of sixteen lanes. */
    boolean hasEach() {
        return switch (this) {
            case VPANDD, VPXORD, VPTERNLOGD, VPADDD, VPMULLD, VPDPBUSD, VPERMPS, VPERMT2PS, VADDPS, VSUBPS, VMULPS, VMAXPS, VMINPS, VDIVPS,
                    VFMADD213PS, VFMSUB213PS, VFMADD231PS, VCVTDQ2PS -> true;
            case VPERMT2B, VPERMT2W, VPMULTISHIFTQB, VPSHUFB, VCVTPH2PS, VPMOVDW, VPBROADCASTD, VMOVDQA64, VMOVUPS,
                    VMOVUPS_STORE -> false;
        };
    }
}
