package dev.tidestream.model.tokenizer.regex;

/**
 * All ways through a program at one place of a text, the preferred ones first (Thompson's and Pike's construction). A way is an instruction
 * and where its match began; of two ways at the same instruction the preferred one is kept, so there are at most as many as instructions,
 * whatever the text.
 */
final class Threads {
    private final Program program;
    private final int[] pcs;
    private final int[] starts;
    private final int[] seen; // by instruction: the round in which it was met
    private final int[] stack;
    private int round;
    private int count;

    Threads(Program program) {
        this.program = program;
        pcs = new int[program.size()];
        starts = new int[program.size()];
        seen = new int[program.size()];
        stack = new int[2 * program.size() + 1];
    }

    void clear() {
        round++;
        count = 0;
    }

    int count() {
        return count;
    }

    int pc(int index) {
        return pcs[index];
    }

    int start(int index) {
        return starts[index];
    }

    /** Answers what the program asks about a place. */
    interface Scene {
        /** Whether the condition of a {@link Program#PLACE} or {@link Program#LOOK} holds here. */
        boolean holds(Program program, int pc, int at);
    }

    /** Adds all instructions that can be reached from one without reading a character. */
    void add(int from, int start, int at, Scene scene) {
        int depth = 0;
        stack[depth++] = from;
        while (depth > 0) {
            int pc = stack[--depth];
            if (seen[pc] == round) {
                continue;
            }
            seen[pc] = round;
            switch (program.op(pc)) {
                case Program.JUMP -> stack[depth++] = program.a(pc);
                case Program.SPLIT -> {
                    stack[depth++] = program.b(pc);
                    stack[depth++] = program.a(pc);
                }
                case Program.PLACE, Program.LOOK -> {
                    if (scene.holds(program, pc, at)) {
                        stack[depth++] = pc + 1;
                    }
                }
                default -> {
                    pcs[count] = pc;
                    starts[count++] = start;
                }
            }
        }
    }
}
