package dev.tidestream.server.admin.store.open;

/**
 * What an open transaction is for.
 *
 * @param updateId the sender's name of it
 * @param baseVersion the weights version that it is to change
 * @param label the sender's words for the version; may be empty
 * @param tied what is to become of a tied model's head: {@code keep}, {@code untie} or {@code error}
 * @param hold whether the version is to be published later
 */
public record OpenRequest(String updateId, long baseVersion, String label, String tied, boolean hold) {

    /** One whose version is to be published at once. */
    public OpenRequest(String updateId, long baseVersion, String label, String tied) {
        this(updateId, baseVersion, label, tied, false);
    }
}
