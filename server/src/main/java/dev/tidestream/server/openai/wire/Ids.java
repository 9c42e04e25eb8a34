package dev.tidestream.server.openai.wire;

import java.util.HexFormat;
import java.util.concurrent.ThreadLocalRandom;

/** Names of answers and of parts of them. */
public final class Ids {
    private static final int HEX_DIGITS = 8;

    private Ids() {}

    /** A new one: 96 random bits behind a prefix. */
    public static String next(String prefix) {
        ThreadLocalRandom random = ThreadLocalRandom.current();
        return prefix + HexFormat.of().toHexDigits(random.nextLong()) + HexFormat.of().toHexDigits(random.nextLong(), HEX_DIGITS);
    }
}
