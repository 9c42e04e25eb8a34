package dev.tidestream.server.admin.store.open;

/**
 * A part that has come.
 *
 * @param number the sender's
 * @param sha256 of its bytes
 * @param fileName within the data directory
 */
public record OpenPart(int number, String sha256, long bytes, String fileName) {}
