package dev.tidestream.server.cluster;

/**
 * What decides the bits of a node's tokens, weight updates apart. Streams go between nodes of equal identities alone.
 *
 * @param file SHA-256 of the model file
 * @param prompts SHA-256 of what makes prompts and texts: templates, tokenizer
 * @param precision what is computed with, in words
 */
public record ModelIdentity(String file, String prompts, String precision) {
    private static final int SHORT = 12;

    /** In one line, whole. */
    public String text() {
        return "%s %s %s".formatted(file, prompts, precision);
    }

    /** In one line, for people. */
    @Override
    public String toString() {
        return "model=%s, prompts=%s, precision=%s".formatted(cut(file), cut(prompts), precision);
    }

    private static String cut(String hex) {
        return hex.substring(0, Math.min(SHORT, hex.length()));
    }
}
