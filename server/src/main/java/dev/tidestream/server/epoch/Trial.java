package dev.tidestream.server.epoch;

/** A version that some new streams begin with before it is current. The decode thread asks, so answers come at once. */
public interface Trial {
    /** In the place of a version: none is tried. */
    long NO_VERSION = -1;

    /** Nothing is tried. */
    Trial NONE = new Trial() {
        @Override
        public long weightsVersion() {
            return NO_VERSION;
        }

        @Override
        public boolean takes(long seed, Object account) {
            return false;
        }
    };

    /** The version that is tried now; {@link #NO_VERSION} if none is. */
    long weightsVersion();

    /**
     * Whether a new stream begins with that version; asked once for each.
     *
     * @param seed of its sampling
     * @param account whose it is
     */
    boolean takes(long seed, Object account);
}
