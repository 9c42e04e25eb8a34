package dev.tidestream.model.tokenizer.regex;

import java.util.BitSet;

/**
 * Which ways through a program lead to a match, known before they are gone: found from the end of the text to its beginning, in one pass.
 * Then a match is one way, the preferred one of those that lead to one, and nothing is read behind its end.
 *
 * <p>Kept are the sets of instructions at the beginnings of blocks, and at all places of one block, which are found again when the search
 * comes there: for n chars and m instructions some 2 x sqrt(n) x m bits, and each place is worked out twice. Used by one thread.
 */
final class Future {
    private static final int LEAST_BLOCK = 64; // chars

    private final Program program;
    private final String text;
    private final int start;
    private final int end;
    private final Threads.Scene scene;
    private final int[][] splits; // by instruction: splits and jumps that lead there without a condition
    private final int block;
    private final BitSet[] atBlocks; // alive at the first place at or behind the beginning of the block
    private final BitSet[] inBlock; // by place
    private int blockInHand = -1;
    private final int[] stack;
    private final BitSet seen;

    Future(Program program, String text, int start, int end, Threads.Scene scene) {
        this.program = program;
        this.text = text;
        this.start = start;
        this.end = end;
        this.scene = scene;
        splits = splits(program);
        stack = new int[2 * program.size() + 1];
        seen = new BitSet(program.size());
        block = Math.max(LEAST_BLOCK, (int) Math.sqrt(end - start));
        int blocks = (end - start) / block + 1;
        atBlocks = new BitSet[blocks];
        inBlock = new BitSet[block];
        BitSet alive = alive(end, new BitSet(), -1);
        for (int i = blocks - 1; i >= 0; i--) {
            alive = readBlock(i, alive, false);
            atBlocks[i] = alive;
        }
    }

    private static int[][] splits(Program program) {
        int[] counts = new int[program.size() + 1];
        for (int pc = 0; pc < program.size(); pc++) {
            if (program.op(pc) == Program.SPLIT || program.op(pc) == Program.JUMP) {
                counts[program.a(pc)]++;
            }
            if (program.op(pc) == Program.SPLIT) {
                counts[program.b(pc)]++;
            }
        }
        int[][] from = new int[program.size()][];
        for (int pc = 0; pc < from.length; pc++) {
            from[pc] = new int[counts[pc]];
        }
        for (int pc = 0; pc < program.size(); pc++) {
            if (program.op(pc) == Program.SPLIT || program.op(pc) == Program.JUMP) {
                from[program.a(pc)][--counts[program.a(pc)]] = pc;
            }
            if (program.op(pc) == Program.SPLIT) {
                from[program.b(pc)][--counts[program.b(pc)]] = pc;
            }
        }
        return from;
    }

    private int firstOf(int index) {
        int at = start + index * block;
        return at > start && at < end && Character.isLowSurrogate(text.charAt(at)) && Character.isHighSurrogate(text.charAt(at - 1))
                ? at + 1 : at;
    }

    /**
     * Reads a block from its end.
     *
     * @param behind what is alive at the beginning of the next block, or at the end of the text
     * @return what is alive at the block's beginning
     */
    private BitSet readBlock(int index, BitSet behind, boolean keep) {
        int first = firstOf(index);
        int at = (index + 1) * (long) block + start > end ? end : firstOf(index + 1);
        BitSet alive = behind;
        if (keep && at == end && at - start - index * block < block) {
            inBlock[at - start - index * block] = alive;
        }
        while (at > first) {
            int c = text.codePointBefore(at);
            at -= Character.charCount(c);
            alive = alive(at, alive, c);
            if (keep) {
                inBlock[at - start - index * block] = alive;
            }
        }
        return alive;
    }

    /**
     * What leads to a match from a place on.
     *
     * @param behind what does from the next one on
     * @param c the character between; -1 at the end
     */
    private BitSet alive(int at, BitSet behind, int c) {
        BitSet alive = new BitSet(program.size());
        int depth = 0;
        int match = program.size() - 1; // every program ends with its only one
        alive.set(match);
        stack[depth++] = match;
        for (int to = behind.nextSetBit(1); to >= 0; to = behind.nextSetBit(to + 1)) {
            int pc = to - 1;
            if (program.op(pc) == Program.CHAR && c >= 0 && program.takes(pc, c)) {
                alive.set(pc);
                stack[depth++] = pc;
            }
        }
        while (depth > 0) {
            int to = stack[--depth];
            for (int pc : splits[to]) {
                if (!alive.get(pc)) {
                    alive.set(pc);
                    stack[depth++] = pc;
                }
            }
            int pc = to - 1;
            boolean condition = pc >= 0 && (program.op(pc) == Program.PLACE || program.op(pc) == Program.LOOK);
            if (condition && !alive.get(pc) && scene.holds(program, pc, at)) {
                alive.set(pc);
                stack[depth++] = pc;
            }
        }
        return alive;
    }

    private BitSet at(int at) {
        int index = Math.min((at - start) / block, atBlocks.length - 1);
        if (index != blockInHand) {
            BitSet behind = index + 1 < atBlocks.length ? atBlocks[index + 1] : alive(end, new BitSet(), -1);
            readBlock(index, behind, true);
            blockInHand = index;
        }
        return inBlock[at - start - index * block];
    }

    /** Where the first match begins at this place or later; -1 if none does. */
    int start(int from) {
        int at = from;
        while (!at(at).get(0)) {
            if (at == end) {
                return -1;
            }
            at += Character.charCount(text.codePointAt(at));
        }
        return at;
    }

    /** Where the preferred match ends that begins at this place. */
    int end(int from) {
        int at = from;
        int pc = preferred(0, at);
        while (program.op(pc) != Program.MATCH) {
            at += Character.charCount(text.codePointAt(at));
            pc = preferred(pc + 1, at);
        }
        return at;
    }

    /** The first instruction that reads a character, or the match: of those that lead to a match. */
    private int preferred(int from, int at) {
        BitSet alive = at(at);
        seen.clear();
        int depth = 0;
        stack[depth++] = from;
        while (depth > 0) {
            int pc = stack[--depth];
            if (!alive.get(pc) || seen.get(pc)) {
                continue;
            }
            seen.set(pc);
            switch (program.op(pc)) {
                case Program.JUMP -> stack[depth++] = program.a(pc);
                case Program.SPLIT -> {
                    stack[depth++] = program.b(pc);
                    stack[depth++] = program.a(pc);
                }
                case Program.PLACE, Program.LOOK -> stack[depth++] = pc + 1;
                default -> {
                    return pc;
                }
            }
        }
        throw new IllegalStateException("no way to a match from a place where there is one: at=%d".formatted(at));
    }
}
