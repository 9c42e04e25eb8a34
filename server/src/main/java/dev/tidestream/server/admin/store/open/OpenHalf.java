package dev.tidestream.server.admin.store.open;

/**
 * A part of which some bytes have come, and that may be gone on with.
 *
 * @param number the sender's
 * @param sha256 that the whole part will have
 * @param bytes that the whole part will have
 * @param received bytes that are there
 * @param fileName within the data directory
 */
public record OpenHalf(int number, String sha256, long bytes, long received, String fileName) {
    OpenHalf with(long nowReceived) {
        return new OpenHalf(number, sha256, bytes, nowReceived, fileName);
    }
}
