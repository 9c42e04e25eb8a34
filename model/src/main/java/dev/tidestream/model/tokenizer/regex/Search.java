package dev.tidestream.model.tokenizer.regex;

import java.util.BitSet;

import org.jspecify.annotations.Nullable;

/** Searches in one range of one text. Used by one thread. */
final class Search implements Threads.Scene {
    private final Program program;
    private final String text;
    private final int start;
    private final int end;
    private final @Nullable BitSet[] looks; // by look of the program: places where it holds, once they are asked for
    private Threads now;
    private Threads next;
    private int matchStart;
    private int matchEnd;

    Search(Program program, String text, int start, int end) {
        this.program = program;
        this.text = text;
        this.start = start;
        this.end = end;
        looks = new BitSet[program.looks().size()];
        now = new Threads(program);
        next = new Threads(program);
    }

    int matchStart() {
        return matchStart;
    }

    int matchEnd() {
        return matchEnd;
    }

    /** Finds the first match that begins at this place or later. */
    boolean find(int from) {
        boolean found = false;
        now.clear();
        int at = from;
        while (true) {
            if (!found) {
                now.add(0, at, at, this); // the least preferred: whatever began further left goes first
            } else if (now.count() == 0) {
                return true;
            }
            int c = at < end ? text.codePointAt(at) : -1;
            int behind = at + (c > Character.MAX_VALUE ? 2 : 1);
            next.clear();
            for (int i = 0; i < now.count(); i++) {
                int pc = now.pc(i);
                if (program.op(pc) == Program.MATCH) {
                    found = true;
                    matchStart = now.start(i);
                    matchEnd = at;
                    break; // what follows is less preferred
                }
                if (c >= 0 && program.takes(pc, c)) {
                    next.add(pc + 1, now.start(i), behind, this);
                }
            }
            if (c < 0) {
                return found;
            }
            Threads done = now;
            now = next;
            next = done;
            at = behind;
        }
    }

    @Override
    public boolean holds(Program asking, int pc, int at) {
        if (asking.op(pc) == Program.PLACE) {
            return asking.holds(pc, at > start ? text.codePointBefore(at) : -1, at < end ? text.codePointAt(at) : -1);
        }
        int look = asking.a(pc);
        Program.Looking looking = asking.looks().get(look);
        BitSet places = looks[look];
        if (places == null) {
            places = new Search(looking.program(), text, start, end).places(looking.ahead());
            looks[look] = places;
        }
        return places.get(at - start) == looking.wanted();
    }

    /** Where matches end, or, for a program that reads backwards, where they begin: every place, found in one pass. */
    private BitSet places(boolean backwards) {
        BitSet places = new BitSet(end - start + 1);
        int at = backwards ? end : start;
        now.clear();
        while (true) {
            now.add(0, 0, at, this);
            boolean last = backwards ? at == start : at == end;
            int c = last ? -1 : backwards ? text.codePointBefore(at) : text.codePointAt(at);
            int width = c > Character.MAX_VALUE ? 2 : 1;
            int behind = backwards ? at - width : at + width;
            next.clear();
            for (int i = 0; i < now.count(); i++) {
                if (program.op(now.pc(i)) == Program.MATCH) {
                    places.set(at - start);
                } else if (c >= 0 && program.takes(now.pc(i), c)) {
                    next.add(now.pc(i) + 1, 0, behind, this);
                }
            }
            if (last) {
                return places;
            }
            Threads done = now;
            now = next;
            next = done;
            at = behind;
        }
    }
}
