package dev.tidestream.server.keys;

import java.security.SecureRandom;
import java.util.Base64;

/** The text of new keys. */
public final class KeyText {
    private static final String PREFIX = "ts-"; // by which people, and scanners for lost secrets, know what it is
    private static final int RANDOM_BYTES = 32;

    private KeyText() {}

    /** 256 random bits, URL-safe: {@code ts-} and 43 characters. */
    public static String generate() {
        byte[] random = new byte[RANDOM_BYTES];
        new SecureRandom().nextBytes(random);
        return PREFIX + Base64.getUrlEncoder().withoutPadding().encodeToString(random);
    }
}
