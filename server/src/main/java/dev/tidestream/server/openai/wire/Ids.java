package dev.tidestream.server.openai.wire;

import java.security.SecureRandom;
import java.util.HexFormat;

/** Names of answers and of parts of them. Nobody can guess one: whoever knows the id of a kept response may read it. */
public final class Ids {
    private static final int BYTES = 16;
    private static final SecureRandom RANDOM = new SecureRandom();

    private Ids() {}

    /** A new one: 128 bits of the system's secure random source, in hexadecimal, behind a prefix. */
    public static String next(String prefix) {
        byte[] random = new byte[BYTES];
        RANDOM.nextBytes(random);
        return prefix + HexFormat.of().formatHex(random);
    }
}
