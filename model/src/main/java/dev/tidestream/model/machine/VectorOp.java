package dev.tidestream.model.machine;

/**
 * AVX, AVX2, FMA and F16C instructions on 256-bit registers, as the Intel Software Developer's Manual (volume 2) encodes them:
 * the opcode map (1: 0F, 2: 0F 38, 3: 0F 3A), the implied prefix (0: none, 1: 66, 2: F3) and the opcode.
 */
public enum VectorOp {
    /** {@code d = a & b}. */
    VPAND(1, 1, 0xDB),
    /** {@code d = a | b}. */
    VPOR(1, 1, 0xEB),
    /** {@code d = a ^ b}. */
    VPXOR(1, 1, 0xEF),
    /** 16-bit sums, modulo 2^16. */
    VPADDW(1, 1, 0xFD),
    /** 32-bit sums. */
    VPADDD(1, 1, 0xFE),
    /** 32-bit differences, modulo 2^32. */
    VPSUBD(1, 1, 0xFA),
    /** 32-bit products, modulo 2^32. */
    VPMULLD(2, 1, 0x40),
    /** The larger of signed 32-bit numbers. */
    VPMAXSD(2, 1, 0x3D),
    /** All bits of 32 where the signed number of a is larger than that of b, else none. */
    VPCMPGTD(1, 1, 0x66),
    /** In each half, signed 32-bit numbers of a, then of b, to 16 bits, saturated. */
    VPACKSSDW(1, 1, 0x6B),
    /** In each half, signed 16-bit numbers of a, then of b, to 8 bits, saturated. */
    VPACKSSWB(1, 1, 0x63),
    /** The 32-bit parts of each half of b, in an order given by a number. */
    VPSHUFD(1, 1, 0x70),
    /** Low 32 bits of each half of a and b, one by one. */
    VPUNPCKLDQ(1, 1, 0x62),
    /** Float quotients. */
    VDIVPS(1, 0, 0x5E),
    /** 8-bit differences, modulo 2^8. */
    VPSUBB(1, 1, 0xF8),
    /** Products of unsigned bytes of a and signed bytes of b, two neighbours added to 16 bits, saturated. */
    VPMADDUBSW(2, 1, 0x04),
    /** Products of signed 16-bit numbers, two neighbours added to 32 bits. */
    VPMADDWD(1, 1, 0xF5),
    /** Bytes of a, negated where those of b are negative, 0 where they are 0. */
    VPSIGNB(2, 1, 0x08),
    /** In each half, the bytes of a that the low four bits of each byte of b name, or 0 where its top bit is set. */
    VPSHUFB(2, 1, 0x00),
    /** Low bytes of each half of a and b, one by one. */
    VPUNPCKLBW(1, 1, 0x60),
    /** High bytes of each half. */
    VPUNPCKHBW(1, 1, 0x68),
    /** Low 16-bit words of each half. */
    VPUNPCKLWD(1, 1, 0x61),
    /** High 16-bit words of each half. */
    VPUNPCKHWD(1, 1, 0x69),
    /** Low 64 bits of each half. */
    VPUNPCKLQDQ(1, 1, 0x6C),
    /** High 64 bits of each half. */
    VPUNPCKHQDQ(1, 1, 0x6D),
    /** Float sums. */
    VADDPS(1, 0, 0x58),
    /** Float products. */
    VMULPS(1, 0, 0x59),
    /** {@code d = fma(a, b, d)}. */
    VFMADD231PS(2, 1, 0xB8),
    /** Two of the floats of a, then two of b, in each half; chosen by a number. */
    VSHUFPS(1, 0, 0xC6),
    /** Halves of a and b, chosen by a number. */
    VPERM2F128(3, 1, 0x06),
    /** The 64-bit parts of b, in an order given by a number. */
    VPERMQ(3, 1, 0x00),
    /** Magnitudes of signed bytes. */
    VPABSB(2, 1, 0x1C),
    /** Signed 32-bit integers to floats. */
    VCVTDQ2PS(1, 0, 0x5B),
    /** Eight half-precision numbers to floats. */
    VCVTPH2PS(2, 1, 0x13),
    /** Eight signed bytes to 32 bits. */
    VPMOVSXBD(2, 1, 0x21),
    /** 32 bits, eight times. */
    VPBROADCASTD(2, 1, 0x58),
    /** A float, eight times; of memory. */
    VBROADCASTSS(2, 1, 0x18),
    /** 32 bytes from memory that need not be aligned. */
    VMOVDQU(1, 2, 0x6F),
    /** 32 bytes to memory. */
    VMOVDQU_STORE(1, 2, 0x7F),
    /** Float differences. */
    VSUBPS(1, 0, 0x5C),
    /** The larger floats; b where one is NaN. */
    VMAXPS(1, 0, 0x5F),
    /** The smaller floats; b where one is NaN. */
    VMINPS(1, 0, 0x5D),
    /** {@code d = fma(a, d, b)}. */
    VFMADD213PS(2, 1, 0xA8),
    /** {@code d = fma(a, d, -b)}. */
    VFMSUB213PS(2, 1, 0xAA),
    /** {@code d = fma(a, b, -d)}. */
    VFMSUB231PS(2, 1, 0xBA),
    /** All bits of a float where a number says that a and b compare so, else none. */
    VCMPPS(1, 0, 0xC2),
    /** The signs of eight floats; the general register that receives them is d. */
    VMOVMSKPS(1, 0, 0x50),
    /** Sums of doubles. */
    VADDPD(1, 1, 0x58),
    /** Differences of doubles. */
    VSUBPD(1, 1, 0x5C),
    /** Products of doubles. */
    VMULPD(1, 1, 0x59),
    /** Quotients of doubles. */
    VDIVPD(1, 1, 0x5E),
    /** {@code d = fma(a, b, d)} of doubles. */
    VFMADD231PD(2, 1, 0xB8),
    /** All bits of a double where a number says that a and b compare so, else none. */
    VCMPPD(1, 1, 0xC2),
    /** Doubles of b to integers, rounded as a number says. */
    VROUNDPD(3, 1, 0x09),
    /** Four floats to doubles. */
    VCVTPS2PD(1, 0, 0x5A),
    /** A double, four times; of memory. */
    VBROADCASTSD(2, 1, 0x19),
    /** 64-bit differences, modulo 2^64. */
    VPSUBQ(1, 1, 0xFB),
    /** The upper half to a lower one; the register that receives it is b. */
    VEXTRACTI128(3, 1, 0x39);

    private final int map;
    private final int prefix;
    private final int opcode;

    VectorOp(int map, int prefix, int opcode) {
        this.map = map;
        this.prefix = prefix;
        this.opcode = opcode;
    }

    int map() {
        return map;
    }

    int prefix() {
        return prefix;
    }

    int opcode() {
        return opcode;
    }

    /** The bit W; only here it says something. */
    boolean wide() {
        return this == VPERMQ || this == VFMADD231PD;
    }
}
