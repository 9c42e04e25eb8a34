package dev.tidestream.model.gguf;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;

/**
 * A model in several files, as {@code gguf-split} of llama.cpp writes it: the first has the metadata, each has some of the
 * tensors, and each says which one it is. The others lie beside the first and have its name with another number:
 * {@code NAME-00001-of-00003.gguf}, {@code NAME-00002-of-00003.gguf} and so on. Other ways to write "1 of 3" are understood, too.
 *
 * <pre>
 *   split.no              0, 1, …     which part this is
 *   split.count           parts in all; 0 or 1, or no such key: the file is no part of a larger one
 *   split.tensors.count   tensors of all parts together
 * </pre>
 */
final class SplitFile {
    private static final String NO = "split.no";
    private static final String COUNT = "split.count";
    private static final String TENSORS = "split.tensors.count";
    private static final int MAX_PARTS = 65_535; // the keys are u16

    private static final Pattern NUMBERS = Pattern.compile("(?<!\\d)(\\d{1,9})([-_. ]?of[-_. ]?)(\\d{1,9})(?!\\d)");

    private SplitFile() {}

    /** Refuses a part of a larger file, where nothing lies beside it. */
    static void requireWhole(GgufPart image) {
        if (count(image) > 1) {
            throw new GgufException("%s: %s=%d: a part of a split model, which is not supported in memory"
                    .formatted(image.path(), COUNT, count(image)));
        }
    }

    /**
     * All parts, in order.
     *
     * @param given what was asked for, mapped; stays the caller's if this throws
     * @return of a file that is not split, that file alone
     * @throws GgufException if it is not the first, if another part is missing, or if they do not belong together
     */
    static List<GgufPart> parts(GgufPart given) {
        int count = count(given);
        if (count <= 1) {
            return List.of(given);
        }
        int number = number(given, count);
        if (number != 0) {
            throw new GgufException("%s: part %d of %d: open part 1, which has the metadata: %s".formatted(
                    given.path(), number + 1, count, name(given, number, count, 0).map(Path::toString).orElse("split.no=0")));
        }
        List<GgufPart> parts = new ArrayList<>(List.of(given));
        boolean done = false;
        try {
            for (int i = 1; i < count; i++) {
                parts.add(part(given, i, count));
            }
            long expected = given.metadata().int64(TENSORS);
            long found = parts.stream().mapToLong(part -> part.front().tensors().size()).sum();
            if (found != expected) {
                throw new GgufException("%s: %s=%d, but its %d parts have %d"
                        .formatted(given.path(), TENSORS, expected, count, found));
            }
            done = true;
            return List.copyOf(parts);
        } finally {
            if (!done) {
                parts.subList(1, parts.size()).forEach(GgufPart::close);
            }
        }
    }

    private static GgufPart part(GgufPart first, int number, int count) {
        Path path = name(first, 0, count, number).orElseThrow(() -> new GgufException(
                ("%s: part 1 of %d: the others are found by their names, and this one is not named as a part:"
                        + " it should be NAME-%05d-of-%05d.gguf, beside NAME-%05d-of-%05d.gguf")
                        .formatted(first.path(), count, 1, count, number + 1, count)));
        if (Files.notExists(path)) {
            throw new GgufException("%s: part 1 of %d: part %d is missing: %s".formatted(first.path(), count, number + 1, path));
        }
        GgufPart part = GgufPart.map(path);
        boolean done = false;
        try {
            if (count(part) != count || number(part, count) != number) {
                int says = part.metadata().findInteger(NO).orElse(0);
                throw new GgufException("%s: says %s=%d and %s=%d: not part %d of %d, which %s wants here"
                        .formatted(path, NO, says, COUNT, count(part), number + 1, count, first.path()));
            }
            done = true;
            return part;
        } finally {
            if (!done) {
                part.close();
            }
        }
    }

    private static int count(GgufPart file) {
        return inRange(file, COUNT, file.metadata().findInteger(COUNT).orElse(0), MAX_PARTS);
    }

    private static int number(GgufPart file, int count) {
        return inRange(file, NO, file.metadata().integer(NO), count - 1);
    }

    private static int inRange(GgufPart file, String key, int value, int most) {
        if (value < 0 || value > most) {
            throw new GgufException("%s: %s=%d must be from 0 to %d".formatted(file.path(), key, value, most));
        }
        return value;
    }

    /** Where another part is, if the name of this one says so: with as many digits. */
    private static Optional<Path> name(GgufPart file, int number, int count, int other) {
        String name = String.valueOf(file.path().getFileName());
        List<MatchResult> matches = NUMBERS.matcher(name).results()
                .filter(match -> Integer.parseInt(match.group(1)) == number + 1 && Integer.parseInt(match.group(3)) == count)
                .toList();
        if (matches.isEmpty()) {
            return Optional.empty();
        }
        MatchResult last = matches.getLast();
        String digits = String.format(Locale.ROOT, "%0" + last.group(1).length() + "d", other + 1);
        return Optional.of(file.path().resolveSibling(name.substring(0, last.start(1)) + digits + name.substring(last.end(1))));
    }

    /**
     * In which part each tensor is: the index, by name.
     *
     * @throws GgufException if two parts have a tensor of one name
     */
    static Map<String, Integer> partsOfTensors(List<GgufPart> parts) {
        Map<String, Integer> all = new HashMap<>();
        for (int i = 0; i < parts.size(); i++) {
            for (String name : parts.get(i).front().tensors().keySet()) {
                Integer other = all.put(name, i);
                if (other != null) {
                    throw new GgufException("%s: tensor '%s' is in %s, too"
                            .formatted(parts.get(i).path(), Cursor.quote(name), parts.get(other).path()));
                }
            }
        }
        return Map.copyOf(all);
    }
}
