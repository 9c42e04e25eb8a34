package dev.tidestream.protocol;

import java.util.random.RandomGenerator;

/** Fields to break a parser of JSON with: names that collide, many names, long ones, one name twice. */
public final class NameMutator {
    private static final int MAX_MANY = 3000;
    private static final int MAX_LONG_CHARS = 400;
    private static final int PAIRS = 14;

    private final RandomGenerator random;

    public NameMutator(RandomGenerator random) {
        this.random = random;
    }

    /** A list of fields, without braces; each has a number for a value. */
    public String next() {
        return switch (random.nextInt(5)) {
            case 0 -> colliding(1 + random.nextInt(500));
            case 1 -> fields(1 + random.nextInt(MAX_MANY), "n");
            case 2 -> fields(1 + random.nextInt(MAX_MANY), ""); // token ids, as in logit_bias
            case 3 -> "\"" + "l".repeat(1 + random.nextInt(MAX_LONG_CHARS)) + "\":1";
            default -> "\"twice\":1," + fields(random.nextInt(10), "n") + (random.nextBoolean() ? ",\"twice\":2" : ",\"once\":2");
        };
    }

    /** Names of the same {@link String#hashCode}, which collide in the symbol table of Jackson's parsers, too: {Ac, BB}^14. */
    public static String colliding(int names) {
        StringBuilder fields = new StringBuilder();
        for (int i = 0; i < names; i++) {
            fields.append(i == 0 ? "\"" : ",\"");
            for (int bit = 0; bit < PAIRS; bit++) {
                fields.append((i >> bit & 1) == 0 ? "Ac" : "BB");
            }
            fields.append("\":1");
        }
        return fields.toString();
    }

    /** So many fields: {@code "prefix0":1,"prefix1":1,…}. */
    public static String fields(int count, String prefix) {
        StringBuilder fields = new StringBuilder();
        for (int i = 0; i < count; i++) {
            fields.append(i == 0 ? "\"" : ",\"").append(prefix).append(i).append("\":1");
        }
        return fields.toString();
    }
}
