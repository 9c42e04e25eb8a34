package dev.tidestream.model.kernels.jit.attention;

import dev.tidestream.model.kernels.jit.attention.AttentionMemory.Constant;
import dev.tidestream.model.kernels.jit.base.Lanes;
import dev.tidestream.model.kernels.jit.base.RegisterRange;
import dev.tidestream.model.kernels.jit.base.VectorRegisters;
import dev.tidestream.model.machine.Address;
import dev.tidestream.model.machine.Assembler;
import dev.tidestream.model.machine.Register;
import dev.tidestream.model.machine.VectorOp;
import dev.tidestream.model.machine.WideOp;

import static dev.tidestream.model.kernels.jit.attention.AttentionMemory.FOUR;
import static dev.tidestream.model.kernels.jit.attention.AttentionMemory.GROUP_BYTES;
import static dev.tidestream.model.kernels.jit.attention.AttentionMemory.WEIGHTS_ROW_BYTES;

/**
 * Writes the programs of {@link GeneratedAttention} that multiply, {@code void f(arguments)}. Lanes are positions in scores and
 * dimensions in values, as in {@code VectorAttentionTiles}: four queries by two vectors, eight chains of fma.
 *
 * <pre>
 * registers   rdi arguments, rsi keys or values, r11 those that come next, rax columns or positions to go, r9 what is written
 *             scores: r8, rdx, rcx, r10 four queries
 *             values: r8 weights of four queries, rdx where a group of lanes begins, rcx groups to go
 * </pre>
 *
 * <p>Vector registers are those of {@link #ROLES}.
 */
final class AttentionEmitter {
    private static final int HALVES_OF_GROUP_BYTES = 64;
    private static final int VECTORS = 2;
    private static final VectorRegisters ROLES = VectorRegisters.zmm();
    private static final RegisterRange CHAINS = ROLES.take("chains, query by query", FOUR * VECTORS);
    private static final RegisterRange SOURCE = ROLES.take("keys or values", VECTORS);
    private static final int FACTOR = ROLES.take("what they are multiplied with", 1).only();
    private static final int FIRST = ROLES.take("first vector in order", 1).only();
    private static final int SECOND = ROLES.take("second vector in order", 1).only();
    private static final int EVENS = ROLES.without("none", 3).take("order of even lanes, with AVX-512", 1).only();
    private static final int ODDS = ROLES.take("order of odd lanes, with AVX-512", 1).only();
    private static final int SHUFFLE_EVENS = 0x88;
    private static final int SHUFFLE_ODDS = 0xDD;
    private static final int MIDDLE_SWAPPED = 0xD8;
    private static final Register[] QUERIES = {Register.R8, Register.RDX, Register.RCX, Register.R10};

    private final Assembler code;
    private final Lanes lanes;
    private final int parts; // of a group of 32 lanes, two vectors each

    AttentionEmitter(Lanes lanes) {
        this.code = lanes.code();
        this.lanes = lanes;
        this.parts = lanes.vectors(32) / VECTORS;
    }

    /** Halves at SOURCE to floats at TO, GROUPS times 32 of them. */
    void unpack() {
        code.load(Register.RSI, argument(AttentionMemory.SOURCE));
        code.load(Register.RDX, argument(AttentionMemory.TO));
        code.load(Register.RAX, argument(AttentionMemory.GROUPS));
        Assembler.Label next = code.label("group");
        for (int i = 0; i < lanes.vectors(32); i++) {
            lanes.loadHalves(CHAINS.at(i), new Address(Register.RSI, i * lanes.bytes() / 2));
            lanes.store(new Address(Register.RDX, i * lanes.bytes()), CHAINS.at(i));
        }
        code.add(Register.RSI, HALVES_OF_GROUP_BYTES);
        code.add(Register.RDX, GROUP_BYTES);
        repeat(Register.RAX, next);
        end();
    }

    /**
     * Scores of the 32 positions of a block of keys, FOURS times four queries.
     *
     * @param halves whether the keys are F16, or floats
     * @param pairs whether their lanes have the order of pairs
     */
    void scores(boolean halves, boolean pairs) {
        code.load(Register.R11, argument(AttentionMemory.FOURS));
        code.store(argument(AttentionMemory.FOURS_LEFT), Register.R11);
        code.load(Register.R9, argument(AttentionMemory.WEIGHTS));
        code.load(Register.R8, argument(AttentionMemory.QUERY));
        order(pairs);
        Assembler.Label nextFour = code.label("four");
        code.store(argument(AttentionMemory.SAVED), Register.R8);
        for (int part = 0; part < parts; part++) {
            code.load(Register.R8, argument(AttentionMemory.SAVED));
            for (int j = 1; j < FOUR; j++) {
                code.move(QUERIES[j], QUERIES[j - 1]);
                code.add(QUERIES[j], argument(AttentionMemory.QUERY_BYTES));
            }
            code.load(Register.RSI, argument(AttentionMemory.SOURCE));
            code.load(Register.R11, argument(AttentionMemory.NEXT));
            code.load(Register.RAX, argument(AttentionMemory.HEAD_DIM));
            for (int i = 0; i < FOUR * VECTORS; i++) {
                lanes.clear(CHAINS.at(i));
            }
            Assembler.Label next = code.label("dimension");
            ahead();
            source(halves, part);
            for (int j = 0; j < FOUR; j++) {
                lanes.broadcast(FACTOR, new Address(QUERIES[j], 0));
                products(j);
                code.add(QUERIES[j], Float.BYTES);
            }
            code.add(Register.RSI, halves ? HALVES_OF_GROUP_BYTES : GROUP_BYTES);
            repeat(Register.RAX, next);
            storeScores(part, pairs);
        }
        code.move(Register.R8, QUERIES[FOUR - 1]); // it has gone through all of the fourth
        code.add(Register.R9, FOUR * WEIGHTS_ROW_BYTES);
        code.load(Register.R11, argument(AttentionMemory.FOURS_LEFT));
        code.add(Register.R11, -1);
        code.store(argument(AttentionMemory.FOURS_LEFT), Register.R11);
        code.jumpIfNotZero(nextFour);
        end();
    }

    private void storeScores(int part, boolean pairs) {
        lanes.broadcast(FACTOR, argument(AttentionMemory.SCALE));
        for (int j = 0; j < FOUR; j++) {
            for (int v = 0; v < VECTORS; v++) {
                lanes.multiply(chain(j, v), chain(j, v), FACTOR);
            }
            store(Register.R9, j * WEIGHTS_ROW_BYTES, part, chain(j, 0), pairs);
        }
    }

    /**
     * Adds weighted values of COUNT positions, FOURS times four queries, GROUPS groups of 32 dimensions.
     *
     * @param halves whether the values are F16, or floats
     * @param queries four, or one: then FOURS is 1
     */
    void values(boolean halves, int queries) {
        code.load(Register.R11, argument(AttentionMemory.FOURS));
        code.store(argument(AttentionMemory.FOURS_LEFT), Register.R11);
        code.load(Register.R9, argument(AttentionMemory.SUMS));
        code.load(Register.R8, argument(AttentionMemory.WEIGHTS));
        Assembler.Label nextFour = code.label("four");
        code.store(argument(AttentionMemory.SAVED), Register.R8);
        code.load(Register.RDX, argument(AttentionMemory.SOURCE));
        code.load(Register.RCX, argument(AttentionMemory.GROUPS));
        code.load(Register.R11, argument(AttentionMemory.NEXT));
        Assembler.Label nextGroup = code.label("group");
        for (int part = 0; part < parts; part++) {
            code.move(Register.RSI, Register.RDX);
            code.load(Register.R8, argument(AttentionMemory.SAVED));
            code.load(Register.RAX, argument(AttentionMemory.COUNT));
            for (int i = 0; i < queries * VECTORS; i++) {
                lanes.load(CHAINS.at(i), sum(part, i));
            }
            Assembler.Label next = code.label("position");
            ahead();
            source(halves, part);
            for (int j = 0; j < queries; j++) {
                lanes.broadcast(FACTOR, new Address(Register.R8, j * WEIGHTS_ROW_BYTES));
                products(j);
            }
            code.add(Register.RSI, argument(AttentionMemory.ROW_BYTES));
            code.add(Register.R8, Float.BYTES);
            repeat(Register.RAX, next);
            for (int i = 0; i < queries * VECTORS; i++) {
                lanes.store(sum(part, i), CHAINS.at(i));
            }
        }
        code.add(Register.RDX, halves ? HALVES_OF_GROUP_BYTES : GROUP_BYTES);
        code.add(Register.R9, FOUR * GROUP_BYTES);
        repeat(Register.RCX, nextGroup);
        code.load(Register.R8, argument(AttentionMemory.SAVED));
        code.add(Register.R8, FOUR * WEIGHTS_ROW_BYTES);
        code.load(Register.R11, argument(AttentionMemory.FOURS_LEFT));
        code.add(Register.R11, -1);
        code.store(argument(AttentionMemory.FOURS_LEFT), Register.R11);
        code.jumpIfNotZero(nextFour);
        end();
    }

    private Address sum(int part, int i) {
        return new Address(Register.R9, i / VECTORS * GROUP_BYTES + (part * VECTORS + i % VECTORS) * lanes.bytes());
    }

    /**
     * {@code values = fma(fresh, OTHER_SCALE, values * SCALE)} of one query, GROUPS groups: values at SUMS, fresh ones at SOURCE.
     */
    void join() {
        code.load(Register.R9, argument(AttentionMemory.SUMS));
        code.load(Register.RSI, argument(AttentionMemory.SOURCE));
        code.load(Register.RAX, argument(AttentionMemory.GROUPS));
        lanes.broadcast(FACTOR, argument(AttentionMemory.SCALE));
        lanes.broadcast(FIRST, argument(AttentionMemory.OTHER_SCALE));
        Assembler.Label next = code.label("four");
        for (int i = 0; i < lanes.vectors(32); i++) {
            lanes.multiply(CHAINS.at(i), FACTOR, new Address(Register.R9, i * lanes.bytes()));
            lanes.addProduct(CHAINS.at(i), FIRST, new Address(Register.RSI, i * lanes.bytes()));
            lanes.store(new Address(Register.R9, i * lanes.bytes()), CHAINS.at(i));
        }
        code.add(Register.R9, FOUR * GROUP_BYTES);
        code.add(Register.RSI, FOUR * GROUP_BYTES);
        repeat(Register.RAX, next);
        end();
    }

    /**
     * Values at SUMS times SCALE, of one query, GROUPS groups, to TO.
     *
     * @param pairs whether their lanes have the order of pairs
     */
    void finish(boolean pairs) {
        code.load(Register.RSI, argument(AttentionMemory.SUMS));
        code.load(Register.R9, argument(AttentionMemory.TO));
        code.load(Register.RAX, argument(AttentionMemory.GROUPS));
        order(pairs);
        lanes.broadcast(FACTOR, argument(AttentionMemory.SCALE));
        Assembler.Label next = code.label("vector");
        for (int part = 0; part < parts; part++) {
            for (int v = 0; v < VECTORS; v++) {
                lanes.multiply(CHAINS.at(v), FACTOR, new Address(Register.RSI, (part * VECTORS + v) * lanes.bytes()));
            }
            store(Register.R9, 0, part, CHAINS.first(), pairs);
        }
        code.add(Register.RSI, FOUR * GROUP_BYTES);
        code.add(Register.R9, GROUP_BYTES);
        repeat(Register.RAX, next);
        end();
    }

    private void source(boolean halves, int part) {
        for (int v = 0; v < VECTORS; v++) {
            int at = (part * VECTORS + v) * lanes.bytes();
            if (halves) {
                lanes.loadHalves(SOURCE.at(v), new Address(Register.RSI, at / 2));
            } else {
                lanes.load(SOURCE.at(v), new Address(Register.RSI, at));
            }
        }
    }

    /** Asks for a line of what comes next: blocks lie apart, and nobody else would. */
    private void ahead() {
        code.prefetch(new Address(Register.R11, 0));
        code.add(Register.R11, HALVES_OF_GROUP_BYTES);
    }

    private void products(int query) {
        for (int v = 0; v < VECTORS; v++) {
            lanes.addProduct(chain(query, v), FACTOR, SOURCE.at(v));
        }
    }

    private static int chain(int query, int vector) {
        return CHAINS.at(query * VECTORS + vector);
    }

    private void order(boolean pairs) {
        if (pairs && lanes.wide()) {
            lanes.load(EVENS, argument(Constant.EVENS.offset()));
            lanes.load(ODDS, argument(Constant.ODDS.offset()));
        }
    }

    /** Two vectors, a and the next one, of a part of a group, in order. */
    private void store(Register to, int at, int part, int a, boolean pairs) {
        if (!pairs) {
            for (int v = 0; v < VECTORS; v++) {
                lanes.store(new Address(to, at + (part * VECTORS + v) * lanes.bytes()), a + v);
            }
            return;
        }
        if (lanes.wide()) {
            lanes.move(FIRST, a);
            code.wide(WideOp.VPERMT2PS, FIRST, EVENS, a + 1);
            lanes.move(SECOND, a);
            code.wide(WideOp.VPERMT2PS, SECOND, ODDS, a + 1);
        } else {
            code.vector(VectorOp.VSHUFPS, FIRST, a, a + 1, SHUFFLE_EVENS);
            code.vector(VectorOp.VPERMQ, FIRST, 0, FIRST, MIDDLE_SWAPPED);
            code.vector(VectorOp.VSHUFPS, SECOND, a, a + 1, SHUFFLE_ODDS);
            code.vector(VectorOp.VPERMQ, SECOND, 0, SECOND, MIDDLE_SWAPPED);
        }
        lanes.store(new Address(to, at + part * lanes.bytes()), FIRST);
        lanes.store(new Address(to, at + GROUP_BYTES / 2 + part * lanes.bytes()), SECOND);
    }

    private void repeat(Register count, Assembler.Label from) {
        code.add(count, -1);
        code.jumpIfNotZero(from);
    }

    private void end() {
        code.zeroUpper();
        code.ret();
    }

    static Address argument(int offset) {
        return new Address(Register.RDI, offset);
    }
}
