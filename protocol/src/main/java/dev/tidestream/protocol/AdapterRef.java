package dev.tidestream.protocol;

/**
 * An adapter that a stream is computed with.
 *
 * @param name that clients ask for it by
 * @param sha256 of all that it was read from: 64 lower-case hexadecimal digits; another adapter of the same name has another one
 */
public record AdapterRef(String name, String sha256) {}
