package dev.tidestream.model.tokenizer.regex;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;

/**
 * An expression as instructions for {@link Threads}. Read backwards, it is the program of its mirror image. Immutable once it is made.
 */
final class Program {
    static final int CHAR = 0; // a = index of the class
    static final int SPLIT = 1; // a before b
    static final int JUMP = 2; // to a
    static final int PLACE = 3; // a = index of the condition
    static final int LOOK = 4; // a = index of the look
    static final int MATCH = 5;

    private static final int MOST = 20_000;
    private static final int MOST_LOOKS = 64;

    private final boolean backwards;
    private final Budget budget;
    private int[] ops = new int[16];
    private int[] as = new int[16];
    private int[] bs = new int[16];
    private int size;
    private final List<CharClass> classes = new ArrayList<>();
    private final List<Node.Between> places = new ArrayList<>();
    private final List<Looking> looks = new ArrayList<>();
    private final IdentityHashMap<Node.Look, Integer> known = new IdentityHashMap<>(); // a look that is repeated is one

    /** A look: the program that finds out, and what is wanted of it. */
    record Looking(Program program, boolean ahead, boolean wanted) {}

    /** What an expression has left for all its programs. */
    private static final class Budget {
        private int instructions = MOST;
        private int looks = MOST_LOOKS;
    }

    private Program(boolean backwards, Budget budget) {
        this.backwards = backwards;
        this.budget = budget;
    }

    static Program of(Node node) {
        Program program = new Program(false, new Budget());
        program.add(node);
        program.emit(MATCH, 0, 0);
        return program;
    }

    private void add(Node node) {
        switch (node) {
            case Node.One(CharClass chars) -> {
                classes.add(chars);
                emit(CHAR, classes.size() - 1, 0);
            }
            case Node.Row(List<Node> parts) -> {
                List<Node> order = new ArrayList<>(parts);
                if (backwards) {
                    Collections.reverse(order);
                }
                order.forEach(this::add);
            }
            case Node.Choice(List<Node> options) -> choice(options);
            case Node.Repeat repeat -> repeat(repeat);
            case Node.Place(Node.Between place) -> {
                places.add(place);
                emit(PLACE, places.size() - 1, 0);
            }
            case Node.Look look -> look(look);
        }
    }

    private void choice(List<Node> options) {
        int[] jumps = new int[options.size() - 1];
        for (int i = 0; i < jumps.length; i++) {
            int split = emit(SPLIT, 0, 0);
            as[split] = size;
            add(options.get(i));
            jumps[i] = emit(JUMP, 0, 0);
            bs[split] = size;
        }
        add(options.getLast());
        for (int jump : jumps) {
            as[jump] = size;
        }
    }

    private void repeat(Node.Repeat repeat) {
        for (int i = 0; i < repeat.least(); i++) {
            add(repeat.part());
        }
        if (repeat.most() < 0) {
            int split = emit(SPLIT, 0, 0);
            add(repeat.part());
            emit(JUMP, split, 0);
            branch(split, repeat.greedy());
            return;
        }
        int[] splits = new int[repeat.most() - repeat.least()];
        for (int i = 0; i < splits.length; i++) {
            splits[i] = emit(SPLIT, 0, 0);
            add(repeat.part());
        }
        for (int split : splits) {
            branch(split, repeat.greedy());
        }
    }

    /** The split goes on behind it or, what comes now, past the repetition. */
    private void branch(int split, boolean greedy) {
        as[split] = greedy ? split + 1 : size;
        bs[split] = greedy ? size : split + 1;
    }

    private void look(Node.Look look) {
        boolean wanted = look.wanted();
        if (look.part() instanceof Node.One(CharClass chars)) {
            places.add(look.ahead()
                    ? (_, behind) -> (behind >= 0 && chars.has(behind)) == wanted
                    : (before, _) -> (before >= 0 && chars.has(before)) == wanted);
            emit(PLACE, places.size() - 1, 0);
            return;
        }
        Integer index = known.get(look);
        if (index == null) {
            index = looks.size();
            known.put(look, index);
            looks.add(new Looking(looking(look), look.ahead(), wanted));
        }
        emit(LOOK, index, 0);
    }

    /** What lies ahead is read from its end. */
    private Program looking(Node.Look look) {
        if (--budget.looks < 0) {
            throw new RegexSyntaxException("regular expression too large: looks>%d".formatted(MOST_LOOKS));
        }
        Program program = new Program(look.ahead(), budget);
        program.add(look.part());
        program.emit(MATCH, 0, 0);
        return program;
    }

    private int emit(int op, int a, int b) {
        if (--budget.instructions < 0) {
            throw new RegexSyntaxException("regular expression too large: instructions>%d".formatted(MOST));
        }
        if (size == ops.length) {
            ops = Arrays.copyOf(ops, 2 * size);
            as = Arrays.copyOf(as, 2 * size);
            bs = Arrays.copyOf(bs, 2 * size);
        }
        ops[size] = op;
        as[size] = a;
        bs[size] = b;
        return size++;
    }

    int size() {
        return size;
    }

    int op(int pc) {
        return ops[pc];
    }

    int a(int pc) {
        return as[pc];
    }

    int b(int pc) {
        return bs[pc];
    }

    boolean takes(int pc, int c) {
        return classes.get(as[pc]).has(c);
    }

    boolean holds(int pc, int before, int behind) {
        return places.get(as[pc]).holds(before, behind);
    }

    List<Looking> looks() {
        return looks;
    }
}
