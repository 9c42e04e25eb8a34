package dev.tidestream.model.tokenizer.regex;

import java.util.Arrays;
import java.util.BitSet;

import org.jspecify.annotations.Nullable;

/**
 * Searches in one range after the other of one text. Used by one thread.
 *
 * <p>A search reads on as long as a way that is preferred to what it found may still lead to a match. Where such ways end far behind the
 * match, the next search reads that again; once more has been read so than a few times the range, {@link Future} takes over, which reads
 * everything once from the end, and is slower where nothing is read twice. So a range of n chars takes at most a constant times
 * n x (size of the program) steps, whatever it says.
 */
final class Search implements Threads.Scene {
    private static final int MOST_READ_AGAIN = 4; // times the range
    private static final int FREE = 1024; // chars

    private final Program program;
    private final String text;
    private final long mostReadAgain; // times the range
    private final Search[] looking; // by look of the program
    private final @Nullable BitSet[] looks; // by look of the program: places where it holds, once they are asked for
    private int start;
    private int end;
    private Threads now;
    private Threads next;
    private int matchStart;
    private int matchEnd;
    private int read; // the search got here

    Search(Program program, String text) {
        this(program, text, MOST_READ_AGAIN);
    }

    /** @param mostReadAgain times the range; below 0: {@link Future} does all of it */
    Search(Program program, String text, int mostReadAgain) {
        this.program = program;
        this.text = text;
        this.mostReadAgain = mostReadAgain;
        looks = new BitSet[program.looks().size()];
        looking = program.looks().stream().map(look -> new Search(look.program(), text)).toArray(Search[]::new);
        now = new Threads(program);
        next = new Threads(program);
    }

    private void range(int newStart, int newEnd) {
        start = newStart;
        end = newEnd;
        Arrays.fill(looks, null);
    }

    /** All matches in a range, in order, as {@link Regex#findAll} has them. */
    void findAll(int rangeStart, int rangeEnd, Regex.Matches matches) {
        range(rangeStart, rangeEnd);
        long left = mostReadAgain * (end - start) + (mostReadAgain < 0 ? 0 : FREE);
        Future future = null;
        int from = start;
        int last = -1;
        while (from <= end) {
            if (left < 0 && future == null) {
                future = new Future(program, text, from, end, this);
            }
            if (!(future == null ? find(from) : find(from, future))) {
                return;
            }
            left -= read - matchEnd;
            boolean empty = matchStart == matchEnd;
            if (!empty || matchEnd != last) {
                matches.accept(matchStart, matchEnd);
                last = matchEnd;
            }
            from = matchEnd;
            if (empty) {
                from += from < end ? Character.charCount(text.codePointAt(from)) : 1;
            }
        }
    }

    private boolean find(int from, Future future) {
        matchStart = future.start(from);
        matchEnd = matchStart < 0 ? -1 : future.end(matchStart);
        read = matchEnd;
        return matchStart >= 0;
    }

    /** Finds the first match that begins at this place or later. */
    private boolean find(int from) {
        boolean found = false;
        now.clear();
        int at = from;
        while (true) {
            read = at;
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
            swap();
            at = behind;
        }
    }

    private void swap() {
        Threads done = now;
        now = next;
        next = done;
    }

    @Override
    public boolean holds(Program asking, int pc, int at) {
        if (asking.op(pc) == Program.PLACE) {
            return asking.holds(pc, at > start ? text.codePointBefore(at) : -1, at < end ? text.codePointAt(at) : -1);
        }
        int look = asking.a(pc);
        Program.Looking wanted = asking.looks().get(look);
        BitSet places = looks[look];
        if (places == null) {
            looking[look].range(start, end);
            places = looking[look].places(wanted.ahead());
            looks[look] = places;
        }
        return places.get(at - start) == wanted.wanted();
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
            swap();
            at = behind;
        }
    }
}
