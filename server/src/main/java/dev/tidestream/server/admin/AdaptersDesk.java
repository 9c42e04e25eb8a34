package dev.tidestream.server.admin;

/** Who makes versions of adapters. Worker threads; calls may block. An {@link AdminException} means that nothing has changed. */
public interface AdaptersDesk {
    /**
     * What is asked for.
     *
     * @param updateId the sender's name of the version's update, which no other may have
     * @param baseVersion that must be current
     * @param label the sender's words for the version; may be empty: then it names the adapter
     */
    record Merging(String updateId, long baseVersion, String label) {}

    /**
     * Makes a version of the weights that has an adapter in it: all its changes, or none. The adapter stays served. Asked again, it says
     * what was done.
     *
     * @param name of a served adapter
     * @throws AdminException {@code unknown_adapter}, {@code invalid_adapter} if the model cannot have such matrices, and what
     *     {@link UpdatesDesk} refuses
     */
    UpdatesDesk.Committed merge(String name, Merging merging) throws AdminException;
}
