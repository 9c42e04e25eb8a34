package dev.tidestream.model.kernels.jit.base;

import java.util.Objects;

/**
 * Vector registers of one role, side by side, see {@link VectorRegisters}.
 *
 * @param role what they hold
 * @param first number of the first one
 * @param count of them
 */
public record RegisterRange(String role, int first, int count) {
    /**
     * Number of a register.
     *
     * @param index from 0
     * @throws IndexOutOfBoundsException if the role has no such register
     */
    public int at(int index) {
        return first + Objects.checkIndex(index, count);
    }

    /** Number of the register of a role that has one. */
    public int only() {
        if (count != 1) {
            throw new IllegalStateException("not one register: " + this);
        }
        return first;
    }

    /** Numbers and role, such as {@code 0–3 sums}. */
    @Override
    public String toString() {
        return count == 1 ? first + " " + role : "%d–%d %s".formatted(first, first + count - 1, role);
    }
}
