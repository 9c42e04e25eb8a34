package dev.tidestream.model.kernels.jit.base;

import dev.tidestream.model.machine.Address;
import dev.tidestream.model.machine.Assembler;
import dev.tidestream.model.machine.Register;
import dev.tidestream.model.machine.Shift;
import dev.tidestream.model.machine.VectorOp;
import dev.tidestream.model.machine.WideOp;

/**
 * Float arithmetic of a program that is the same with vectors of 256 bits (AVX2, registers 0–15) and of 512 (AVX-512, registers
 * 0–31): the same operations on each lane, more lanes at a time.
 */
public record Lanes(Assembler code, boolean wide) {
    /** {@link Assembler#truth}. */
    private static final int D_OR_A = 0xFC;

    /** Bytes of a vector. */
    public int bytes() {
        return wide ? 64 : 32;
    }

    /** Vectors that so many floats fill. */
    public int vectors(int floats) {
        return floats * Float.BYTES / bytes();
    }

    public void load(int d, Address a) {
        if (wide) {
            code.wide(WideOp.VMOVUPS, d, a);
        } else {
            code.vector(VectorOp.VMOVDQU, d, a);
        }
    }

    public void store(Address d, int a) {
        if (wide) {
            code.wide(WideOp.VMOVUPS_STORE, a, d);
        } else {
            code.vector(VectorOp.VMOVDQU_STORE, a, d);
        }
    }

    /** As many half-precision numbers as a vector has floats, to floats. */
    public void loadHalves(int d, Address a) {
        if (wide) {
            code.wide(WideOp.VCVTPH2PS, d, a);
        } else {
            code.vector(VectorOp.VCVTPH2PS, d, a);
        }
    }

    /** One float, in all lanes. */
    public void broadcast(int d, Address a) {
        if (wide) {
            code.wide(WideOp.VPBROADCASTD, d, a);
        } else {
            code.vector(VectorOp.VBROADCASTSS, d, a);
        }
    }

    public void clear(int d) {
        if (wide) {
            code.wide(WideOp.VPXORD, d, d, d);
        } else {
            code.vector(VectorOp.VPXOR, d, d, d);
        }
    }

    public void move(int d, int a) {
        if (wide) {
            code.wide(WideOp.VMOVDQA64, d, a);
        } else {
            code.vector(VectorOp.VPOR, d, a, a);
        }
    }

    public void add(int d, int a, int b) {
        operation(WideOp.VADDPS, VectorOp.VADDPS, d, a, b);
    }

    public void add(int d, int a, Address b) {
        operation(WideOp.VADDPS, VectorOp.VADDPS, d, a, b);
    }

    public void subtract(int d, int a, int b) {
        operation(WideOp.VSUBPS, VectorOp.VSUBPS, d, a, b);
    }

    public void subtract(int d, int a, Address b) {
        operation(WideOp.VSUBPS, VectorOp.VSUBPS, d, a, b);
    }

    public void multiply(int d, int a, int b) {
        operation(WideOp.VMULPS, VectorOp.VMULPS, d, a, b);
    }

    public void multiply(int d, int a, Address b) {
        operation(WideOp.VMULPS, VectorOp.VMULPS, d, a, b);
    }

    /** {@code d = a > b ? a : b}. */
    public void max(int d, int a, int b) {
        operation(WideOp.VMAXPS, VectorOp.VMAXPS, d, a, b);
    }

    /** {@code d = a < b ? a : b}. */
    public void min(int d, int a, int b) {
        operation(WideOp.VMINPS, VectorOp.VMINPS, d, a, b);
    }

    /** {@code d = a / b}. */
    public void divide(int d, int a, int b) {
        operation(WideOp.VDIVPS, VectorOp.VDIVPS, d, a, b);
    }

    /** {@code d = fma(a, b, d)}. */
    public void addProduct(int d, int a, int b) {
        operation(WideOp.VFMADD231PS, VectorOp.VFMADD231PS, d, a, b);
    }

    /** {@code d = fma(a, b, d)}. */
    public void addProduct(int d, int a, Address b) {
        operation(WideOp.VFMADD231PS, VectorOp.VFMADD231PS, d, a, b);
    }

    /** {@code d = fma(d, a, b)}. */
    public void multiplyAdd(int d, int a, int b) {
        operation(WideOp.VFMADD213PS, VectorOp.VFMADD213PS, d, a, b);
    }

    /** {@code d = fma(d, a, b)}. */
    public void multiplyAdd(int d, int a, Address b) {
        operation(WideOp.VFMADD213PS, VectorOp.VFMADD213PS, d, a, b);
    }

    /** {@code d = fma(d, a, -b)}. */
    public void multiplySubtract(int d, int a, int b) {
        operation(WideOp.VFMSUB213PS, VectorOp.VFMSUB213PS, d, a, b);
    }

    /** The half-precision numbers at the bottom of each 32 bits, to floats; with AVX-512 only. */
    public void wordsToFloats(int d, int a) {
        code.wide(WideOp.VPMOVDW, a, d);
        code.wide(WideOp.VCVTPH2PS, d, d);
    }

    /** Signed 32-bit integers to floats. */
    public void toFloats(int d, int a) {
        if (wide) {
            code.wide(WideOp.VCVTDQ2PS, d, a);
        } else {
            code.vector(VectorOp.VCVTDQ2PS, d, a);
        }
    }

    /** {@code d = a & b}. */
    public void and(int d, int a, int b) {
        operation(WideOp.VPANDD, VectorOp.VPAND, d, a, b);
    }

    /** {@code d = a & b}, with a constant of which all 32-bit parts are the same. */
    public void and(int d, int a, MachineConstant b) {
        Address address = new Address(Register.RDI, b.offset());
        if (wide) {
            code.wideEach(WideOp.VPANDD, d, a, address);
        } else {
            code.vector(VectorOp.VPAND, d, a, address);
        }
    }

    /** {@code d = d | a}. */
    public void or(int d, int a) {
        if (wide) {
            code.truth(d, a, a, D_OR_A);
        } else {
            code.vector(VectorOp.VPOR, d, d, a);
        }
    }

    /** Sums of 32-bit integers. */
    public void addIntegers(int d, int a, Address b) {
        operation(WideOp.VPADDD, VectorOp.VPADDD, d, a, b);
    }

    /** 32-bit integers. */
    public void shiftLeft(int d, int a, int count) {
        shift(Shift.VPSLLD, d, a, count);
    }

    /** 32-bit integers without a sign. */
    public void shiftRight(int d, int a, int count) {
        shift(Shift.VPSRLD, d, a, count);
    }

    /** 16-bit integers without a sign. */
    public void shiftWordsRight(int d, int a, int count) {
        shift(Shift.VPSRLW, d, a, count);
    }

    private void shift(Shift op, int d, int a, int count) {
        if (wide) {
            code.wideShift(op, d, a, count);
        } else {
            code.shift(op, d, a, count);
        }
    }

    private void operation(WideOp wideOp, VectorOp op, int d, int a, int b) {
        if (wide) {
            code.wide(wideOp, d, a, b);
        } else {
            code.vector(op, d, a, b);
        }
    }

    private void operation(WideOp wideOp, VectorOp op, int d, int a, Address b) {
        if (wide) {
            code.wide(wideOp, d, a, b);
        } else {
            code.vector(op, d, a, b);
        }
    }
}
