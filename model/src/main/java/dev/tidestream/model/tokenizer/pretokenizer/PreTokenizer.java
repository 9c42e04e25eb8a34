package dev.tidestream.model.tokenizer.pretokenizer;

import java.util.ArrayList;
import java.util.List;

import org.jspecify.annotations.Nullable;

import dev.tidestream.model.tokenizer.regex.Regex;

/**
 * Cuts text into the words within which tokens are put together. Steps follow one another; each cuts the words of the one before, and sees
 * nothing beyond their ends. Where an expression has a {@link WordScanner} rule, that is what runs. Immutable; any thread.
 */
public final class PreTokenizer {
    /** Leaves a text as it is. */
    public static final PreTokenizer NONE = new PreTokenizer(List.of());

    private final List<Step> steps;
    private final List<Cut> cuts = new ArrayList<>();

    /** A step at work. */
    private interface Cut {
        Words apply(Words words, boolean atStart);
    }

    /** @param steps in order */
    public PreTokenizer(List<Step> steps) {
        this.steps = List.copyOf(steps);
        for (Step step : steps) {
            cuts.add(switch (step) {
                case Step.Split split -> cut(split);
                case Step.PrefixSpace _ -> (words, _) -> prefixed(words);
                case Step.Metaspace metaspace -> cut(metaspace);
            });
        }
    }

    public List<Step> steps() {
        return steps;
    }

    /** Whether text goes missing, or comes in, on the way: then words are not simply parts of it. */
    public boolean removes() {
        return steps.stream().anyMatch(step -> step instanceof Step.Split split && split.behavior() == Step.Behavior.REMOVED);
    }

    /**
     * The words of a text.
     *
     * @param text without unpaired surrogates
     * @param atStart whether it is the beginning of what the user wrote
     */
    public Words words(String text, boolean atStart) {
        Words words = Words.whole(text);
        for (Cut cut : cuts) {
            words = cut.apply(words, atStart);
        }
        return words;
    }

    private static Cut cut(Step.Split split) {
        boolean plain = split.behavior() == Step.Behavior.ISOLATED && !split.inverted();
        WordScanner.Rule rule = plain ? WordScanner.rule(split.pattern().expression()) : null;
        if (rule != null) {
            return (words, _) -> scanned(words, rule);
        }
        return plain ? (words, _) -> isolated(words, split.pattern()) : (words, _) -> split(words, split);
    }

    private static Cut cut(Step.Metaspace metaspace) {
        if (!metaspace.split()) {
            return (words, atStart) -> metaspace(words, metaspace, atStart);
        }
        Step.Split split = new Step.Split(Regex.literal(metaspace.replacement()), Step.Behavior.MERGED_WITH_NEXT, false);
        return (words, atStart) -> split(metaspace(words, metaspace, atStart), split);
    }

    private static Words scanned(Words words, WordScanner.Rule rule) {
        Words cut = new Words(words.text());
        WordScanner scanner = new WordScanner(words.text(), CharKind.of(words.text()), cut);
        for (int i = 0; i < words.count(); i++) {
            scanner.cut(rule, words.start(i), words.end(i));
        }
        return cut;
    }

    private static Words isolated(Words words, Regex pattern) {
        Words cut = new Words(words.text());
        Regex.Finder finder = pattern.in(words.text());
        for (int i = 0; i < words.count(); i++) {
            int[] from = {words.start(i)};
            finder.findAll(words.start(i), words.end(i), (start, end) -> {
                cut.add(from[0], start);
                cut.add(start, end);
                from[0] = end;
            });
            cut.add(from[0], words.end(i));
        }
        return cut;
    }

    /** A match, or what lies between two. */
    private record Part(int start, int end, boolean match) {}

    private static Words split(Words words, Step.Split split) {
        Words cut = new Words(words.text());
        Regex.Finder finder = split.pattern().in(words.text());
        for (int i = 0; i < words.count(); i++) {
            for (Part part : joined(parts(finder, words.start(i), words.end(i), split), split.behavior())) {
                cut.add(part.start(), part.end());
            }
        }
        return cut;
    }

    private static List<Part> parts(Regex.Finder finder, int start, int end, Step.Split split) {
        List<Part> parts = new ArrayList<>();
        int[] from = {start};
        finder.findAll(start, end, (matchStart, matchEnd) -> {
            if (matchStart > from[0]) {
                parts.add(new Part(from[0], matchStart, split.inverted()));
            }
            parts.add(new Part(matchStart, matchEnd, !split.inverted()));
            from[0] = matchEnd;
        });
        if (end > from[0]) {
            parts.add(new Part(from[0], end, split.inverted()));
        }
        return parts;
    }

    private static List<Part> joined(List<Part> parts, Step.Behavior behavior) {
        return switch (behavior) {
            case REMOVED -> parts.stream().filter(part -> !part.match()).toList();
            case ISOLATED -> parts;
            case CONTIGUOUS -> joined(parts, (last, part) -> last != null && last.match() == part.match());
            case MERGED_WITH_PREVIOUS -> joined(parts, (last, part) -> last != null && part.match() && !last.match());
            case MERGED_WITH_NEXT -> mergedWithNext(parts);
        };
    }

    private interface Joins {
        boolean test(@Nullable Part last, Part part);
    }

    private static List<Part> joined(List<Part> parts, Joins joins) {
        List<Part> result = new ArrayList<>();
        Part last = null;
        for (Part part : parts) {
            if (joins.test(last, part)) {
                Part open = result.removeLast();
                result.add(new Part(open.start(), part.end(), part.match()));
            } else {
                result.add(part);
            }
            last = part;
        }
        return result;
    }

    private static List<Part> mergedWithNext(List<Part> parts) {
        List<Part> result = new ArrayList<>();
        Part behind = null;
        for (Part part : parts.reversed()) {
            if (behind != null && part.match() && !behind.match()) {
                Part open = result.removeLast();
                result.add(new Part(part.start(), open.end(), true));
            } else {
                result.add(part);
            }
            behind = part;
        }
        return result.reversed();
    }

    private static Words prefixed(Words words) {
        StringBuilder text = new StringBuilder(words.text().length() + words.count());
        int[] ends = new int[words.count()];
        for (int i = 0; i < words.count(); i++) {
            if (words.text().charAt(words.start(i)) != ' ') {
                text.append(' ');
            }
            text.append(words.text(), words.start(i), words.end(i));
            ends[i] = text.length();
        }
        return rewritten(text.toString(), ends);
    }

    private static Words rewritten(String text, int[] ends) {
        Words words = new Words(text);
        int start = 0;
        for (int end : ends) {
            words.add(start, end);
            start = end;
        }
        return words;
    }

    private static Words metaspace(Words words, Step.Metaspace step, boolean atStart) {
        StringBuilder text = new StringBuilder(words.text().length() + words.count());
        int[] ends = new int[words.count()];
        for (int i = 0; i < words.count(); i++) {
            int from = text.length();
            text.append(words.word(i).replace(" ", step.replacement()));
            boolean first = atStart && i == 0 && words.start(i) == 0;
            boolean prefix = step.prefix() == Step.Prefix.EVERYWHERE || (step.prefix() == Step.Prefix.FIRST && first);
            if (prefix && text.indexOf(step.replacement(), from) != from) {
                text.insert(from, step.replacement());
            }
            ends[i] = text.length();
        }
        return rewritten(text.toString(), ends);
    }
}
