package dev.tidestream.model.kernels.jit.base;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/**
 * Which vector registers of a kernel have which role. Roles take registers one after the other, so no register has two roles.
 * Used while a class of emitters is initialised, by one thread.
 */
public final class VectorRegisters {
    private static final int YMM = 16;
    private static final int ZMM = 32;

    private final int count;
    private final List<RegisterRange> roles = new ArrayList<>();

    private VectorRegisters(int count) {
        this.count = count;
    }

    /** The 16 registers of AVX2. */
    public static VectorRegisters ymm() {
        return new VectorRegisters(YMM);
    }

    /** The 32 registers of AVX-512. */
    public static VectorRegisters zmm() {
        return new VectorRegisters(ZMM);
    }

    private int taken() {
        return roles.isEmpty() ? 0 : roles.getLast().first() + roles.getLast().count();
    }

    /**
     * The next registers.
     *
     * @throws IllegalArgumentException if there are not so many left
     */
    public RegisterRange take(String role, int registers) {
        if (registers < 1 || taken() + registers > count) {
            throw new IllegalArgumentException("no %d registers for %s beside %s".formatted(registers, role, this));
        }
        roles.add(new RegisterRange(role, taken(), registers));
        return roles.getLast();
    }

    /**
     * The same, the next registers aside, which have their role elsewhere.
     *
     * @throws IllegalArgumentException if there are not so many left
     */
    public VectorRegisters without(String role, int registers) {
        RegisterRange _ = take(role, registers);
        return this;
    }

    /** Roles in order, such as {@code 0–3 sums, 4–7 products}. */
    @Override
    public String toString() {
        return roles.stream().map(RegisterRange::toString).collect(Collectors.joining(", "));
    }
}
